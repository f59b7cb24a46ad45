"""Long names."""

import pytest

from cl_seg.analysis.figures.labels import wrapped

LONG = "Siemens SOMATOM Definition AS+"


@pytest.mark.parametrize("name", ["", "GE-like", "x" * 80, "a b c d e f g " * 12, LONG])
def test_wrapping_loses_no_word(name: str) -> None:
    lines = wrapped(name).split("\n")
    assert " ".join(lines).split() == name.split()
    assert len(lines) == 1 or len(name) > 20
    assert len(lines) <= max(2, -(-len(name) // 25))
