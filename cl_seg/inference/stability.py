"""Stability of predictions under test-time augmentation; the column ``agreement`` in files."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from cl_seg.inference.predict import SlicePrediction
from cl_seg.messages.plural import counted
from cl_seg.metrics.segmentation import dice_of_counts
from cl_seg.scans.rows import format_ranges

DOUBT_CM2 = 10.0
"""Area that is expected though nothing is found, at which stability is one half."""
NEAR_MM = 10.0
"""Distance up to which the slices beside say what to expect."""
LOW_STABILITY = 0.9
"""Stability below which a slice should be looked at (engineering values, all three)."""
Values = npt.NDArray[np.float64]


def stability(prediction: SlicePrediction, label: int) -> float:
    """Stability of a class when the image is rotated and rescaled a little, 0 to 1.

    The mean Dice over pairs of augmented predictions. Where neither of a pair finds the class, the
    Dice is not defined; then it is ``d / (d + A)`` with ``d`` = ``DOUBT_CM2`` and the mean ``A`` in
    cm² of the areas their probabilities add up to: 1 where the class is out of the question, small
    where much of it was nearly found.

    Args:
        prediction: of a slice.
        label: of the class.

    Returns:
        0 to 1; NaN for fewer than two augmented predictions.
    """
    masks, expected = prediction.augmented_labels == label, prediction.expected_cm2[:, label]
    pixels = [int(np.count_nonzero(mask)) for mask in masks]
    pairs = []
    for i, j in combinations(range(len(masks)), 2):
        overlap = int(np.count_nonzero(masks[i] & masks[j]))
        score = dice_of_counts(overlap, pixels[i], pixels[j])
        doubt = float(expected[i] + expected[j]) / 2
        pairs.append(DOUBT_CM2 / (DOUBT_CM2 + doubt) if np.isnan(score) else score)
    return float(np.mean(pairs)) if pairs else float("nan")


def possible_cm2(found_cm2: Values, expected_cm2: Values, z_mm: Values) -> Values:
    """Areas of classes on the slices of a series: found, or possible where nothing is found.

    Possible is what the probabilities of a class add up to, and at least the mean of what is found
    on the slices above and below: a network that is sure of a mistake misses a slice of an organ
    without a doubt, but seldom all slices around it.

    Args:
        found_cm2: (N, C) areas that are found.
        expected_cm2: (N, C) areas that probabilities add up to.
        z_mm: (N,) ascending positions; slices more than ``NEAR_MM`` apart say nothing of each
            other.

    Returns:
        (N, C).
    """
    near = (np.diff(z_mm) <= NEAR_MM)[:, None]
    beside = np.zeros_like(found_cm2)
    beside[1:] += near * found_cm2[:-1]
    beside[:-1] += near * found_cm2[1:]
    return np.where(found_cm2 > 0, found_cm2, np.maximum(expected_cm2, beside / 2))


def doubted(stabilities: Values, found_cm2: Values, possible: Values) -> Values:
    """Stability of classes on the slices of a series, lower where they may have been missed.

    Args:
        stabilities: (N, C) of each slice alone, see :func:`stability`; NaN without augmentation.
        found_cm2: (N, C) areas that are found.
        possible: (N, C) see :func:`possible_cm2`.

    Returns:
        (N, C), where nothing is found at most ``d / (d + A)`` of the possible area ``A``.
    """
    missed = DOUBT_CM2 / (DOUBT_CM2 + possible)
    return np.where(found_cm2 > 0, stabilities, np.minimum(stabilities, missed))


def case_stability(stabilities: npt.ArrayLike, possible: npt.ArrayLike) -> float:
    """Stability of a class in a series: the mean over its slices, weighted by possible area.

    Slices on which the class is out of the question do not count, however many there are.

    Args:
        stabilities: (N,) of its slices, see :func:`doubted`.
        possible: (N,) areas, see :func:`possible_cm2`.

    Returns:
        NaN without augmentation, or where the class is out of the question on every slice: that
        nothing is found is then all that is known.
    """
    values, weights = np.asarray(stabilities, float), np.asarray(possible, float)
    return float(values @ weights / weights.sum()) if weights.sum() > 0 else math.nan


def low_stability_notes(stabilities: Mapping[str, Sequence[float | None]]) -> list[str]:
    """Notes on slices with low stability, one per class.

    Args:
        stabilities: class → stability of every slice, None without augmentation.
    """
    notes = []
    for name, values in stabilities.items():
        low = [i for i, value in enumerate(values) if value is not None and value < LOW_STABILITY]
        if low:
            notes.append(
                f"look at {name} on {len(low)} of {counted(len(values), 'slice')} "
                f"({format_ranges(low, ', ')}): agreement below {LOW_STABILITY:g}"
            )
    return notes
