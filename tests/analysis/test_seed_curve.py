"""SEED curves from records with known Dice."""

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.style import as_svg
from cl_seg.analysis.report.section import ReportData
from cl_seg.analysis.report.seed_curve import curves, table
from cl_seg.analysis.seed_curve import seed_curve_runs, seed_curve_table, seed_images_of, verdicts
from cl_seg.records.results import RunResult
from tests.records.factory import changed, run_result

PATIENTS = 8


def run(start: str, images: int, dice: float, seed: int, wobble: float = 0.01) -> RunResult:
    order = ["old", "new"] if start == "transfer" else ["new"]
    random = np.random.default_rng([images, seed])
    rows = [
        {"stage": i, "scanner": s, "patient": f"p{p}", "case": f"p{p}@{s}", "class": "liver",
         "dice": dice - 0.1 * (s == "old") + wobble * random.normal(), "true": 9,
         "contour_mm": 100.0, "added_path_mm": 100 * (1 - dice), "to_correct_cm2": 2.0}
        for i in range(len(order) + 1)
        for s in order
        for p in range(PATIENTS)
    ]  # fmt: skip
    cases = pd.DataFrame(rows)
    r = [
        [cases[(cases["stage"] == i) & (cases["scanner"] == s)]["dice"].mean() for s in order]
        for i in range(len(order) + 1)
    ]
    labelled = {"count": images, "by": "random", "start": start, "base": ["old"]}
    return run_result(
        r,
        cases,
        run_id=f"{start}-{images}-{seed}",
        model="UNet",
        strategy="Naive" if start == "transfer" else "scratch",
        schedule="seed_curve",
        place=[0, int(start == "scratch"), 0, 0, images, seed],
        scanner_names={"old": "Old", "new": "New"},
        spec={"order": order, "seed": seed, "seed_images": labelled},
    )


def results(few: float, many: float, wobble: float = 0.01) -> list[RunResult]:
    return [
        one
        for seed in range(3)
        for one in (
            run("transfer", 5, few - 0.1, seed, wobble),
            run("transfer", 10, few, seed, wobble),
            run("scratch", 10, many - 0.2, seed, wobble),
            run("scratch", 40, many, seed, wobble),
            run("scratch", 80, 0.99, seed, wobble),
        )
    ]


def test_the_table_is_of_the_new_scanner_alone() -> None:
    table = seed_curve_table(seed_curve_runs(results(0.9, 0.8))).set_index(["start", "images"])
    assert table.loc[("transfer", 10), "Dice"] == pytest.approx(0.9, abs=0.01)
    assert table.loc[("scratch", 40), "Dice liver"] == pytest.approx(0.8, abs=0.01)
    assert 0 < table.loc[("transfer", 10), "Dice ±"] < 0.02
    assert table.loc[("transfer", 10), "left to draw"] == pytest.approx(0.1)
    assert table.loc[("transfer", 10), "to correct"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("few", "many", "wobble", "verdict"),
    [
        (0.9, 0.9, 0.005, ": reached."),
        (0.8, 0.9, 0.005, ": not reached."),
        (0.885, 0.9, 0.05, ": undecided."),
    ],
)
def test_ten_by_transfer_against_forty_from_scratch(
    few: float, many: float, wobble: float, verdict: str
) -> None:
    (said,) = verdicts(seed_curve_runs(results(few, many, wobble)))
    assert "10 SEED images by transfer against 40 from scratch" in said and said.endswith(verdict)


def test_without_forty_there_is_no_verdict() -> None:
    few = [one for one in results(0.9, 0.8) if seed_images_of(one).count < 40]
    assert verdicts(seed_curve_runs(few)) == []
    one_seed = [one for one in results(0.9, 0.8) if one.seed == 0]
    assert "no verdict" in verdicts(seed_curve_runs(one_seed))[0]


def test_no_run_is_lost_where_runs_of_several_counts_are_mixed() -> None:
    mixed = [
        changed(one, place=(0, 0, 0, 0, number % 2, number))
        for number, one in enumerate(results(0.9, 0.8))
    ]
    assert (seed_curve_table(seed_curve_runs(mixed))["seeds"] == 3).all()


def test_a_report_has_table_figure_and_verdict() -> None:
    data = ReportData(results(0.9, 0.8))
    (_, figure) = curves(data).figures["seed_curve"]
    assert "<svg" in as_svg(figure)
    section = table(data)
    assert any("reached" in note for note in section.notes)
    assert section.table is not None and list(section.table["images"]) == [5, 10, 10, 40, 80]
