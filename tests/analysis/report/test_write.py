"""Tables and report from records written by hand, with R chosen so that every score is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import (
    NOT_EVALUABLE,
    difference_table,
    run_table,
    runs_by_configuration,
    shown_costs,
    shown_table,
    summary_table,
)
from cl_seg.analysis.unlearned import describe_unlearned
from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_results
from tests.records.factory import NAIVE, write_run


def summary_of(results: Path) -> pd.DataFrame:
    loaded = load_results(results)
    return summary_table(run_table(loaded), loaded)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_run(tmp_path, "Naive", NAIVE)
    write_run(tmp_path, "Lazy", [[0.1, 0.2], [0.5, 0.4], [0.5, 0.4]])
    write_run(tmp_path, "Joint", [[0.1, 0.2], [0.9, 0.9]])
    return tmp_path


def test_scores_are_those_of_the_hand_made_matrix(results: Path) -> None:
    table = run_table(load_results(results)).set_index("strategy")
    naive = table.loc["Naive"]
    assert naive["ACC"] == pytest.approx(0.7)
    assert naive["BWT"] == pytest.approx(-0.3)
    assert naive["FWT"] == pytest.approx(0.3)
    assert naive["forgetting"] == pytest.approx(0.3)
    assert naive["plasticity"] == pytest.approx(0.85)
    assert table.loc["Joint", "ACC"] == pytest.approx(0.9)
    assert np.isnan(table.loc["Joint", "BWT"])


def test_a_network_that_did_not_learn_is_not_evaluable(results: Path) -> None:
    summary = summary_of(results).set_index("strategy")
    assert summary.loc["Lazy", "BWT"] == pytest.approx(0.0), "it forgets nothing, having learned"
    assert summary["verdict"].to_dict() == {"Naive": "", "Lazy": NOT_EVALUABLE, "Joint": ""}


def test_undefined_scores_are_shown_as_dashes(results: Path) -> None:
    shown = shown_table(summary_of(results)).set_index("strategy")
    assert shown.loc["Joint", "BWT"] == "–" and shown.loc["Naive", "BWT"] == "-0.300"


def test_what_a_strategy_gains_over_fine_tuning_is_shown(results: Path) -> None:
    differences = difference_table(load_results(results))
    assert differences["strategy"].tolist() == ["Lazy"], "joint training goes from none to none"
    assert differences["ACC"].tolist() == pytest.approx([(0.5 + 0.4) / 2 - (0.6 + 0.8) / 2])
    assert differences["BWT"].tolist() == pytest.approx([0 - (0.6 - 0.9)])
    write_report(results)
    text = (results / "summary.md").read_text()
    assert "## Gained over fine-tuning" in text and "| VNet | Lazy | -0.250 | +0.300 |" in text
    assert "## Cost of a run" in text and (results / "differences.csv").is_file()


def test_the_report_names_its_data_and_escapes_names(results: Path) -> None:
    page = write_report(results).read_text()
    assert "Simulated data" in page and "hand &lt;made&gt;" in page
    assert page.count("<figure>") == 7
    assert (
        "VNet Lazy is not evaluable: Dice right after learning is below `learned_dice` of the "
        "suite: liver 0.50 on Scanner A (below 0.80; seed 0), liver 0.40 on Scanner B" in page
    )
    assert (results / "summary.md").read_text().startswith("| model | strategy |")


def test_values_that_cannot_be_hu_are_told_on_every_page(results: Path) -> None:
    told = "2 series whose values cannot be HU were taken as they are"
    assert told not in write_report(results).read_text()
    data = {"content": "1" * 64, "kind": "scans", "implausible_hu": 2}
    write_run(results, "Raw", NAIVE, data=data)
    assert told in write_report(results).read_text()


def test_runs_that_did_not_learn_are_told_in_a_line(results: Path) -> None:
    lazy = [[0.1, 0.2], [0.6, 0.9], [0.5, 0.9]]
    write_run(results, "Again", lazy, spec=again(seed=1))
    write_run(results, "Jointly", [[0.1, 0.2], [0.9, 0.7]])
    loaded = [one for one in load_results(results) if one.strategy in {"Lazy", "Again"}]
    assert describe_unlearned(loaded) == (
        "liver 0.50 to 0.60 on Scanner A (below 0.80; seeds 0, 1), "
        "liver 0.40 on Scanner B (below 0.80; seed 0)"
    )
    notes = (write_report(results).parent / "summary.md").read_text()
    assert "VNet Jointly is not evaluable: Dice after its only stage is below" in notes
    assert notes.count("is not evaluable: Dice") == 3


def test_the_verdict_stands_where_no_page_cuts_it_off(results: Path) -> None:
    shown = shown_table(summary_of(results))
    assert list(shown)[:3] == ["model", "strategy", "verdict"]
    learned = summary_of(results).query("strategy != 'Lazy'")
    assert "verdict" not in shown_table(learned)


def test_test_patients_are_counted(results: Path) -> None:
    path = results / "runs" / "Naive" / "cases.parquet"
    cases = pd.read_parquet(path)
    more = cases[cases["scanner"] == "a"].assign(patient="q", case="q@a")
    pd.concat([cases, more]).to_parquet(path)
    page = write_report(results).read_text()
    assert "Test patients: 2 on Scanner A, 1 on Scanner B." in page
    assert "Dice on Scanner B is that of 1 test patient" in page


def test_captions_say_what_is_drawn(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    page = write_report(tmp_path).read_text()
    assert "the shaded part lies before it." in page and "dotted line joint" not in page
    assert "is shown" not in page
    write_run(tmp_path, "Joint", JOINT)
    assert "the dotted line joint training" in write_report(tmp_path).read_text()


def test_without_anything_evaluable_there_is_no_plane(tmp_path: Path) -> None:
    write_run(tmp_path, "Lazy", [[0.1, 0.2], [0.5, 0.4], [0.5, 0.4]])
    page = write_report(tmp_path).read_text()
    assert not (tmp_path / "figures" / "plane.svg").exists()
    assert "every row with both scores is not evaluable" in page


def test_reports_are_reproducible(results: Path) -> None:
    first = write_report(results).read_text()
    assert write_report(results).read_text() == first


def test_every_table_is_there_as_latex_and_every_figure_as_asked_for(results: Path) -> None:
    write_report(results, ["pdf", "png"])
    tex = (results / "tables" / "summary.tex").read_text()
    assert r"\toprule" in tex and "not evaluable" in tex and "-0.300" in tex
    titles = (results / "summary.md").read_text().count("\n## ") + 1
    assert len(list((results / "tables").glob("*.tex"))) == titles
    starts = {"svg": b"<svg", "pdf": b"%PDF", "png": b"\x89PNG"}
    names = {path.stem for path in (results / "figures").glob("*.svg")}
    for kind, start in starts.items():
        files = list((results / "figures").glob(f"*.{kind}"))
        assert {file.stem for file in files} == names
        assert all(file.read_bytes().startswith(start) for file in files)


def test_only_runs_of_the_plan_are_reported_and_missing_ones_named(results: Path) -> None:
    plan = {"Naive": "naive", "Lazy": "of an older suite", "Joint": "joint", "EWC": "ewc"}
    (results / "plan.json").write_text(json.dumps(plan))
    assert [r.strategy for r in load_results(results)] == ["Naive", "Joint"]
    assert "2 of 4 runs are missing: Lazy, EWC." in write_report(results).read_text()


def test_a_suite_that_has_grown_is_reported_whole_and_in_its_order(tmp_path: Path) -> None:
    # Lazy came in front of Naive, whose runs keep the place they were computed at.
    for seed in range(2):
        for strategy, r in (("Naive", NAIVE), ("Lazy", [[0.1, 0.2], [0.5, 0.4], [0.5, 0.4]])):
            where = {"strategy": strategy, "place": [0, 0, 0, seed]}
            write_run(tmp_path, f"{strategy}-{seed}", r, spec=again(seed=seed), **where)
    plan = ["Lazy-0", "Lazy-1", "Naive-0", "Naive-1"]
    (tmp_path / "plan.json").write_text(json.dumps({run: run.lower() for run in plan}))
    assert [run.run_id for run in load_results(tmp_path)] == plan
    (tmp_path / "plan.json").unlink()
    runs = runs_by_configuration(load_results(tmp_path))
    counts = {configuration: len(own) for configuration, own in runs.items()}
    assert counts == {("VNet", "Naive"): 2, ("VNet", "Lazy"): 2}


def test_a_damaged_record_is_named(results: Path) -> None:
    (results / "runs" / "Naive" / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"Naive/run\.json is damaged"):
        write_report(results)


def again(seed: int) -> dict[str, Any]:
    return {"seed": seed, "strategy": {"name": "again"}}


def strategy(**settings: Any) -> dict[str, Any]:
    return {"strategy": {"name": "x", "settings": settings}}


def test_intransigence_is_against_the_cumulative_runs_from_scratch(results: Path) -> None:
    restart = [[0.1, 0.2], [0.92, 0.4], [0.9, 0.94]]
    for name, again in (("Scratch", True), ("Going on", False)):
        write_run(results, name, restart, schedule="cumulative", spec=strategy(restart=again))
    table = run_table(load_results(results)).set_index("strategy")
    expected = ((0.92 - 0.9) + (0.94 - 0.8)) / 2
    assert table.loc["Naive", "intransigence"] == pytest.approx(expected)
    assert table.loc["Scratch", "intransigence"] == table.loc["Going on", "intransigence"] == 0
    assert np.isnan(table.loc["Joint", "intransigence"])


def test_one_network_per_scanner_has_only_plasticity(results: Path) -> None:
    write_run(results, "Single", NAIVE, schedule="single", spec=strategy())
    row = run_table(load_results(results)).set_index("strategy").loc["Single"]
    assert row["plasticity"] == pytest.approx(0.85)
    for score in ("ACC", "BWT", "forgetting", "ACC liver", "stability_gap", "intransigence"):
        assert np.isnan(row[score])
    assert "only plasticity is defined" in write_report(results).read_text()


def test_only_a_structure_that_is_there_can_be_missed(results: Path) -> None:
    path = results / "runs" / "Naive" / "cases.parquet"
    missed = pd.read_parquet(path).assign(missed=True, predicted=0)
    absent = missed.assign(patient="q", true=0, missed=False)
    pd.concat([missed, absent]).to_parquet(path)
    row = run_table(load_results(results)).set_index("strategy").loc["Naive"]
    assert (row["missed_rate"], row["false_positive_rate"]) == (1, 0)


JOINT = [[0.1, 0.2], [0.9, 0.9]]
BACK = {"order": ["b", "a"], "strategy": {"name": "single"}}


@pytest.mark.parametrize(
    "runs",
    [
        {"Joint": (JOINT, {}), "Other": (JOINT, {"model": "UNet"})},
        {"Joint": (JOINT, {}), "Naive": (NAIVE, {"model": "UNet"})},
        {
            "Single": (NAIVE, {"schedule": "single"}),
            "Back": (NAIVE, {"schedule": "single", "spec": BACK}),
        },
    ],
    ids=["joint of two networks", "joint of another network", "from scratch in two orders"],
)
def test_runs_without_what_they_are_compared_with_are_reported(
    runs: dict[str, tuple[list[list[float]], dict[str, Any]]], tmp_path: Path
) -> None:
    for name, (matrix, changes) in runs.items():
        write_run(tmp_path, name, matrix, **changes)
    text = write_report(tmp_path).read_text()
    assert "joint_differences" not in text and "orders" not in {
        file.stem for file in (tmp_path / "figures").iterdir()
    }


def test_stability_gap_is_the_deepest_point_of_the_curve(results: Path) -> None:
    points = [(1, 5, "a", 0.9), (2, 1, "a", 0.7), (2, 3, "a", 0.4), (2, 5, "a", 0.8)]
    rows = [
        {"stage": stage, "step": step, "scanner": scanner, "class": "liver", "dice": dice}
        for stage, step, scanner, dice in [*points, (2, 3, "b", 0.1)]
    ]
    pd.DataFrame(rows).to_parquet(results / "runs" / "Naive" / "curve.parquet")
    table = run_table(load_results(results)).set_index("strategy")
    assert table.loc["Naive", "stability_gap"] == pytest.approx(0.9 - 0.4)
    assert np.isnan(table.loc["Joint", "stability_gap"])


def test_costs_are_summed_and_what_is_kept_is_the_most(results: Path) -> None:
    stage = {"selection": "x", "steps": 5, "train_seconds": 2.0, "test_seconds": 1.0}
    stages = [
        {**stage, "position": 1, "consolidate_seconds": 0.5, "peak_bytes": 300_000_000,
         "kept_slices": 4, "kept_bytes": 2_000_000},
        {**stage, "position": 2, "consolidate_seconds": 0.0, "peak_bytes": 200_000_000,
         "kept_slices": 0, "kept_bytes": 0},
    ]  # fmt: skip
    write_run(results, "Costly", NAIVE, stages=stages)
    row = run_table(load_results(results)).set_index("strategy").loc["Costly"]
    assert (row["steps"], row["train_seconds"], row["consolidate_seconds"]) == (10, 4, 0.5)
    assert (row["peak_mb"], row["kept_slices"], row["kept_mb"]) == (300, 4, 2)
    assert "new_slices" not in row, "older records do not say"


def test_slices_of_a_step_are_those_of_the_last_stage_and_shown_where_known(results: Path) -> None:
    stage = {"selection": "x", "steps": 5, "train_seconds": 2.0, "test_seconds": 1.0}
    stages = [
        {**stage, "position": 1, "new_slices": 8, "replayed_slices": 0},
        {**stage, "position": 2, "new_slices": 6, "replayed_slices": 2},
    ]
    write_run(results, "Rehearsing", NAIVE, stages=stages)
    loaded = load_results(results)
    runs = run_table(loaded)
    row = runs.set_index("strategy").loc["Rehearsing"]
    assert (row["new_slices"], row["replayed_slices"]) == (6, 2)
    costs = shown_costs(summary_table(runs, loaded)).set_index("strategy")
    columns = ["new slices a step", "replayed a step"]
    assert list(costs.loc["Rehearsing", columns]) == ["6", "2"]
    assert list(costs.loc["Naive", columns]) == ["–", "–"]


def test_what_is_just_below_its_bound_is_seen_to_be_below(tmp_path: Path) -> None:
    spec = {"learned_dice": {"liver": 0.75}}
    for name, dice in (("one", 0.7496), ("two", 0.5)):
        write_run(tmp_path, name, [[0.1, 0.2], [dice, 0.5], [0.7, 0.9]], spec=spec)
    told = describe_unlearned(load_results(tmp_path))
    assert "0.5000 to 0.7496" in told and "(below 0.75;" in told
