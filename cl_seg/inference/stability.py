"""Stability of predictions under test-time augmentation; the column ``agreement`` in files."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from cl_seg.inference.predict import SlicePrediction
from cl_seg.messages.plural import counted
from cl_seg.metrics.segmentation import dice
from cl_seg.scans.rows import format_ranges

DOUBT_CM2 = 10.0
"""Area that is expected though nothing is found, at which stability is one half."""
LOW_STABILITY = 0.9
"""Stability below which a slice should be looked at (engineering values, both)."""


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
    pairs = []
    for i, j in combinations(range(len(masks)), 2):
        overlap = dice(masks[i], masks[j])
        doubt = float(expected[i] + expected[j]) / 2
        pairs.append(DOUBT_CM2 / (DOUBT_CM2 + doubt) if np.isnan(overlap) else overlap)
    return float(np.mean(pairs)) if pairs else float("nan")


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
