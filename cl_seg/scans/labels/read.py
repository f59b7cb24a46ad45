"""Label files on the pixels of their image, in the labels of the store."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.scans.labels.grid import matching_slices
from cl_seg.scans.labels.label_map import DEFAULT_LABELS, LabelMap, format_label_values
from cl_seg.scans.nifti import load_labels
from cl_seg.scans.series import UnusableError, Volume
from cl_seg.scans.store import HU, UNLABELLED, Labels

AIR_HU = -300
"""Below it is no soft tissue and no fat (engineering value)."""
AIR_FRACTION_DOUBTED = 0.2
"""Share of a class in air from which on its labels are doubted (engineering value)."""
_MAX_VALUES_SHOWN = 8  # values without a name that are listed, the largest
_MAX_RANGES_SHOWN = 6  # of values that are listed as an option


def read_labels(
    path: Path, image: Volume, label_map: LabelMap, where: str, hint: str = ""
) -> Labels:
    """Labels of every slice of ``image``, on its own pixels.

    Args:
        path: NIfTI label file.
        image: the loaded series; each of its slices needs a label slice at its position.
        label_map: meaning of the values.
        where: start of error messages, e.g. manifest and line.
        hint: for values without a meaning; by default the options of `cl-seg ingest`.

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
    if unknown:
        named = {0: "background"}
        named |= {v: name for name, of_it in label_map.classes.items() for v in of_it}
        named |= dict.fromkeys(label_map.ignored, "unlabelled")
        meant = ", ".join(f"{value} {name}" for value, name in named.items())
        found = _sizes(values, unknown, geometry.spacing_mm, _names_in_header(path))
        raise InputError(
            f"{where}: label file {path} holds the values {found}, expected {meant}: "
            f"{hint or _by_options(unknown, label_map)}"
        )
    return label_map.apply(values[matching_slices(path, image, geometry, where)])


def _sizes(
    values: npt.NDArray[np.integer],
    wanted: list[int],
    spacing_mm: tuple[float, float],
    names: Mapping[int, str],
) -> str:
    """Values with their area over all slices, the largest first."""
    found, counts = np.unique(values, return_counts=True)
    pixels = dict(zip(found.tolist(), counts.tolist(), strict=True))
    order = sorted(wanted, key=lambda value: -pixels[value])
    cm2 = spacing_mm[0] * spacing_mm[1] / 100
    described = []
    for value in order[:_MAX_VALUES_SHOWN]:
        n_slices = int((values == value).any(axis=(1, 2)).sum())
        name = f" {names[value]}" if value in names else ""
        area = f"{pixels[value] * cm2:.4g} cm² on {counted(n_slices, 'slice')}"
        described.append(f"{value}{name} ({area})")
    more = f" and {len(order) - _MAX_VALUES_SHOWN} more" if len(order) > _MAX_VALUES_SHOWN else ""
    return ", ".join(described) + more


def _names_in_header(path: Path) -> dict[int, str]:
    """Names of the values where the header has a table of them, as TotalSegmentator writes it."""
    text = "".join(
        str(extension.get_content()) for extension in nibabel.load(path).header.extensions
    )
    pattern = r'<Label Key="(\d{1,8})"[^>]{0,200}><!\[CDATA\[([A-Za-z][\w ./-]{0,40})\]\]>'
    return {int(value): name for value, name in re.findall(pattern, text, re.ASCII)}


def _by_options(unknown: list[int], label_map: LabelMap) -> str:
    listed = format_label_values(unknown)
    background, ignored = "--others background", "--others ignore"
    if listed.count(",") < _MAX_RANGES_SHOWN:
        background = f"--label background={listed} (or {background}, for all files)"
        ignored = f"--label ignore={listed} (or {ignored})"
    if unknown == [UNLABELLED]:  # which others are not
        background = f"--label background={listed}"
    if label_map.classes == DEFAULT_LABELS.classes:
        classes = "say with --label which values are which class, e.g. --label NAME=VALUE, and add"
    else:
        classes = "name what is a class with --label NAME=VALUE, and add"
    return f"{classes} {background} for what is background, {ignored} for what nobody has labelled"


def fractions_in_air(labels: Labels, hu: HU, classes: Iterable[str]) -> dict[str, float]:
    """Classes of which more than ``AIR_FRACTION_DOUBTED`` lies in air, as in mirrored labels.

    Args:
        labels: (N, H, W) uint8, labels of the store.
        hu: (N, H, W) int16, HU of the same pixels.
        classes: names of labels 1, 2, ….

    Returns:
        Class → fraction of its pixels below ``AIR_HU``.
    """
    labelled = (labels != 0) & (labels != UNLABELLED)
    found, air = labels[labelled], hu[labelled] < AIR_HU
    pixels, in_air = (np.bincount(of, minlength=UNLABELLED) for of in (found, found[air]))
    fractions = in_air / np.maximum(pixels, 1)
    return {
        name: float(fractions[label])
        for label, name in enumerate(classes, start=1)
        if fractions[label] > AIR_FRACTION_DOUBTED
    }
