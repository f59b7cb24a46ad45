"""Masks of classes into labels, which exclude each other: where masks overlap the first has it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cl_seg.messages.plural import counted
from cl_seg.scans.store import Labels

Mask = npt.NDArray[np.bool_]
ClassOverlapAreas = Mapping[tuple[str, str], float]
"""Class that has pixels of another one, and that other one → area of them over all slices, cm²."""


def merge_masks(
    masks: Iterable[tuple[str, Mask]],
    classes: Sequence[str],
    shape: tuple[int, ...],
    pixel_mm2: float,
) -> tuple[Labels, ClassOverlapAreas]:
    """Labels of masks, and what of them overlaps.

    Args:
        masks: (N, H, W) mask of each class, the one that has the pixels of all others first.
        classes: names of labels 1, 2, ….
        shape: (N, H, W).
        pixel_mm2: area of a pixel, mm².
    """
    labels = np.zeros(shape, np.uint8)
    overlap: dict[tuple[str, str], float] = {}
    for name, mask in masks:
        pixels = np.bincount(labels[mask], minlength=1)
        for before in np.flatnonzero(pixels[1:]).tolist():
            overlap[classes[before], name] = float(pixels[before + 1]) * pixel_mm2 / 100
        labels[mask & (labels == 0)] = classes.index(name) + 1
    return labels, overlap


def overlap_notes(found: Sequence[tuple[Path, ClassOverlapAreas]]) -> list[str]:
    """Notes of classes that overlap.

    Args:
        found: image and overlap of every case.
    """
    notes = []
    for first, second in sorted({pair for _, overlap in found for pair in overlap}):
        areas = {path: o[first, second] for path, o in found if (first, second) in o}
        notes.append(
            f"{first} and {second} overlap in {counted(len(areas), 'image')}, "
            f"{sum(areas.values()):.4g} cm² over all slices (first {next(iter(areas))}): {first}, "
            "which is named first, has these pixels"
        )
    return notes
