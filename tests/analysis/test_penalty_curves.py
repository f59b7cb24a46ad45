"""Curves over the weight of a penalty: which rows they have, and what they are read beside."""

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.penalty_curves import penalty_curve_figure
from cl_seg.analysis.figures.style import as_svg
from cl_seg.analysis.penalty_curves import NEVER_UPDATED, penalty_curves
from cl_seg.analysis.report.penalty_curves import TITLE, curves
from cl_seg.analysis.report.section import ReportData
from cl_seg.analysis.tables import NOT_EVALUABLE, run_table, summary_table
from cl_seg.records.results import RunResult
from tests.records.factory import NAIVE, run_result


def run(name: str, label: str, settings: dict[str, object], r: object = NAIVE) -> RunResult:
    return run_result(
        r,
        strategy=label,
        run_id=label,
        spec={"strategy": {"name": name, "label": label, "settings": settings}},
    )


def grid(name: str, weights: list[float], first: str = "", **settings: object) -> list[RunResult]:
    """Runs of a grid over a penalty's weight: the larger, the less is forgotten and learned."""
    found = []
    for number, weight in enumerate(weights):
        r = [[0.1, 0.2], [0.9, 0.5], [0.6 + 0.1 * number, 0.8 - 0.1 * number]]
        label = f"{first or name}-{name}_lambda={weight}"
        found.append(run(name, label, {f"{name}_lambda": float(weight), **settings}, r))
    return found


def table(results: list[RunResult]) -> pd.DataFrame:
    return penalty_curves(summary_table(run_table(results), results), results)


NAIVE_RUN = run("naive", "Naive", {})


def test_rows_are_by_rising_weight_and_beside_naive_and_the_network_never_updated() -> None:
    shown = table([NAIVE_RUN, *grid("ewc", [1, 1e-05, 0.01]), run("replay", "Replay", {})])
    assert list(shown["strategy"]) == ["ewc", "ewc", "ewc", "Naive", NEVER_UPDATED]
    assert list(shown["weight"][:3]) == [1e-05, 0.01, 1] and shown["weight"][3:].isna().all()
    assert list(shown["BWT"]) == pytest.approx([-0.2, -0.1, -0.3, -0.3, 0])
    assert list(shown["plasticity"]) == pytest.approx([0.8, 0.75, 0.85, 0.85, 0.7])


@pytest.mark.parametrize(
    "results",
    [
        [NAIVE_RUN],
        [NAIVE_RUN, *grid("ewc", [1, 2])],
        [NAIVE_RUN, *(run("ewc", f"ewc-fisher_images={k}", {"ewc_lambda": 1.0}) for k in "1234")],
        [run("lwf", f"lwf-alpha={k}", {"alpha": k}) for k in (1, 2, 3)],
    ],
    ids=["no penalty", "two weights", "one weight", "no weight of a penalty"],
)
def test_without_a_grid_over_the_weight_there_is_no_section(results: list[RunResult]) -> None:
    assert table(results).empty and curves(ReportData(results)) is None


def test_every_other_setting_has_a_curve_of_its_own() -> None:
    raw = grid("ewc", [1, 10, 100], "ewc-importance=raw", importance="raw")
    mean = grid("ewc", [0.1, 1, 10], "scaled", importance="mean")
    shown = table([*raw, *mean])
    names = list(dict.fromkeys(shown["strategy"]))
    assert names == ["ewc-importance=raw", "scaled"]


def test_the_value_is_cut_from_the_middle_of_a_label_too() -> None:
    results = [
        run("ewc", f"ewc-ewc_lambda={w}-mode=summed", {"ewc_lambda": w}) for w in (1e-06, 0.5, 1e6)
    ]
    assert set(table(results)["strategy"]) == {"ewc-mode=summed"}


def test_rows_that_are_not_evaluable_stay() -> None:
    results = grid("si", [1, 2, 3])
    summary = summary_table(run_table(results), results)
    assert (summary["verdict"] == NOT_EVALUABLE).any()
    assert len(penalty_curves(summary, results)) == 3


def test_without_a_test_on_later_scanners_the_network_never_updated_has_no_row() -> None:
    r = [[0.1, np.nan], [0.9, np.nan], [0.6, 0.8]]
    seen = run("naive", "Naive", {}, r)
    shown = table([seen, *grid("mas", [1, 2, 3])])
    assert list(shown["strategy"]) == ["mas", "mas", "mas", "Naive"]


def test_the_figure_says_the_range_of_the_weight_and_the_section_has_the_table() -> None:
    results = [NAIVE_RUN, *grid("ewc", [0.01, 0.1, 1]), *grid("si", [1, 2, 3])]
    shown = table(results)
    figure = penalty_curve_figure(shown, 0.5, ["simulated"])
    assert figure is not None
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["ewc, λ 0.01 to 1", "si, λ 1 to 3", "Naive", NEVER_UPDATED]
    assert as_svg(figure).startswith("<svg")
    section = curves(ReportData(results))
    assert section is not None and section.title == TITLE
    pd.testing.assert_frame_equal(section.files["penalty_curves"], shown)
