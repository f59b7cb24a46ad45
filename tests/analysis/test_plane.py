"""The stability–plasticity plane shows what can be compared."""

import numpy as np
import pandas as pd

from cl_seg.analysis.figures import as_svg, strategy_marks
from cl_seg.analysis.plane import stability_plane
from cl_seg.analysis.tables import NOT_EVALUABLE


def row(strategy: str, verdict: str = "", bwt: float = -0.1, kept: int = 0) -> dict[str, object]:
    return {
        "model": "UNet",
        "strategy": strategy,
        "BWT": bwt,
        "plasticity": 0.9,
        "BWT ±": np.nan,
        "plasticity ±": np.nan,
        "kept_slices": kept,
        "verdict": verdict,
    }


def plane(*rows: dict[str, object]) -> str:
    return as_svg(stability_plane(pd.DataFrame(rows), 3, ["simulated"]))


def test_only_evaluable_strategies_with_both_scores_are_drawn() -> None:
    shown = [row("Naive"), row("Replay", bwt=0.0, kept=24)]
    hidden = [row("Lazy", verdict=NOT_EVALUABLE), row("Joint", bwt=np.nan)]
    assert plane(*shown, *hidden) == plane(*shown) != plane(*shown[:1])


def test_keeping_slices_shows_in_the_mark() -> None:
    with_and_without = [plane(row("Replay", kept=kept)) for kept in (0, 24)]
    assert with_and_without[0].count("#ffffff") > with_and_without[1].count("#ffffff")


def test_nothing_to_compare_is_an_empty_figure() -> None:
    assert "<svg" in plane(row("Lazy", verdict=NOT_EVALUABLE))


def test_twenty_strategies_have_marks_of_their_own() -> None:
    marks = strategy_marks([f"s{i}" for i in range(20)])
    assert len({(m.marker, str(m.line)) for m in marks.values()}) == 20, "without colour too"
