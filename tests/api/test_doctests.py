"""The examples in docstrings of the API give what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import cl_seg.api

MODULES = [f"cl_seg.api.{module.name}" for module in pkgutil.iter_modules(cl_seg.api.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, in_workspace: Path) -> None:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    done = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert not done.failed


def test_what_a_user_calls_has_an_example() -> None:
    for name in ("ingest", "simulate", "run", "plan", "load_results", "load_model", "Suite"):
        assert ">>>" in getattr(cl_seg, name).__doc__, name
