"""Results whose runs differ in scanners, lengths and damage, and scanners with unusual names."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.curves import order_fans
from cl_seg.analysis.figures.drop_maps import joint_differences
from cl_seg.analysis.ranks import mean_ranks
from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table
from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_packed, load_results
from cl_seg.records.packed import pack_results
from cl_seg.records.tables import PACKED
from tests.records.factory import NAIVE, in_record, write_run

from .report.test_write import summary_of

ABC = [[0.1] * 3, [0.9, 0.5, 0.5], [0.7, 0.9, 0.6], [0.6, 0.8, 0.9]]


def along(*order: str, strategy: str = "naive") -> dict[str, Any]:
    return {"order": list(order), "strategy": {"name": strategy}}


def test_scanners_of_all_runs_are_told_apart(tmp_path: Path) -> None:
    names = {"a": "Definition · B30f", "b": "Revolution · BONE", "c": "Definition · B70f"}
    names["d"] = "Prime · FC18"
    for i, order in enumerate(("abd", "cbd")):
        own = {s: names[s] for s in order}
        write_run(
            *(tmp_path, f"Naive {i}", ABC),
            strategy="Naive", spec=along(*order), scanner_names=own, order_number=i + 1,
        )  # fmt: skip
    write_report(tmp_path)
    text = (tmp_path / "summary.md").read_text()
    assert "1 is Definition · B30f → Revolution · BONE → Prime · FC18" in text
    assert "2 is Definition · B70f → Revolution · BONE → Prime · FC18" in text
    assert all(f"1 on {name}" in text for name in names.values())
    assert {run.short_names["c"] for run in load_results(tmp_path)} == {names["c"]}


def test_a_name_that_begins_with_a_bracket_is_shown_whole(tmp_path: Path) -> None:
    names = {"a": "(old) GE", "b": "Siemens"}
    write_run(tmp_path, "Naive", NAIVE, scanner_names=names)
    (run,) = load_results(tmp_path)
    assert run.short_names == names


def test_orders_of_different_scanners_with_joint_training(tmp_path: Path) -> None:
    for i, order in enumerate(("ab", "ac")):
        of = {"place": [0, i, i, 0]}
        write_run(tmp_path, f"n{i}", NAIVE, strategy="Naive", spec=along(*order), **of)
        joint = [[0.1, 0.2], [0.9, 0.95]]
        spec = along(*order, strategy="joint")
        write_run(tmp_path, f"j{i}", joint, strategy="Joint", spec=spec, **of)
    figure = joint_differences(load_results(tmp_path))
    assert figure is not None
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["30.0", "15.0", "15.0"]
    assert write_report(tmp_path).is_file()


def test_orders_of_different_length(tmp_path: Path) -> None:
    write_run(tmp_path, "n0", NAIVE, strategy="Naive", spec=along("a", "b"))
    write_run(tmp_path, "n1", ABC, strategy="Naive", spec=along("a", "b", "c"), place=[0, 0, 1, 0])
    figure = order_fans(load_results(tmp_path))
    assert figure is not None
    (axes,) = figure.axes
    assert axes.lines[-1].get_ydata() == pytest.approx([0.9, (0.7 + 0.8) / 2, 2.3 / 3])
    assert "on a grey line" not in write_report(tmp_path).read_text()


def test_a_score_that_a_run_lacks_is_not_that_of_the_others(tmp_path: Path) -> None:
    for i, order in enumerate(("ab", "ac")):
        spec = along(*order)
        write_run(tmp_path, f"n{i}", NAIVE, strategy="Naive", spec=spec, place=[0, 0, i, 0])
    path = tmp_path / "runs" / "n1"
    unknown = [[row[0], None] for row in NAIVE]
    in_record(path, "R", value={"mean": unknown, "liver": unknown})
    row = summary_of(tmp_path).iloc[0]
    assert np.isnan(row["ACC"]) and np.isnan(row["ACC liver"]) and np.isnan(row["plasticity"])
    assert row["missed_rate"] == 0


def test_a_network_per_scanner_misses_what_its_own_misses(tmp_path: Path) -> None:
    write_run(tmp_path, "Single", NAIVE, schedule="single", spec=along("a", "b"))
    path = tmp_path / "runs" / "Single" / "cases.parquet"
    table = pd.read_parquet(path)
    elsewhere = (table["stage"] == 2) & (table["scanner"] == "a")
    table.assign(missed=elsewhere).to_parquet(path)
    assert run_table(load_results(tmp_path))["missed_rate"].tolist() == [0]


def test_what_an_earlier_report_wrote_of_other_runs_is_gone(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    write_run(tmp_path, "Other", NAIVE, model="UNet", strategy="Naive")
    write_report(tmp_path, extra_formats=("png",))
    mine = [tmp_path / "figures" / "mine.svg", tmp_path / "tables" / "mine.tex"]
    for path in mine:
        path.write_text("of somebody")
    assert (tmp_path / "tests.csv").is_file() and (tmp_path / "figures" / "ranks.png").is_file()
    for file in (tmp_path / "runs" / "Other").iterdir():
        file.unlink()
    write_report(tmp_path)
    assert not (tmp_path / "tests.csv").exists()
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".svg"}
    assert all(path.is_file() for path in mine)
    assert not list((tmp_path / "figures").glob("ranks.*"))
    assert not list((tmp_path / "tables").glob("networks_compared*"))


def test_every_table_says_that_it_is_no_generalisation_result(tmp_path: Path) -> None:
    for model in ("UNet", "VNet"):
        spec = {"split": {"by": "within_case"}}
        write_run(tmp_path, model, NAIVE, model=model, strategy="Naive", spec=spec)
    write_report(tmp_path)
    written = [*tmp_path.glob("*.csv"), *tmp_path.glob("tables/*.tex"), tmp_path / "summary.md"]
    assert len(written) > 5
    for path in written:
        assert "not a generalisation result" in path.read_text(), path


@pytest.mark.parametrize("field", ["split", "strategy", "training", "image", "model"])
def test_a_record_without_a_part_of_its_spec_is_damaged(tmp_path: Path, field: str) -> None:
    folder = write_run(tmp_path, "Naive")
    spec = json.loads((folder / "run.json").read_text())["spec"]
    in_record(folder, "spec", value={k: v for k, v in spec.items() if k != field})
    with pytest.raises(InputError, match=rf"damaged \(spec\.{field}"):
        load_results(tmp_path)


def test_a_matrix_without_a_row_is_damaged(tmp_path: Path) -> None:
    in_record(write_run(tmp_path, "Naive"), "R", "liver", value=NAIVE[:2])
    with pytest.raises(InputError, match="R does not have 3 rows"):
        load_results(tmp_path)


def test_packed_results_without_a_run_are_damaged(tmp_path: Path) -> None:
    (tmp_path / PACKED).write_text("")
    with pytest.raises(InputError, match="it is empty"):
        load_packed(tmp_path / PACKED)


def test_a_run_that_is_packed_twice_is_damage(tmp_path: Path) -> None:
    write_run(tmp_path / "results", "Naive", NAIVE)
    pack_results(tmp_path / "results", tmp_path / "packed")
    path = tmp_path / "packed" / PACKED
    path.write_text(path.read_text() * 2)
    with pytest.raises(InputError, match="the run Naive is there 2 times"):
        load_results(tmp_path / "packed")


def test_what_is_not_packed_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no packed results"):
        load_packed(tmp_path / PACKED)


def test_a_score_that_is_no_number_is_damage(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    path = tmp_path / "runs" / "Naive" / "cases.parquet"
    pd.read_parquet(path).astype({"dice": str}).to_parquet(path)
    with pytest.raises(InputError, match="the column dice holds no numbers"):
        write_report(tmp_path)


def test_a_report_that_is_stopped_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    write_report(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def stopped(_: object) -> str:
        raise KeyboardInterrupt

    write_run(tmp_path, "Other", NAIVE, strategy="Other")
    monkeypatch.setattr("cl_seg.analysis.report.write.html", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path)
    assert before.items() <= {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}.items()


def test_one_patient_leaves_no_interval_of_a_rank() -> None:
    units = pd.MultiIndex.from_tuples([("a", "liver"), ("b", "liver")])
    rows = pd.MultiIndex.from_tuples([("first", "p")], names=["run", "patient"])
    table = {m: pd.DataFrame([[d, d]], rows, units) for m, d in (("A", 0.5), ("B", 0.6))}
    ranks = mean_ranks({(model, "Naive"): one for model, one in table.items()}, "Naive")
    assert ranks["rank"].tolist() == [2, 1]
    assert ranks[["low", "high"]].isna().all(axis=None)


def test_of_two_networks_no_critical_difference_is_told(tmp_path: Path) -> None:
    for i, model in enumerate("AB"):
        write_run(tmp_path, model, NAIVE, model=model, strategy="Naive", place=[i, 0, 0, 0])
    assert "critical difference" not in write_report(tmp_path).read_text()
    write_run(tmp_path, "C", NAIVE, model="C", strategy="Naive", place=[2, 0, 0, 0])
    assert "critical difference" in write_report(tmp_path).read_text()


def test_areas_are_of_the_first_strategy_that_has_any(tmp_path: Path) -> None:
    for strategy, schedule in (("Single", "single"), ("Naive", "sequential")):
        write_run(tmp_path, strategy, NAIVE, schedule=schedule)
        path = tmp_path / "runs" / strategy / "cases.parquet"
        areas = {"true_cm2": 10.0, "area_error_cm2": 1.0}
        pd.read_parquet(path).assign(**areas).to_parquet(path)
    write_report(tmp_path)
    text = (tmp_path / "summary.md").read_text()
    assert "nan" not in text
    assert "| VNet | Naive | Scanner A | 10.0 | 10.0 | +1.0 | – | – |" in text
