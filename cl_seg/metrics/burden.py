"""What a strategy needs beside the network: what it keeps, and the old slices it trains on."""

import math

import numpy as np
import numpy.typing as npt

BYTES_PER_PARAMETER = 4


def kept_share(kept_bytes: float, parameters: float) -> float:
    """Growth: bytes kept from one experience to the next over those of the network (float32).

    The growth in memory of Díaz-Rodríguez et al. 2018 (arXiv 1810.13166, model size efficiency) as
    a share: 0 where nothing is kept, 1 where as much again as the network. Kept are parameters
    per scanner, importances and old networks, and 3 bytes a pixel of old slices.

    Args:
        kept_bytes: largest number of bytes kept.
        parameters: of the network.

    >>> kept_share(8_000, 1_000)
    2.0
    """
    return kept_bytes / (BYTES_PER_PARAMETER * parameters) if parameters else math.nan


def replayed_share(steps: npt.ArrayLike, new: npt.ArrayLike, replayed: npt.ArrayLike) -> float:
    """Share of old slices among all that are trained on, from the second experience on.

    ``Σ_i n_i r_i / Σ_i n_i (r_i + s_i)`` with n_i optimiser steps of experience i ≥ 2, of r_i
    replayed and s_i new slices each. NaN for one experience, or where a number is not known (NaN).

    Args:
        steps: (N,) optimiser steps of every experience.
        new: (N,) slices of a step from the experience itself.
        replayed: (N,) slices of a step from a memory.

    >>> replayed_share([100, 100, 300], [8, 4, 4], [0, 4, 4])
    0.5
    """
    n, s, r = (np.asarray(each, float)[1:] for each in (steps, new, replayed))
    total = float((n * (r + s)).sum())
    return float((n * r).sum()) / total if total else math.nan
