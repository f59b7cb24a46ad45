"""Fields: values over a whole canvas, computed only on the boxes where they are read.

Painters write whole fields, as ``1 + 0.3 * canvas.field(rng, 15)``; an organ that reads one within
its own small box pays for that box alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

Floats = npt.NDArray[np.floating[Any]]
PerHeight = float | np.floating[Any] | Floats  # a number, or one per height (heights, 1, 1)
Box = tuple[slice, slice]  # (rows, columns)
CACHED = 131_072  # values of an array that stays in the processor's cache with a few others


class Field(NDArrayOperatorsMixin, ABC):
    """Values (heights, rows, columns) over a canvas; NumPy's ufuncs make new fields of fields."""

    @abstractmethod
    def on(self, box: Box) -> Floats:
        """Values on a box, (heights, rows, columns) float32; not to be written to."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__" or keywords:
            return NotImplemented
        return Computed(ufunc, *inputs)

    def clip(
        self, low: "Field | PerHeight", high: "Field | PerHeight", out: None = None
    ) -> "Computed":
        """What ``numpy.clip`` makes of a field."""
        return Computed(np.clip, self, low, high)


class LazyField(Field):
    """A field that is computed when it is read, and kept for the box that was read last."""

    def __init__(self) -> None:
        self._box: Box | None = None
        self._values: Floats = np.zeros(0, np.float32)

    def on(self, box: Box) -> Floats:
        """Values on a box, (heights, rows, columns) float32; not to be written to."""
        if self._box != box:  # the same box is often read twice: fat, and muscle as 1 − fat
            self._box, self._values = box, self._compute(box)
        return self._values

    @abstractmethod
    def _compute(self, box: Box) -> Floats:
        """Values on a box, (heights, rows, columns)."""


class Samples(Field):
    """A field of known values.

    Attributes:
        values: (heights, rows, columns).
    """

    def __init__(self, values: Floats, window: Box = (slice(0, None), slice(0, None))) -> None:
        """Keep values.

        Args:
            values: of the whole canvas, or of the grid.
            window: box of them that is the canvas.
        """
        self.values, self._first = values, (window[0].start, window[1].start)

    def on(self, box: Box) -> Floats:
        """A view of the values."""
        rows, columns = (
            slice(first + part.start, first + part.stop)
            for first, part in zip(self._first, box, strict=True)
        )
        return self.values[..., rows, columns]


class Computed(LazyField):
    """A function of fields, numbers and numbers per height (heights, 1, 1)."""

    def __init__(self, function: Callable[..., Floats], *operands: "Field | PerHeight") -> None:
        super().__init__()
        self._function = function
        self._operands: list[Field | PerHeight] = [
            o if isinstance(o, Field) else np.float32(o) for o in operands
        ]

    def _compute(self, box: Box) -> Floats:
        return self._function(*[values_on(operand, box) for operand in self._operands])


def values_on(value: "Field | PerHeight", box: Box) -> PerHeight:
    """Values of a field on a box; numbers are the same everywhere."""
    return value.on(box) if isinstance(value, Field) else value


def smallest_box(inside: npt.NDArray[np.bool_]) -> Box:
    """The smallest box that holds the pixels of (rows, columns); empty where there is none."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def moved(part: Box, box: Box) -> Box:
    """A part of a box in the coordinates of what the box lies in."""
    rows, columns = (
        slice(outer.start + inner.start, outer.start + inner.stop)
        for outer, inner in zip(box, part, strict=True)
    )
    return rows, columns


def in_strips(box: Box, heights: int, compute: Callable[[Box], Floats]) -> Floats:
    """Values on a box, computed strip by strip: faster where there are many.

    Args:
        box: (rows, columns).
        heights: of the values.
        compute: values (heights, rows, columns) of a strip.
    """
    rows, columns = box
    size = (heights, rows.stop - rows.start, columns.stop - columns.start)
    step = max(1, CACHED // max(heights * size[2], 1))
    if step >= size[1]:
        return compute(box)
    values = np.empty(size, np.float32)
    # From below, so that random fields draw all their noise at once.
    for bottom in range(rows.stop, rows.start, -step):
        strip = slice(max(bottom - step, rows.start), bottom)
        values[:, strip.start - rows.start : bottom - rows.start] = compute((strip, columns))
    return values


def largest(first: Field, *others: "Field | PerHeight") -> Field:
    """The largest of fields at every pixel: of signed distances, what lies inside all of them."""
    return reduce(lambda one, other: Computed(np.maximum, one, other), others, first)
