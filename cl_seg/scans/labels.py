"""Which value of a label file means which class, and label files on the grid of their image."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cl_seg.files import InputError
from cl_seg.scans.geometry import corners_mm
from cl_seg.scans.nifti import load_labels
from cl_seg.scans.series import UnusableError, Volume
from cl_seg.scans.store import HU, UNLABELLED, Labels

_FORM = "expected NAME=VALUE[,VALUE…], e.g. --label liver=5 --label muscle=86,87"
_BY_OPTION = "say what its values mean with --label, e.g. --label liver={}"
AIR_HU = -300
"""Below it is no soft tissue and no fat (engineering value)."""
IN_AIR = 0.2
"""Share of a class in air from which on its labels are doubted (engineering value)."""
_SAME_MM = 0.1  # an image and its labels may differ this much in the rounding of their headers


@dataclass(frozen=True)
class LabelMap:
    """Values of label files → classes of the store.

    Attributes:
        classes: name → values; the order is the order of the store's classes.
        ignored: values of pixels that nobody has labelled; they become 255.
        others_are_background: whether a value not named becomes background, or is an error.
    """

    classes: dict[str, tuple[int, ...]]
    ignored: tuple[int, ...] = ()
    others_are_background: bool = True

    def unknown(self, values: Sequence[int]) -> list[int]:
        """Values that are neither background, nor a class, nor ignored."""
        known = {0, *self.ignored, *(v for named in self.classes.values() for v in named)}
        return sorted(set(values) - known)

    def apply(self, values: npt.NDArray[np.integer]) -> Labels:
        """Labels of the store (uint8, any shape): 0, 1.. the classes in order, 255 unlabelled."""
        labels = np.zeros(values.shape, np.uint8)
        for label, named in enumerate(self.classes.values(), start=1):
            labels[np.isin(values, named)] = label
        labels[np.isin(values, self.ignored)] = UNLABELLED
        return labels


DEFAULT_LABELS = LabelMap({"muscle": (1,), "liver": (2,)}, (UNLABELLED,), False)
"""What a label file holds when the user says nothing: 1 muscle, 2 liver, 255 unlabelled."""


def parse_label_map(options: Sequence[str]) -> LabelMap:
    """Read ``--label`` options: ``liver=5``, ``muscle=86,87``, ``ignore=255``.

    Values not named become background. No options at all give ``DEFAULT_LABELS``.

    Raises:
        InputError: an option is malformed, or a name or value occurs twice.
    """
    if not options:
        return DEFAULT_LABELS
    named: dict[str, tuple[int, ...]] = {}
    for option in options:
        name, values = _parse(option)
        if name in named:
            raise InputError(f"--label {option}: {name} is given twice, list its values together")
        taken = sorted(set(values) & {v for others in named.values() for v in others})
        if taken:
            raise InputError(f"--label {option}: value {taken[0]} already has a meaning")
        named[name] = values
    ignored = named.pop("ignore", ())
    if not 1 <= len(named) < UNLABELLED:
        raise InputError(f"--label names {len(named)} classes: {_FORM}")
    return LabelMap(named, ignored)


def _parse(option: str) -> tuple[str, tuple[int, ...]]:
    number = r"\d{1,8}"  # more digits than any label file holds
    form = rf"\s*([A-Za-z][\w-]*)\s*=\s*({number}(?:\s*,\s*{number})*)\s*"
    match = re.fullmatch(form, option, re.ASCII)
    if match is None:
        raise InputError(f"--label {option}: {_FORM}")
    values = tuple(int(value) for value in match[2].split(","))
    if match[1] == "background" or 0 in values:
        raise InputError(f"--label {option}: 0 is background and needs no name")
    if len(set(values)) < len(values):
        raise InputError(f"--label {option}: a value is given twice")
    return match[1], values


def read_labels(
    path: Path, image: Volume, label_map: LabelMap, where: str, mend: str = ""
) -> Labels:
    """Labels of every slice of ``image``, on its own pixels.

    Args:
        path: NIfTI label file.
        image: the loaded series; each of its slices needs a label slice at its position.
        label_map: meaning of the values.
        where: start of error messages, e.g. manifest and line.
        mend: what to do about values that mean nothing; by default the option of `cl-seg ingest`.

    Returns:
        (N, H, W) uint8, one per slice of ``image``.

    Raises:
        InputError: unreadable, on another grid, or with values the map does not know.
    """
    try:
        values, geometry = load_labels(path)
    except UnusableError as error:
        raise InputError(f"{where}: label file {path}: {error}") from error
    unknown = label_map.unknown(np.unique(values).tolist())
    if unknown and not label_map.others_are_background:
        shown = ", ".join(map(str, unknown[:8])) + (" …" if len(unknown) > 8 else "")
        meant = ", ".join(f"{v[0]} {name}" for name, v in label_map.classes.items())
        raise InputError(
            f"{where}: label file {path} holds the values {shown}, expected 0 background, {meant}, "
            f"255 unlabelled: {mend or _BY_OPTION.format(unknown[0])}"
        )
    return label_map.apply(values[_matching_slices(path, image, geometry, where)])


def shares_in_air(labels: Labels, hu: HU, classes: Iterable[str]) -> dict[str, float]:
    """Classes of which more than ``IN_AIR`` lies in air, as labels that were mirrored do.

    Args:
        labels: (N, H, W) uint8, labels of the store.
        hu: (N, H, W) int16, HU of the same pixels.
        classes: names of labels 1, 2, ….

    Returns:
        Class → share of its pixels below ``AIR_HU``.
    """
    labelled = (labels != 0) & (labels != UNLABELLED)
    found, air = labels[labelled], hu[labelled] < AIR_HU
    pixels, in_air = (np.bincount(of, minlength=UNLABELLED) for of in (found, found[air]))
    shares = in_air / np.maximum(pixels, 1)
    return {
        name: float(shares[label])
        for label, name in enumerate(classes, start=1)
        if shares[label] > IN_AIR
    }


def _matching_slices(path: Path, image: Volume, labels: Volume, where: str) -> npt.NDArray[np.intp]:
    nearest: npt.NDArray[np.intp] = np.abs(labels.z_mm[:, None] - image.z_mm[None]).argmin(axis=0)
    step = float(np.median(np.diff(labels.z_mm))) if len(labels.z_mm) > 1 else _SAME_MM
    if (
        image.hu.shape[1:] != labels.hu.shape[1:]
        or np.abs(_corners(image) - _corners(labels)).max() > _SAME_MM
        or np.abs(labels.z_mm[nearest] - image.z_mm).max() > 0.25 * step
    ):
        raise InputError(
            f"{where}: label file {path} is on another grid than its image "
            f"({_grid(labels)} against {_grid(image)}): resample the labels to the image first"
        )
    return nearest


def _corners(volume: Volume) -> npt.NDArray[np.float64]:
    return corners_mm(volume.origin_mm, volume.spacing_mm, volume.hu.shape[1:])


def _grid(volume: Volume) -> str:
    slices, rows, columns = volume.hu.shape
    row, column = volume.spacing_mm
    y, x = volume.origin_mm
    return (
        f"{columns} × {rows} × {slices}, pixels {column:.3g} × {row:.3g} mm, "
        f"corner ({x:.1f}, {y:.1f}, {volume.z_mm[0]:.1f}) mm"
    )
