"""Miniatures of public sets and the printed ingest command, run as it stands."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cl_seg.datasets.dataset import DatasetOptions
from cl_seg.datasets.write import WrittenManifest, write_dataset
from cl_seg.scans.store import SliceStore

from ..scans.conftest import SIZE, SPACING, volume

SLICES = 6
PLAIN = DatasetOptions()


def ct() -> np.ndarray:
    """(SLICES, SIZE, SIZE) int16 HU."""
    return volume(SLICES)


def organ(slices=range(SLICES)) -> np.ndarray:
    """(SLICES, SIZE, SIZE) mask of the liver-like blob on some slices."""
    mask = ct() == 110
    mask[[i for i in range(SLICES) if i not in slices]] = False
    return mask


def bone() -> np.ndarray:
    """(SLICES, SIZE, SIZE) mask of the bone-like blob."""
    return ct() == 700


def invoke(*words: object) -> str:
    """What ``cl-seg`` prints."""
    from cl_seg.cli import app

    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "400"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def ingested(written: WrittenManifest) -> SliceStore:
    """The store the printed command makes, on the pixels of the miniatures."""
    program, *words = shlex.split(written.command)
    assert program == "cl-seg" and words[:2] == ["ingest", str(written.manifest)]
    invoke(*words, "--size", SIZE, "--spacing-mm", SPACING)
    return SliceStore(Path(words[2]))


def reasons(written: WrittenManifest) -> dict[str, list[str]]:
    """Reason → what was left out for it, as paths below the folder of the set."""
    found: dict[str, list[str]] = {}
    for item in written.left_out:
        found.setdefault(item.reason, []).append("/".join(item.path.parts[-2:]))
    return found


@pytest.fixture
def write(tmp_path):
    """Turn a set into ``tmp_path/out``; nothing may be left when that fails."""

    def call(name, folder, options=PLAIN):
        try:
            return write_dataset(name, folder, tmp_path / "out", options)
        except BaseException:
            assert not list(tmp_path.glob("*out*")) and not list(tmp_path.glob(".*"))
            raise

    return call
