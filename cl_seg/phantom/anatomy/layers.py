"""Layers of paint on a canvas, and what is seen of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.anatomy.field import Box, Field, Floats, moved, smallest_box
from cl_seg.phantom.tissues import TISSUES

Mix = dict[str, float | Field]  # tissue → its fraction


@dataclass(frozen=True)
class Layer:
    """A tissue mix over a part of a canvas.

    Attributes:
        box: (rows, columns) of the canvas.
        cover: (heights, rows, columns) fraction of each pixel that it covers.
        mix: its tissues.
    """

    box: Box
    cover: Floats
    mix: Mix


def add_visible(layers: Sequence[Layer], heights: int, fractions: Floats) -> None:
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
        total = seen.sum(axis=0)
        part = smallest_box(total > 0)
        if part[0].stop == 0:
            continue
        below -= seen
        box = moved(part, layer.box)
        for tissue, amount in layer.mix.items():
            if isinstance(amount, Field):
                there = (seen[:, *part] * amount.on(box)).sum(axis=0)
            else:
                there = total[part] * np.float32(amount)
            there /= heights
            fractions[TISSUES.index(tissue), *box] += there
    fractions[TISSUES.index("air")] += free.mean(axis=0)
