"""Packed results tell the same as the folders they were made of, and can be gone on from."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table
from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_results
from cl_seg.records.packed import pack_results, unpack_results
from cl_seg.suite.write_record import is_finished
from tests.analysis.report.test_write import summary_of
from tests.records.factory import NAIVE, write_run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    write_run(folder, "Naive", NAIVE)
    write_run(folder, "Lazy", [[0.1, 0.2], [0.5, 0.4], [0.5, 0.4]])
    write_run(folder, "Joint", [[0.1, 0.2], [0.9, 0.9]])
    return folder


def test_packed_results_tell_the_same_without_pictures(results: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    assert pack_results(results, packed) == 3
    kept = {path.name for path in packed.iterdir()}
    assert kept == {"runs.jsonl", "cases.parquet", "curve.parquet"}
    pd.testing.assert_frame_equal(summary_of(packed), summary_of(results))
    for ours, theirs in zip(load_results(packed), load_results(results), strict=True):
        pd.testing.assert_frame_equal(ours.cases, theirs.cases)
        pd.testing.assert_frame_equal(ours.curve, theirs.curve)
    page = write_report(packed).read_text()
    assert page.count("<figure>") == write_report(results).read_text().count("<figure>") - 2
    with pytest.raises(InputError, match="exists already"):
        pack_results(results, packed)


def test_results_without_validation_curves_can_be_packed(tmp_path: Path) -> None:
    training = {"steps": 5, "batch_size": 2, "threads": 1, "curve_every": 0}
    results = tmp_path / "results"
    write_run(results, "Naive", spec={"training": training})
    empty = pd.read_parquet(results / "runs/Naive/curve.parquet").iloc[:0]
    empty.to_parquet(results / "runs/Naive/curve.parquet")
    pack_results(results, tmp_path / "packed")
    pd.testing.assert_frame_equal(summary_of(tmp_path / "packed"), summary_of(results))
    assert "validation" not in write_report(tmp_path / "packed").read_text()


@pytest.mark.parametrize("without", [["Naive"], ["Naive", "Lazy", "Joint"]])
def test_runs_without_validation_slices_can_be_packed_and_unpacked(
    results: Path, tmp_path: Path, without: list[str]
) -> None:
    for name in without:
        path = results / "runs" / name / "curve.parquet"
        pd.read_parquet(path).iloc[:0].to_parquet(path)
    pack_results(results, tmp_path / "packed")
    unpack_results(tmp_path / "packed", tmp_path / "again")
    for folder in ("packed", "again"):
        pd.testing.assert_frame_equal(summary_of(tmp_path / folder), summary_of(results))
        write_report(tmp_path / folder)


def test_runs_that_are_missing_stay_named(results: Path, tmp_path: Path) -> None:
    plan = {"Naive": "naive", "EWC": "ewc", "Joint": "joint"}
    (results / "plan.json").write_text(json.dumps(plan))
    assert pack_results(results, tmp_path / "packed") == 2
    unpack_results(tmp_path / "packed", tmp_path / "again")
    for folder in ("packed", "again"):
        assert "1 of 3 runs are missing: EWC." in write_report(tmp_path / folder).read_text()


def test_damaged_packed_results_are_named(results: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    pack_results(results, packed)
    cases = pd.read_parquet(packed / "cases.parquet")
    cases[cases["run"] != "Naive"].to_parquet(packed / "cases.parquet")
    with pytest.raises(InputError, match=r"cases\.parquet lacks"):
        run_table(load_results(packed))
    (packed / "runs.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"runs\.jsonl is damaged"):
        load_results(packed)


def test_unpacked_results_are_finished_runs_that_tell_the_same(
    results: Path, tmp_path: Path
) -> None:
    (results / "tools").mkdir()
    (results / "tools" / "cases.parquet").write_bytes(b"scores")
    pack_results(results, tmp_path / "packed")
    again = tmp_path / "again"
    assert unpack_results(tmp_path / "packed", again) == 3
    pd.testing.assert_frame_equal(summary_of(again), summary_of(results))
    assert all(is_finished(again / "runs" / name, name.lower()) for name in ("Naive", "Joint"))
    assert not is_finished(again / "runs" / "Naive", "another")
    assert (again / "tools" / "cases.parquet").read_bytes() == b"scores"
    with pytest.raises(InputError, match="exists already"):
        unpack_results(tmp_path / "packed", again)


def test_pictures_are_shown_of_the_runs_that_have_them(results: Path, tmp_path: Path) -> None:
    (results / "runs" / "Naive" / "examples.npz").unlink()
    write_run(results, "Other", NAIVE, model="UNet", strategy="Naive")
    page = write_report(results).read_text()
    assert "UNet, Naive: the test slices" in page and "VNet, Naive: the test slices" not in page


@pytest.mark.parametrize("name", ["../outside", "/outside", "..", "a/b"])
def test_runs_are_not_unpacked_outside_their_folder(
    results: Path, tmp_path: Path, name: str
) -> None:
    packed = tmp_path / "packed"
    pack_results(results, packed)
    first, *others = map(json.loads, (packed / "runs.jsonl").read_text().splitlines())
    renamed = [{**first, "run_id": name}, *others]
    (packed / "runs.jsonl").write_text("".join(json.dumps(record) + "\n" for record in renamed))
    with pytest.raises(InputError, match="no name of a folder"):
        unpack_results(packed, tmp_path / "again")
    assert not (tmp_path / "again").exists()
