"""Numbers of things."""

import re
from pathlib import Path

import pytest

from cl_seg.messages.plural import counted

ROOT = Path(__file__).parents[2]


def test_one_and_several() -> None:
    assert [counted(n, "slice") for n in (0, 1, 2)] == ["0 slices", "1 slice", "2 slices"]
    assert counted(1, "class", "classes") == "1 class" and counted(3, "is", "are") == "3 are"


@pytest.mark.parametrize("path", sorted((ROOT / "cl_seg").rglob("*.py")), ids=lambda p: p.name)
def test_no_message_counts_slices_cases_or_runs_by_a_plural_alone(path: Path) -> None:
    things = "slices|cases|runs|stages|jobs|trainings|patients labelled|training slices"
    told = re.findall(rf"\{{len\([^{{}}]*\}} (?:{things})\b", path.read_text(encoding="utf-8"))
    assert not told, "say counted(...)"
