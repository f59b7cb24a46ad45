"""Runs of an update suite that were never trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.records.results import RunResult
from tests.records.factory import run_result

OLD, HELD_OUT, NEW = "a", "b", "c"
CLASSES = ("muscle", "liver")
TRUE_CM2 = 100.0
Changes = Mapping[tuple[str, str], Any]
"""Scanner and class → change of Dice, of every patient or of all."""


def update_run(
    changes: Changes, patients: int = 14, area: Changes | None = None, seed: int = 0, **other: Any
) -> RunResult:
    """A run whose Dice is 0.8 before, and changes as told; and 0 where nothing is told.

    Args:
        changes: of Dice.
        patients: test patients, each on every scanner.
        area: likewise of the area error, which is 5 % before.
        seed: random seed.
        **other: ``strategy``, ``budget``, and other fields of the record.
    """
    budget = other.pop("budget", 20)
    cases = _cases(changes, area or {}, patients)
    update = {"new": NEW, "old": [OLD], "held_out": [HELD_OUT], "budget": budget}
    update |= {"margins": {"dice": 0.01, "area": 0.02}, "parent": "f" * 64}
    strategy = other.setdefault("strategy", "EWC")
    run_id = f"{strategy}-{budget}-{seed}"
    spec = {"order": [OLD, HELD_OUT, NEW], "classes": list(CLASSES), "seed": seed, "update": update}
    dice = [[0.1] * 3, [0.8] * 3, [0.8] * 3]
    return run_result(dice, cases, spec=spec, schedule="update", run_id=run_id, **other)


def candidate_runs(
    changes: Changes,
    spread: float = 0.005,
    seeds: Sequence[int] = (0, 1, 2),
    patients: int = 14,
    **other: Any,
) -> list[RunResult]:
    """Runs of one candidate whose patients and seeds vary around the changes told."""
    random = np.random.default_rng(0)
    of_patient = spread * random.normal(size=patients)
    of_patient -= of_patient.mean()
    offsets = np.linspace(-0.2, 0.2, len(seeds)) * spread
    return [
        update_run(
            {
                (scanner, name): changes.get((scanner, name), 0.0) + of_patient + offset
                for scanner in (OLD, HELD_OUT, NEW)
                for name in CLASSES
            },
            patients,
            seed=seed,
            **other,
        )
        for seed, offset in zip(seeds, offsets, strict=True)
    ]


def _cases(changes: Changes, area: Changes, patients: int) -> pd.DataFrame:
    rows = []
    for scanner in (OLD, HELD_OUT, NEW):
        for name in CLASSES:
            dice = np.broadcast_to(changes.get((scanner, name), 0.0), patients)
            error = np.broadcast_to(area.get((scanner, name), 0.0), patients)
            for stage, part in ((0, 0.0), (1, 0.0), (2, 1.0)):
                percent = -(5 + part * error)
                rows.append(
                    pd.DataFrame(
                        {
                            "stage": stage,
                            "scanner": scanner,
                            "patient": [f"p{number:03}" for number in range(patients)],
                            "class": name,
                            "true": 100,
                            "dice": 0.8 + part * dice,
                            "true_cm2": TRUE_CM2,
                            "area_error_percent": percent,
                            "area_error_cm2": percent * TRUE_CM2 / 100,
                        }
                    )
                )
    cases = pd.concat(rows, ignore_index=True)
    return cases.assign(case=cases["patient"] + "@" + cases["scanner"])
