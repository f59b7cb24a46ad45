"""Forest plots."""

import pytest
from matplotlib.colors import to_hex

from cl_seg.analysis.figures.forest import LOOKS, WORSE, ForestPanel, ForestRow, forest

ROWS = [
    ForestRow("first", 0.0, -0.004, 0.003, "not worse"),
    ForestRow("second", -0.05, -0.06, -0.04, "worse"),
    ForestRow("third", 0.0, float("nan"), float("nan"), "undecided"),
]


@pytest.mark.parametrize(("worse_from", "side"), [(-0.01, "left"), (2.0, "right")])
def test_the_shaded_part_is_beyond_the_margin(worse_from: float, side: str) -> None:
    [axes] = forest([ForestPanel("Dice", worse_from, ROWS)], []).axes
    [shaded] = [patch for patch in axes.patches if to_hex(patch.get_facecolor()) == WORSE]
    box = shaded.get_extents().transformed(axes.transData.inverted())
    low, high = axes.get_xlim()
    expected = (low, worse_from) if side == "left" else (worse_from, high)
    assert (box.x0, box.x1) == pytest.approx(expected)
    assert low < min(0, worse_from) <= max(0, worse_from) < high


def test_a_mark_per_row_in_the_colour_of_its_verdict_and_a_line_where_there_are_bounds() -> None:
    [axes] = forest([ForestPanel("Dice", -0.01, ROWS)], []).axes
    marks = [line for line in axes.lines if line.get_marker() in {"o", "X"}]
    assert [line.get_color() for line in marks] == [LOOKS[row.verdict][0] for row in ROWS]
    bounds = [
        line
        for line in axes.lines
        if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2
    ]
    assert [tuple(line.get_xdata()) for line in bounds] == [(-0.004, 0.003), (-0.06, -0.04)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second", "third"]
