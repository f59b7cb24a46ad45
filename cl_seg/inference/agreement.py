"""Agreement of the variants of a slice on a class, and notes where it is low."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from cl_seg.inference.predict import SlicePrediction
from cl_seg.messages.plural import counted
from cl_seg.metrics.segmentation import dice
from cl_seg.scans.rows import format_ranges

DOUBT_CM2 = 10.0
"""Area that is expected though nothing is found, at which agreement is one half."""
LOW = 0.9
"""Agreement below which a slice should be looked at (engineering values, both)."""


def agreement(prediction: SlicePrediction, label: int) -> float:
    """Stability of a class when the image is turned and scaled a little, 0 to 1.

    The mean over pairs of variants of the Dice between what they find. Where neither of a pair
    finds any, the Dice is not defined; then it is ``d / (d + A)`` with ``d`` = ``DOUBT_CM2`` and
    the mean ``A`` in cm² of the areas their probabilities add up to: 1 where the class is out of
    the question, small where much of it was nearly found.

    Args:
        prediction: of a slice.
        label: of the class.

    Returns:
        0 to 1; NaN for fewer than two variants.
    """
    masks, expected = prediction.variants == label, prediction.expected_cm2[:, label]
    pairs = []
    for i, j in combinations(range(len(masks)), 2):
        overlap = dice(masks[i], masks[j])
        doubt = float(expected[i] + expected[j]) / 2
        pairs.append(DOUBT_CM2 / (DOUBT_CM2 + doubt) if np.isnan(overlap) else overlap)
    return float(np.mean(pairs)) if pairs else float("nan")


def low_agreement_notes(agreements: Mapping[str, Sequence[float | None]]) -> list[str]:
    """Notes on slices with low agreement, one per class.

    Args:
        agreements: class → agreement of every slice, None where there are no variants.
    """
    notes = []
    for name, each in agreements.items():
        low = [index for index, value in enumerate(each) if value is not None and value < LOW]
        if low:
            notes.append(
                f"look at {name} on {len(low)} of {counted(len(each), 'slice')} "
                f"({format_ranges(low, ', ')}): agreement below {LOW:g}"
            )
    return notes
