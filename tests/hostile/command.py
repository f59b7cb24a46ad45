"""``cl-seg`` in this process, and what must be true of everything it refuses."""

import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cl_seg.cli import main

GRID = ["--size", "40", "--spacing-mm", "8"]


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """The lines that say what is wrong."""
        return [line for line in self.err.splitlines() if line.startswith("cl-seg: ")]


class CommandLine:
    """Runs commands in a folder.

    Args:
        folder: current one.
        capture: of what is printed.
        monkeypatch: undone by the test.
    """

    def __init__(
        self, folder: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self.capture, self.monkeypatch = folder, capture, monkeypatch
        monkeypatch.chdir(folder)
        monkeypatch.setenv("WANDB_MODE", "disabled")
        monkeypatch.delenv("CL_SEG_SALT", raising=False)

    def __call__(self, *arguments: object) -> Said:
        """Run ``cl-seg`` with some arguments."""
        self.monkeypatch.setattr(sys, "argv", ["cl-seg", *map(str, arguments)])
        terminate = signal.getsignal(signal.SIGTERM)
        self.capture.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            signal.signal(signal.SIGTERM, terminate)
        return Said(code, *self.capture.readouterr())

    def refuses(self, says: str, *arguments: object) -> str:
        """Run what must end in one line that matches ``says``, and leave everything as it was."""
        before = contents(self.folder)
        said = self(*arguments)
        assert said.code == 2, (said.code, said.out, said.err)
        (line,) = said.complaints
        assert re.search(says, line), line
        assert "Traceback" not in said.err + said.out
        assert line.isprintable(), line
        assert contents(self.folder) == before, "nothing is left behind"
        return line

    def takes(self, *arguments: object) -> str:
        """Run what must succeed; returns what was printed."""
        said = self(*arguments)
        assert said.code == 0, said.err
        assert "Traceback" not in said.err + said.out
        return said.out


def contents(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every file and folder below one, with size and time of what is no folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        found[path] = (0, 0) if path.is_dir() else (stat.st_size, stat.st_mtime_ns)
    return found
