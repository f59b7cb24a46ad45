"""Training, validation and test parts of a store, by patient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cl_seg.files import InputError

PARTS = ("train", "validation", "test")
BLOCK = 10  # slices of a case that are cut into the three parts together


@dataclass(frozen=True)
class Fractions:
    """Share of patients (or of each case's slices) per part; the rest is for training."""

    test: float
    validation: float


def usable_slices(slices: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Slices labelled for every class of the task; on the others background would be a lie."""
    wanted = set(classes)
    keep = [wanted <= set(str(labelled).split(",")) for labelled in slices["labelled"]]
    return slices[np.array(keep, dtype=bool)]


def split_by_patient(slices: pd.DataFrame, fractions: Fractions, seed: int) -> pd.DataFrame:
    """Add a column ``part``; a patient is in one part only, on whatever scanners.

    Patients seen by most scanners are drawn for the test part first, so that scanners are compared
    on the same bodies where the data allow it. Every scanner gets at least one test, one
    validation (from three patients on) and one training patient.

    Args:
        slices: rows with columns ``patient`` and ``scanner``.
        fractions: share of each scanner's patients for test and validation, rounded.
        seed: of the draw.

    Raises:
        InputError: a scanner has a single patient.
    """
    scanners_of = {str(p): frozenset(s) for p, s in slices.groupby("patient")["scanner"]}
    patients = pd.Series(sorted(scanners_of))
    patients = patients.sample(frac=1, random_state=np.random.default_rng(seed))
    ranked = sorted(patients, key=lambda p: -len(scanners_of[p]))
    part = dict.fromkeys(ranked, "train")
    for scanner in pd.unique(slices["scanner"]):
        own = [p for p in ranked if scanner in scanners_of[p]]
        if len(own) < 2:
            raise InputError(
                f"scanner {scanner} has {len(own)} patient labelled for this task: a split by "
                "patient needs two or more. Add patients, leave the scanner out of `orders`, or "
                "say `split: {by: within_case}` and get no generalisation result"
            )
        n_test = max(1, round(fractions.test * len(own)))
        n_validation = max(1, round(fractions.validation * len(own))) if len(own) > 2 else 0
        for name, wanted in (("test", n_test), ("validation", n_validation)):
            missing = wanted - sum(part[p] == name for p in own)
            free = [p for p in own if part[p] == "train"]
            for patient in free[: max(0, min(missing, len(free) - 1))]:
                part[patient] = name
    return slices.assign(part=slices["patient"].map(part))


def split_within_case(slices: pd.DataFrame, fractions: Fractions) -> pd.DataFrame:
    """Add a column ``part`` by cutting every case along z.

    Every ten slices or so give a training, a validation and a test block, so that each part sees
    the whole length of the body. Neighbouring slices of one patient are on both sides of a cut:
    scores are optimistic and no generalisation result.

    Raises:
        InputError: a case has fewer than three slices.
    """
    parts = pd.Series("train", index=slices.index)
    for case, group in slices.groupby("case", sort=False):
        if len(group) < 3:
            raise InputError(f"case {case} has {len(group)} labelled slices: a split needs three")
        along_z = group.sort_values("z_mm").index.to_numpy()
        for block in np.array_split(along_z, max(1, len(group) // BLOCK)):
            count = len(block)
            n_test = min(max(1, round(fractions.test * count)), count - 2)
            n_validation = min(max(1, round(fractions.validation * count)), count - n_test - 1)
            names = np.repeat(PARTS, [count - n_test - n_validation, n_validation, n_test])
            parts[block] = names
    return slices.assign(part=parts)
