"""The tiny store and suites of tests/suite, for planning."""

from tests.suite.conftest import no_mirror, store, suite_text

__all__ = ["no_mirror", "store", "suite_text"]
