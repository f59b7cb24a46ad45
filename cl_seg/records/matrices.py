"""Accuracy matrices R from per-case scores."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

MEAN = "mean"


def accuracy_matrices(
    cases: pd.DataFrame, scanners: Sequence[str], classes: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """R per class and, under ``mean``, their average.

    ``R[i, j]`` is the mean Dice after stage i, which is experience i of the stream, on scanner
    ``scanners[j]``, over the cases whose truth contains the class; classes are averaged last. NaN
    where no case contains the class and where the scanner was not tested.

    Args:
        cases: columns stage, scanner, class, dice, true (pixels).
        scanners: the columns of R.
        classes: names of the classes.
    """
    present = cases[cases["true"] > 0]
    means = present.groupby(["class", "stage", "scanner"])["dice"].mean()
    stages = range(int(cases["stage"].max()) + 1)
    rows = pd.MultiIndex.from_product([classes, stages])
    dice = means.unstack("scanner").reindex(index=rows, columns=list(scanners)).to_numpy(float)
    each = dice.reshape(len(classes), len(stages), len(scanners))
    matrices = dict(zip(classes, each, strict=True))
    matrices[MEAN] = np.mean(each, axis=0)
    return matrices


def leave_one_patient_out_dice(
    cases: pd.DataFrame, learned: Mapping[str, int], classes: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Dice right after learning a scanner and after the last stage, without each patient in turn.

    Args:
        cases: as for :func:`accuracy_matrices`, with a column patient; patients are taken in
            alphabetical order.
        learned: scanner, a column of R each → position of the first experience on it.
        classes: names of the classes, over which Dice is averaged.

    Returns:
        (patients, 2, scanners): R[j, j] and R[N, j]; where there are fewer stages than that, the
        last stage counts as that of learning the others.
    """
    present = cases[
        (cases["true"] > 0) & cases["scanner"].isin(list(learned)) & cases["class"].isin(classes)
    ]
    patients = sorted(map(str, cases["patient"].unique()))
    last = int(cases["stage"].max())
    shape = (len(patients), len(classes), 2, len(learned))
    column = pd.Categorical(present["scanner"], categories=list(learned)).codes.astype(int)
    first = np.array(list(learned.values()))[column]
    codes = (
        pd.Categorical(present["patient"].astype(str), categories=patients).codes,
        pd.Categorical(present["class"], categories=list(classes)).codes,
    )
    stage = present["stage"].to_numpy()
    dice = present["dice"].to_numpy()
    size = int(np.prod(shape))
    counts, sums = np.zeros(shape), np.zeros(shape)
    for moment, at in enumerate((np.minimum(first, last), last)):
        chosen = stage == at
        place = np.ravel_multi_index(
            (*(code[chosen] for code in codes), moment, column[chosen]), shape
        )
        counts += np.bincount(place, minlength=size).reshape(shape)
        sums += np.bincount(place, dice[chosen], minlength=size).reshape(shape)
    left = counts.sum(axis=0) - counts
    with np.errstate(invalid="ignore", divide="ignore"):
        means: npt.NDArray[np.float64] = (sums.sum(axis=0) - sums) / left
    averaged: npt.NDArray[np.float64] = np.mean(means, axis=1)
    return averaged
