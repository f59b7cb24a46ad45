"""Accuracy matrices R from per-case scores."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

MEAN = "mean"


def accuracy_matrices(
    cases: pd.DataFrame, order: Sequence[str], classes: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """R per class and, under ``mean``, their average.

    ``R[i, j]`` is the mean Dice after stage i, which is experience i of the stream, on scanner
    ``order[j]``, over the cases whose truth contains the class; classes are averaged last. NaN
    where no case contains the class.

    Args:
        cases: columns stage, scanner, class, dice, true (pixels).
        order: scanners, the columns of R.
        classes: names of the classes.
    """
    present = cases[cases["true"] > 0]
    table = present.groupby(["class", "stage", "scanner"])["dice"].mean()
    stages = range(int(cases["stage"].max()) + 1)
    matrices = {
        name: np.array([[table.get((name, i, s), np.nan) for s in order] for i in stages], float)
        for name in classes
    }
    matrices[MEAN] = np.mean([matrices[name] for name in classes], axis=0)
    return matrices


def leave_one_patient_out_matrices(
    cases: pd.DataFrame, order: Sequence[str], classes: Sequence[str]
) -> npt.NDArray[np.float64]:
    """The mean of R over classes without each patient in turn, (patients, stages, scanners).

    Args:
        cases: as for :func:`accuracy_matrices`, with a column patient; patients are taken in
            alphabetical order.
        order: scanners, the columns of R.
        classes: names of the classes.
    """
    present = cases[
        (cases["true"] > 0) & cases["scanner"].isin(order) & cases["class"].isin(classes)
    ]
    patients = sorted(map(str, cases["patient"].unique()))
    shape = (len(patients), len(classes), int(cases["stage"].max()) + 1, len(order))
    place = np.ravel_multi_index(
        (
            pd.Categorical(present["patient"].astype(str), categories=patients).codes,
            pd.Categorical(present["class"], categories=list(classes)).codes,
            present["stage"],
            pd.Categorical(present["scanner"], categories=list(order)).codes,
        ),
        shape,
    )
    size = int(np.prod(shape))
    counts = np.bincount(place, minlength=size).reshape(shape)
    sums = np.bincount(place, present["dice"].to_numpy(), minlength=size).reshape(shape)
    left = counts.sum(axis=0) - counts
    with np.errstate(invalid="ignore", divide="ignore"):
        means: npt.NDArray[np.float64] = (sums.sum(axis=0) - sums) / left
    averaged: npt.NDArray[np.float64] = np.mean(means, axis=1)
    return averaged
