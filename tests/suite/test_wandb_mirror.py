import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.suite.mirrored_numbers import curve_of, scores_of
from cl_seg.suite.wandb_mirror import WandbMirror, _rows
from tests.records.factory import NAIVE, run_result, write_record


def test_the_curve_counts_steps_over_the_whole_stream() -> None:
    points = [
        {"stage": stage, "step": step, "scanner": "a", "class": "liver", "dice": stage + step}
        for stage in (1, 2, 3)
        for step in (5, 10)
    ]
    stages = [{"steps": 10, "train_seconds": 1.0}] * 3
    rows = curve_of(run_result(NAIVE, None, pd.DataFrame(points), stages=stages))
    assert [row["optimiser_step"] for row in rows] == [5, 10, 15, 20, 25, 30]
    assert [row["dice/a/liver"] for row in rows] == [6, 11, 7, 12, 8, 13]


def test_scores_are_those_that_are_defined() -> None:
    two = [[0.1, 0.1], [0.9, 0.2], [0.7, 0.8]]
    scores = scores_of(run_result(two, None))
    assert {name: round(scores[name], 3) for name in ("ACC", "BWT", "plasticity")} == {
        **{"ACC": 0.75, "BWT": -0.2, "plasticity": 0.85}
    }
    assert "BWT" not in scores_of(run_result([[0.1], [0.9]], None)), "there is one scanner"


def test_rows_of_r_are_named_by_stage() -> None:
    assert _rows(((0.1, None), (0.2, 0.3))) == [["untrained", 0.1, None], ["after 1", 0.2, 0.3]]


def write_run(results: Path, name: str) -> Path:
    folder = results / "runs" / name
    point = {"stage": 1, "step": 5, "scanner": "a", "class": "liver", "dice": 0.9}
    r = {"mean": [[0.1], [0.9]], "liver": [[np.nan], [0.9]]}
    run = run_result(r["mean"], None, pd.DataFrame([point]), R=r, run_id=name, key=name * 4)
    write_record(folder, run)
    return folder


def unanswered(answers: bool) -> socket.socket:
    """A port of this machine that refuses, or that takes a connection and never says a word."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    if answers:
        held.listen()
    return held


def test_a_mirror_that_breaks_costs_a_warning_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    said: list[str] = []
    WandbMirror(said.append).add(tmp_path / "runs" / "missing", "suite")
    assert len(said) == 1 and "missing is not mirrored" in said[0]


@pytest.mark.parametrize(
    "environment",
    [
        {"WANDB_MODE": "disabled"},
        {"WANDB_MODE": "online", "WANDB_DISABLED": "true"},
        {"WANDB_MODE": "", "WANDB_DISABLED": "1"},
        {"WANDB_MODE": "", "WANDB_PROJECT": ""},
    ],
)
def test_disabled_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    WandbMirror(said.append).add(write_run(tmp_path, "0123456789abcdef"), "suite")
    assert not said and [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize("mode", ["offline", "", "dryrun"])
def test_offline_mirrors_into_a_folder_beside_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setenv("WANDB_PROJECT", "of-mine")
    said: list[str] = []
    WandbMirror(said.append).add(write_run(tmp_path, "0123456789abcdef"), "suite")
    assert not said
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    pictures = list((tmp_path / "wandb").rglob("*.png"))
    assert len(pictures) == 2, "heat maps of a class and of the mean"
    (written,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    until = time.monotonic() + 30  # wandb's own process writes the file
    while b"plasticity" not in written.read_bytes() and time.monotonic() < until:
        time.sleep(0.1)
    assert b"of-mine" in written.read_bytes() and b"plasticity" in written.read_bytes()


@pytest.mark.parametrize("answers", [False, True])
@pytest.mark.parametrize("key", ["", "a" * 40])
def test_a_server_that_does_not_answer_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool, key: str
) -> None:
    monkeypatch.setattr("cl_seg.suite.wandb_mirror.ANSWER_SECONDS", 1.0)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", key)
    said: list[str] = []
    with unanswered(answers) as server:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        mirror = WandbMirror(said.append)
        started = time.monotonic()
        for number in range(3):
            mirror.add(write_run(tmp_path, f"{number}123456789abcdef"), "suite")
        assert time.monotonic() - started < 12
    assert len(said) == 1 and "is not uploaded" in said[0] and "wandb sync" in said[0]
    assert len(list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))) == 3
