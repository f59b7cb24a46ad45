from pathlib import Path

import pytest

from .command import CommandLine


@pytest.fixture
def cl_seg(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """``cl-seg`` in this process, in an empty folder."""
    return CommandLine(tmp_path, capsys, monkeypatch)
