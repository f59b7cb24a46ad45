from pathlib import Path

import pytest

import cl_seg
from cl_seg.suite.source import TRAINING_ROOMS, source_hash


def test_every_room_that_is_hashed_exists() -> None:
    for room in TRAINING_ROOMS:
        assert (Path(cl_seg.__file__).parent / room).exists(), room


def test_an_edit_changes_the_hash_and_only_of_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cl_seg, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "loop.py").write_text("a = 1\n")
    (tmp_path / "losses.py").write_text("b = 1\n")
    before = source_hash("training"), source_hash("losses.py")
    (tmp_path / "training" / "loop.py").write_text("a = 2\n")
    after = source_hash("training"), source_hash("losses.py")
    assert before[0] != after[0] and before[1] == after[1]
    (tmp_path / "training" / "notes.txt").write_text("not source")
    assert source_hash("training") == after[0]
