import json
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.suite.tracking import _curve, _rows, mirror


def test_the_curve_counts_steps_over_the_whole_stream(tmp_path: Path) -> None:
    points = [
        {"stage": stage, "step": step, "scanner": "a", "class": "liver", "dice": stage + step}
        for stage in (1, 2, 3)
        for step in (5, 10)
    ]
    pd.DataFrame(points).to_parquet(tmp_path / "curve.parquet")
    record = {"stages": [{"steps": 10}, {"steps": 10}, {"steps": 10}]}
    rows = _curve(tmp_path, record)
    assert [row["optimiser_step"] for row in rows] == [5, 10, 15, 20, 25, 30]
    assert [row["dice/a/liver"] for row in rows] == [6, 11, 7, 12, 8, 13]


def test_rows_of_r_are_named_by_stage() -> None:
    assert _rows([[0.1, None], [0.2, 0.3]]) == [["untrained", 0.1, None], ["after 1", 0.2, 0.3]]


def test_a_mirror_that_breaks_costs_a_warning_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    said: list[str] = []
    mirror(tmp_path / "runs" / "missing", "suite", said.append)
    assert len(said) == 1 and "missing is not mirrored" in said[0]


def test_disabled_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    said: list[str] = []
    mirror(tmp_path, "suite", said.append)
    assert not said and not list(tmp_path.iterdir())


def test_offline_mirrors_into_a_folder_beside_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    record = {
        "run_id": "one",
        "key": "0123456789abcdef" * 4,
        "spec": {"order": ["a"]},
        "stages": [{"steps": 5}],
        "R": {"mean": [[0.1], [0.9]], "liver": [[None], [0.9]]},
        **{"model": "UNet", "strategy": "Naive", "joint": False, "scanner_names": {"a": "A"}},
    }
    (folder / "run.json").write_text(json.dumps(record))
    point = {"stage": 1, "step": 5, "scanner": "a", "class": "liver", "dice": 0.9}
    pd.DataFrame([point]).to_parquet(folder / "curve.parquet")
    said: list[str] = []
    mirror(folder, "suite", said.append)
    assert not said
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    pictures = list((tmp_path / "wandb").rglob("*.png"))
    assert len(pictures) == 2, "heat maps of a class and of the mean"
