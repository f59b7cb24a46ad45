"""Pixel counts that scores of overlap are made of."""

import numpy as np

from cl_seg.scans.store import UNLABELLED, Labels


def pixel_counts(prediction: Labels, truth: Labels, label: int) -> dict[str, int]:
    """Pixels of one label, any shape: in both, predicted, and true; unknown truth left out."""
    known = truth != UNLABELLED
    found, true = (prediction == label) & known, (truth == label) & known
    return {
        "overlap": int(np.count_nonzero(found & true)),
        "predicted": int(np.count_nonzero(found)),
        "true": int(np.count_nonzero(true)),
    }
