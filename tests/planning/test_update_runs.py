"""Which strategies can train a saved model further."""

import re
from pathlib import Path

from cl_seg.planning.saved_model import can_update, needs_old_slices
from cl_seg.planning.update_runs import too_few
from cl_seg.strategies.registry import STRATEGIES

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "update.md"


def test_the_page_lists_the_strategies_that_can_update() -> None:
    rows = re.findall(r"^\| (`.*`) \| (yes|no) \|$", PAGE.read_text(), re.M)
    documented = {name: need for names, need in rows for name in re.findall(r"`(\w+)`", names)}
    assert documented == {
        name: "yes" if needs_old_slices(strategy) else "no"
        for name, strategy in STRATEGIES.items()
        if can_update(strategy) and name != "never_update"
    }


def test_another_split_is_proposed_only_where_it_helps() -> None:
    tested = {"many": 3, "some": 2, "few": 1}
    some, few = too_few(tested, {"many": 12, "some": 8, "few": 3})
    assert "2 test cases" in some
    assert some.endswith("`split: {test: 0.5}` tests half of them")
    assert few.endswith("add more patients")
    assert [note.endswith("add more patients") for note in too_few(tested, {})] == [True, True]
