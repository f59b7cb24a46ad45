"""Meaning of the values in label files."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cl_seg.messages.errors import InputError
from cl_seg.scans.rows import format_ranges
from cl_seg.scans.store import UNLABELLED, Labels

Others = Literal["error", "background", "ignore"]
"""Treatment of values without a name: refused, background, or ignored."""

_EXPECTED_SYNTAX = "expected NAME=VALUE[,VALUE…], e.g. --label liver=5 --label muscle=86,87"
_NUMBER = r"-?\d{1,8}"  # more digits than any label file holds
_VALUES = rf"{_NUMBER}(?:\s*-\s*{_NUMBER})?"
_MAX_RANGE_VALUES = 10_000  # values of one range


@dataclass(frozen=True)
class LabelMap:
    """Values of label files → classes of the store.

    Attributes:
        classes: name → values; the order is the order of the store's classes.
        ignored: values of pixels that nobody has labelled; they become 255.
        background: values besides 0 of pixels that are background.
        others: what every other value is. 255 is never background but by its own name: in label
            files it usually says that nobody has labelled a pixel.
    """

    classes: dict[str, tuple[int, ...]]
    ignored: tuple[int, ...] = ()
    background: tuple[int, ...] = ()
    others: Others = "error"

    def unknown(self, values: Iterable[int]) -> list[int]:
        """Values without a meaning."""
        left = sorted(set(values) - self._named())
        if self.others == "background":
            return [value for value in left if value == UNLABELLED]
        return left if self.others == "error" else []

    def apply(self, values: npt.NDArray[np.integer]) -> Labels:
        """Labels of the store (uint8, any shape): 0, 1.. the classes in order, 255 unlabelled."""
        labels = np.zeros(values.shape, np.uint8)
        if self.others == "ignore":
            labels[~np.isin(values, list(self._named()))] = UNLABELLED
        for label, named in enumerate(self.classes.values(), start=1):
            labels[np.isin(values, named)] = label
        labels[np.isin(values, self.ignored)] = UNLABELLED
        return labels

    def _named(self) -> set[int]:
        of_classes = (value for values in self.classes.values() for value in values)
        return {0, *self.ignored, *self.background, *of_classes}


DEFAULT_LABELS = LabelMap({"muscle": (1,), "liver": (2,)}, (UNLABELLED,))
"""Default meaning of label values: 1 muscle, 2 liver, 255 unlabelled."""


def parse_label_map(options: Sequence[str], others: Others = "error") -> LabelMap:
    """Read ``--label`` options: ``liver=5``, ``muscle=86,87``, ``background=1-4``, ``ignore=255``.

    Without any class the classes are those of ``DEFAULT_LABELS``.

    Args:
        options: as given.
        others: what a value is that they do not name.

    Raises:
        InputError: an option is malformed, or a name or value occurs twice.
    """
    named: dict[str, tuple[int, ...]] = {}
    for option in options:
        name, values = _parse(option)
        if name in named:
            raise InputError(
                f"`labels` (--label {option}): {name} is given twice, list its values together"
            )
        taken = sorted(set(values) & {v for others in named.values() for v in others})
        if taken:
            raise InputError(f"`labels` (--label {option}): value {taken[0]} already has a meaning")
        named[name] = values
    if not named:
        return LabelMap(DEFAULT_LABELS.classes, DEFAULT_LABELS.ignored, others=others)
    ignored, background = named.pop("ignore", ()), named.pop("background", ())
    if not 1 <= len(named) < UNLABELLED:
        raise InputError(f"`labels` (--label) names {len(named)} classes: {_EXPECTED_SYNTAX}")
    return LabelMap(named, ignored, background, others)


def _parse(option: str) -> tuple[str, tuple[int, ...]]:
    pattern = rf"\s*([A-Za-z][\w-]*)\s*=\s*({_VALUES}(?:\s*,\s*{_VALUES})*)\s*"
    match = re.fullmatch(pattern, option, re.ASCII)
    if match is None:
        raise InputError(f"`labels` (--label {option}): {_EXPECTED_SYNTAX}")
    name, values = match[1], []
    for first, last in re.findall(rf"({_NUMBER})(?:\s*-\s*({_NUMBER}))?", match[2]):
        run = range(int(first), int(last or first) + 1)
        if not 0 < len(run) <= _MAX_RANGE_VALUES:
            raise InputError(
                f"`labels` (--label {option}): {first}-{last} is no range of up to "
                f"{_MAX_RANGE_VALUES} "
                "ascending values"
            )
        values += list(run)
    if name != "background" and 0 in values:
        raise InputError(f"`labels` (--label {option}): 0 is background and needs no name")
    if name not in {"background", "ignore"} and min(values) < 0:
        raise InputError(f"`labels` (--label {option}): a class has values from 1 on")
    if len(set(values)) < len(values):
        raise InputError(f"`labels` (--label {option}): a value is given twice")
    return name, tuple(values)


def format_label_values(values: Iterable[int]) -> str:
    """Values as ``--label`` takes them: ``1-4,7`` for 1, 2, 3, 4 and 7."""
    return format_ranges(sorted(values), ",")
