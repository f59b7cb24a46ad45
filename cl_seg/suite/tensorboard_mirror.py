"""Mirrors finished runs to TensorBoard, where a folder for it is named.

A mirror, never the record: nothing is read back, and a failure here costs a warning only.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cl_seg.messages.errors import one_line
from cl_seg.records.load import load_run
from cl_seg.suite.mirrored_numbers import STEP, curve_of, scores_of

FOLDER = "CL_SEG_TENSORBOARD"
"""Environment variable with the folder for event files; without it there is no mirror."""


class TensorBoardMirror:
    """Mirrors the finished runs of suites: scores and validation curves.

    Args:
        log: prints a warning.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self.folder, self.log = os.environ.get(FOLDER, ""), log

    def add(self, run_folder: Path, group: str) -> None:
        """Mirror one finished run.

        Args:
            run_folder: folder with the run's record.
            group: name of the suite.
        """
        if not self.folder:
            return
        try:
            _write(run_folder, Path(self.folder, group, run_folder.name))
        except Exception as error:
            reason = f"{type(error).__name__}: {one_line(error)[:200]}"
            self.log(f"TensorBoard: {run_folder.name} is not mirrored ({reason})")


def _write(run_folder: Path, folder: Path) -> None:
    from tensorboard.summary import Writer  # noqa: PLC0415 - slow, and only needed here

    result = load_run(run_folder)
    rows = curve_of(result)
    writer = Writer(str(folder))
    for row in rows:
        for name in row.keys() - {STEP}:
            writer.add_scalar(name, row[name], int(row[STEP]))
    last = sum(stage.steps for stage in result.record.stages)
    for name, value in scores_of(result).items():
        writer.add_scalar(name, value, last)
    writer.close()
