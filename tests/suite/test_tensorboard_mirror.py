"""The mirror to TensorBoard: off unless a folder is named, and never in the way."""

from pathlib import Path

import pytest

from cl_seg.suite.tensorboard_mirror import FOLDER, TensorBoardMirror

from .test_wandb_mirror import write_run


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    said: list[str] = []
    TensorBoardMirror(said.append).add(tmp_path / "runs" / "missing", "suite")
    assert not said and not list(tmp_path.iterdir())


def test_curves_and_scores_of_a_run_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv(FOLDER, str(tmp_path / "board"))
    said: list[str] = []
    TensorBoardMirror(said.append).add(write_run(tmp_path, "run0"), "suite")
    assert not said
    found = EventAccumulator(str(tmp_path / "board" / "suite" / "run0"))
    found.Reload()
    names = {name for names in found.Tags().values() if isinstance(names, list) for name in names}
    assert {"dice/a/liver", "ACC", "plasticity"} <= names


def test_what_cannot_be_mirrored_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "board"))
    said: list[str] = []
    TensorBoardMirror(said.append).add(tmp_path / "runs" / "missing", "suite")
    assert len(said) == 1 and "missing is not mirrored" in said[0]
