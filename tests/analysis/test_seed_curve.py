"""SEED curves from records with known Dice."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cl_seg.analysis.figures.style import as_svg
from cl_seg.analysis.report.notes import scanners_of_seed_curve
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


def from_model(images: int, before: float, after: float, seed: int) -> RunResult:
    """A transfer from a saved model: no untrained network, the model, and it after training."""
    cases = pd.DataFrame([
        {"stage": stage, "scanner": "new", "patient": f"p{p}", "case": f"p{p}@new",
         "class": "liver", "dice": dice + 0.01 * (p - PATIENTS / 2), "true": 9,
         "contour_mm": 100.0, "added_path_mm": 100 * (1 - dice), "to_correct_cm2": 10 * (1 - dice)}
        for stage, dice in ((1, before), (2, after))
        for p in range(PATIENTS)
    ])  # fmt: skip
    dice = cases.groupby("stage")["dice"].mean()
    base_model = {"name": "base", "weights_sha256": "ab" * 32, "scanners": {"s": "Simulated"},
                  "simulated": True, "levels": "T9 to S1"}  # fmt: skip
    labelled = {"count": images, "by": "random", "start": "transfer", "base": [],
                "base_model": base_model}  # fmt: skip
    return run_result(
        [[np.nan], [dice[1]], [dice[2]]],
        cases,
        run_id=f"transfer-{images}-{seed}",
        model="UNet",
        strategy="Naive",
        schedule="seed_curve",
        place=[0, 0, 0, 0, images, seed],
        scanner_names={"new": "New"},
        spec={"order": ["new"], "seed": seed, "seed_images": labelled},
    )


def curve_from_model() -> list[RunResult]:
    transfer = [from_model(n, 0.8, 0.9 - 0.01 * seed, seed) for n in (5, 10) for seed in range(3)]
    return [*transfer, *(run("scratch", n, 0.7, seed) for n in (5, 40) for seed in range(3))]


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


def test_a_saved_model_as_it_is_has_the_row_of_no_images() -> None:
    table = seed_curve_table(seed_curve_runs(curve_from_model()))
    assert list(zip(table["start"], table["images"], strict=True)) == [
        ("transfer", 0), ("transfer", 5), ("transfer", 10), ("scratch", 5), ("scratch", 40),
    ]  # fmt: skip
    as_it_is, trained = table.iloc[0], table.iloc[1]
    dice = 0.8 + 0.01 * (np.arange(PATIENTS) - PATIENTS / 2)
    assert as_it_is["Dice"] == as_it_is["Dice liver"] == pytest.approx(dice.mean())
    half_width = t.ppf(0.975, PATIENTS - 1) * dice.std(ddof=1) / np.sqrt(PATIENTS)
    assert as_it_is["Dice ±"] == pytest.approx(half_width), "of patients alone, seeds are the same"
    assert (as_it_is["left to draw"], as_it_is["to correct"]) == pytest.approx((0.2, 2))
    assert trained["left to draw"] == pytest.approx(0.11) and as_it_is["seeds"] == 3


def test_only_transfer_has_a_row_of_no_images() -> None:
    scratch = [one for one in curve_from_model() if one.strategy == "scratch"]
    assert sorted(seed_curve_table(seed_curve_runs(scratch))["images"]) == [5, 40]
    assert 0 not in seed_curve_table(seed_curve_runs(results(0.9, 0.8)))["images"].to_numpy()


def test_the_report_of_a_curve_from_a_model_names_it_and_draws_its_point() -> None:
    data = ReportData(curve_from_model())
    section = table(data)
    start = "Starting model: base (abababababab), trained on Simulated (simulated CT only)"
    assert section.notes[0] == f"{start}; new scanner: new."
    assert "10 SEED images by transfer against 40 from scratch" in section.notes[1]
    assert "saved model" in section.definitions["transfer"]
    assert section.table is not None and section.table["left to draw"][0] == "20%"
    assert scanners_of_seed_curve(data.results) == "saved model base → New"
    (_, figure) = curves(data).figures["seed_curve"]
    assert "<svg" in as_svg(figure)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "5", "10", "40"]
    transfer = axes.containers[0].lines[0].get_xdata()
    at = axes.transData.transform([(x, 0.5) for x in transfer])[:, 0]
    assert np.allclose(np.diff(at), np.diff(at)[0], rtol=0.1), "from 0 to 5 as from 5 to 10"
