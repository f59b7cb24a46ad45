"""Keeps the largest connected piece of organs that are one piece."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.scans.rows import format_ranges
from cl_seg.scans.store import Labels

NEVER_ONE_PIECE = ("muscle",)


def check_single_pieces(names: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse classes of which one piece cannot be kept.

    Args:
        names: classes of which only the largest piece is to be kept.
        classes: of the models.

    Raises:
        InputError: one is no class of the models, or is never a single piece.
    """
    for name in names:
        if name not in classes:
            raise InputError(
                f"`largest_piece` (--largest-piece): the model has no class {name}, it has "
                f"{', '.join(classes)}"
            )
        if name in NEVER_ONE_PIECE:
            raise InputError(
                f"`largest_piece` (--largest-piece): {name} is many pieces: name organs alone"
            )


def removal_notes(removed_cm2: npt.NDArray[np.float64], classes: Sequence[str]) -> list[str]:
    """Notes on slices from which smaller pieces were removed.

    Args:
        removed_cm2: (N, C) areas that were removed.
        classes: names of labels 1, 2, ….
    """
    notes = []
    for name, own in zip(classes, removed_cm2.T, strict=True):
        if slices := np.flatnonzero(own > 0).tolist():
            notes.append(
                f"smaller pieces of {name} were removed on {len(slices)} of "
                f"{counted(len(own), 'slice')} ({format_ranges(slices, ', ')})"
            )
    return notes


def keep_largest_pieces(labels: Labels, classes: Sequence[str], names: Sequence[str]) -> Labels:
    """Labels with only the largest piece of some classes; the rest of these is background.

    Voxels are connected where they share a face. Slices count as neighbours in their order, also
    across a gap.

    Args:
        labels: (N, H, W) uint8, 0 background, then the classes.
        classes: names of labels 1, 2, ….
        names: classes of which only the largest piece is kept, in voxels; of pieces of one size the
            first.

    Returns:
        (N, H, W) uint8; the array that is given where ``names`` are none.
    """
    kept = labels.copy() if names else labels
    for name in names:
        found = labels == classes.index(name) + 1
        pieces, count = ndimage.label(found)
        if count > 1:
            sizes = np.bincount(pieces[found])
            kept[found & (pieces != sizes.argmax())] = 0
    return kept
