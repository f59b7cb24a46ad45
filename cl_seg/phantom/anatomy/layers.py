"""Layers of paint on a canvas, and what is seen of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.anatomy.field import Box, Field, Single, values_on
from cl_seg.phantom.tissues import TISSUES

Mix = dict[str, float | Field]  # tissue → its fraction

TILE = 64  # pixels; smaller tiles follow thin shapes more closely, larger ones cost fewer calls


@dataclass(frozen=True)
class Layer:
    """A tissue mix over a part of a canvas.

    Attributes:
        box: (rows, columns) of the canvas.
        cover: (heights, rows, columns) fraction of each pixel that it covers.
        mix: its tissues.
    """

    box: Box
    cover: Single
    mix: Mix


def tiles(box: Box, cover: Single, mix: Mix) -> Iterator[Layer]:
    """Layers of at most ``TILE`` pixels per side, where anything is covered."""
    covered = cover.any(axis=0)
    rows, columns = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return
    for top in range(rows[0], rows[-1] + 1, TILE):
        for left in range(columns[0], columns[-1] + 1, TILE):
            down = slice(top, min(top + TILE, int(rows[-1]) + 1))
            across = slice(left, min(left + TILE, int(columns[-1]) + 1))
            if covered[down, across].any():
                yield Layer(_moved((down, across), box), cover[:, down, across].copy(), mix)


def _moved(part: Box, box: Box) -> Box:
    """A part of a box in the coordinates of the canvas."""
    rows, columns = (
        slice(outer.start + inner.start, outer.start + inner.stop)
        for outer, inner in zip(box, part, strict=True)
    )
    return rows, columns


def add_visible(layers: Sequence[Layer], heights: int, fractions: Single) -> None:
    """Add what is seen of layers, in the mean over the heights of a canvas; the rest is air.

    The last layer lies on top. It is read first, so that what others hide is never computed.

    Args:
        layers: in the order of painting.
        heights: of their canvas.
        fractions: (tissues, rows, columns) in the order of ``TISSUES``, to add to.
    """
    free = np.ones((heights, *fractions.shape[1:]), np.float32)
    for layer in reversed(layers):
        below = free[:, *layer.box]
        seen = below * layer.cover
        if not seen.any():
            continue
        below -= seen
        seen /= heights
        for tissue, amount in layer.mix.items():
            there = seen * values_on(amount, layer.box)
            fractions[TISSUES.index(tissue), *layer.box] += there.sum(axis=0)
    fractions[TISSUES.index("air")] += free.mean(axis=0)
