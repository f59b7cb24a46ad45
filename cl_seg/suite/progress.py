"""Progress of a stage, written beside its checkpoint for those who watch."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cl_seg.files.json_file import read_json
from cl_seg.metrics.segmentation import dice_of_counts

PROGRESS = "progress.json"
FIELDS = {"step", "steps", "seconds_per_step", "dice"}


def write_progress(
    folder: Path, step: int, steps: int, seconds_per_step: float, curve: list[dict[str, Any]]
) -> None:
    """Note optimiser steps and, where there is a curve, the mean Dice of its latest point."""
    latest = [row for row in curve if row["step"] == curve[-1]["step"]]
    scores = [dice_of_counts(row["overlap"], row["predicted"], row["true"]) for row in latest]
    dice = float(np.nanmean(scores)) if np.isfinite(scores).any() else None
    # Not synced to the disk: losing it costs nothing, and it is written every second.
    temporary = folder / f".{PROGRESS}"
    noted = {"step": step, "steps": steps, "seconds_per_step": seconds_per_step, "dice": dice}
    temporary.write_text(json.dumps(noted), encoding="utf-8")
    temporary.replace(folder / PROGRESS)


def read_progress(folder: Path) -> dict[str, Any]:
    """The latest note, empty when there is none."""
    try:
        noted = dict(read_json(folder / PROGRESS))
        return noted if noted.keys() == FIELDS else {}
    except (OSError, ValueError, TypeError):
        return {}
