"""Training, validation and test parts of a store, by patient."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted

SPLIT_PARTS = ("train", "validation", "test")
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


def partly_usable_slices(slices: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Slices labelled for some class of the task, whose background may be one of the others."""
    wanted = set(classes)
    keep = [bool(wanted & set(str(labelled).split(","))) for labelled in slices["labelled"]]
    return slices[np.array(keep, dtype=bool)]


def split_by_patient(slices: pd.DataFrame, fractions: Fractions, seed: int) -> pd.DataFrame:
    """Add a column ``part``; a patient is in one part only, on whatever scanners.

    Patients seen by most scanners are drawn for the test part first, so that scanners are compared
    on the same bodies where the data allow it. Every scanner with two patients keeps one for
    training; with three it also gets a validation patient. See :func:`check_parts`.

    Args:
        slices: rows with columns ``patient`` and ``scanner``.
        fractions: fraction of each scanner's patients for test and validation, rounded.
        seed: of the draw.
    """
    scanners_of = _scanners_of(slices)
    patients = pd.Series(sorted(scanners_of))
    patients = patients.sample(frac=1, random_state=np.random.default_rng(seed))
    ranked = sorted(patients, key=lambda p: -len(scanners_of[p]))
    part = dict.fromkeys(ranked, "train")
    patients_by_scanner = {
        s: [p for p in ranked if s in scanners_of[p]] for s in pd.unique(slices["scanner"])
    }
    for name, fraction in (("test", fractions.test), ("validation", fractions.validation)):
        _draw_part(name, fraction, part, scanners_of, patients_by_scanner)
    return slices.assign(part=slices["patient"].map(part))


def split_with_shared_test(slices: pd.DataFrame, validation: float, seed: int) -> pd.DataFrame:
    """Add a column ``part``: patients seen on every scanner test, others train or validate.

    Who validates depends on the seed and the patients of a scanner alone: a store that is made
    again with more scanners keeps the parts of those it had.

    Args:
        slices: rows with columns ``patient`` and ``scanner``.
        validation: fraction of each scanner's other patients for validation, rounded.
        seed: of the draw.

    Raises:
        InputError: no patient was seen on every scanner.
    """
    scanners_of, scanners = _scanners_of(slices), pd.unique(slices["scanner"])
    part = {p: "test" if len(on) == len(scanners) else "train" for p, on in scanners_of.items()}
    if "test" not in part.values():
        raise InputError(
            "split.test is shared, but no patient was seen on every scanner of the store: simulate "
            "shared bodies, or give a share of the patients (`test: 0.25`)"
        )
    own = sorted((p for p in part if part[p] != "test"), key=lambda p: _shuffled(seed, p))
    patients_by_scanner = {s: [p for p in own if s in scanners_of[p]] for s in scanners}
    _draw_part("validation", validation, part, scanners_of, patients_by_scanner)
    return slices.assign(part=slices["patient"].map(part))


def _scanners_of(slices: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Patient → scanners that he was seen on."""
    return {str(p): frozenset(s) for p, s in slices.groupby("patient")["scanner"]}


def _shuffled(seed: int, patient: str) -> bytes:
    """A patient's place in a random order that does not depend on the other patients."""
    return hashlib.sha256(f"{seed} {patient}".encode()).digest()


def _draw_part(
    name: str,
    fraction: float,
    part: dict[str, str],
    scanners_of: Mapping[str, frozenset[str]],
    patients_by_scanner: Mapping[str, Sequence[str]],
) -> None:
    """Move the first patients of every scanner from training to a part, as far as it wants some."""
    for patients in patients_by_scanner.values():
        wanted = (
            max(1, round(fraction * len(patients))) if name == "test" or len(patients) > 2 else 0
        )
        for patient in patients:
            if sum(part[p] == name for p in patients) >= wanted:
                break
            if part[patient] == "train" and _can_spare(
                patient, part, scanners_of, patients_by_scanner
            ):
                part[patient] = name


def check_parts(
    slices: pd.DataFrame, scanners: Sequence[str], held_out: Sequence[str] = ()
) -> None:
    """Refuse scanners that cannot be trained or tested on.

    Args:
        slices: rows with columns ``scanner``, ``patient`` and ``part``.
        scanners: the ones that will be used.
        held_out: those of them that need no training patient.

    Raises:
        InputError: one has no slice, or no training or no test patient.
    """
    for scanner in scanners:
        scanner_slices = slices[slices["scanner"] == scanner]
        needed = {"test"} if scanner in held_out else {"train", "test"}
        if needed <= set(scanner_slices["part"]):
            continue
        if scanner in held_out:
            raise InputError(
                f"held_out: no patient of {scanner} is in the test part, which is drawn from all "
                "patients labelled for this task: add patients, or raise `split.test`"
            )
        count = scanner_slices["patient"].nunique()
        raise InputError(
            f"scanner {scanner} has {counted(count, 'patient')} labelled for this task, "
            "which leaves none for training or none for testing. Add patients, leave the scanner "
            "out of `orders`, or say `split: {by: within_case}` (`--within-case` of `cl-seg "
            "update`) and get no generalisation result"
        )


def _can_spare(
    patient: str,
    part: Mapping[str, str],
    scanners_of: Mapping[str, frozenset[str]],
    of_scanner: Mapping[str, Sequence[str]],
) -> bool:
    # Every scanner the patient was seen on keeps another one for training.
    return all(
        sum(part[p] == "train" for p in of_scanner[scanner]) > 1 for scanner in scanners_of[patient]
    )


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
            slices_of_it = counted(len(group), "labelled slice")
            raise InputError(
                f"case {case} has {slices_of_it}, a split within cases needs three: give more "
                "slices of it, or split by patient"
            )
        along_z = group.sort_values("z_mm").index.to_numpy()
        for block in np.array_split(along_z, max(1, len(group) // BLOCK)):
            count = len(block)
            n_test = min(max(1, round(fractions.test * count)), count - 2)
            n_validation = min(max(1, round(fractions.validation * count)), count - n_test - 1)
            names = np.repeat(SPLIT_PARTS, [count - n_test - n_validation, n_validation, n_test])
            parts[block] = names
    return slices.assign(part=parts)
