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

    ``R[i, j]`` is the mean Dice after stage i on scanner ``order[j]``, over the cases whose truth
    contains the class; classes are averaged last. NaN where no case contains the class.

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
