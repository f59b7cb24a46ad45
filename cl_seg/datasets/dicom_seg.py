"""CT series with DICOM segmentations (SEG), as the Imaging Data Commons hands them out."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from cl_seg.datasets.dataset import Case, DataSet, DatasetOptions
from cl_seg.datasets.overlap import ClassOverlapAreas
from cl_seg.datasets.segmentation_object import SegmentationObject, read_masks, read_segments
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.scans import nifti
from cl_seg.scans.dicom.series import DicomSeries, find_series
from cl_seg.scans.series import Pseudonyms, RejectedFile, Series, UnusableError
from cl_seg.scans.sources.files import files_below
from cl_seg.scans.store import UNLABELLED

_EVEN_TOLERANCE = (
    0.1  # of the distance between slices, by which one may be off its place in a NIfTI file
)


def read(folder: Path, options: DatasetOptions) -> DataSet:
    """The CT series below a folder that exactly one segmentation refers to.

    Patient and scanner are left to ingest, which reads them from the headers. A class is covered
    where the segmentation has any of its segments: one that nobody drew is often left out.

    Raises:
        InputError: ``options.classes`` is empty, or no segmentation has its segments.
    """
    pseudonyms = Pseudonyms(secrets.token_bytes(16))
    files, closed = files_below(folder)
    series, others = find_series(files, folder, pseudonyms)
    found: dict[str, list[SegmentationObject]] = defaultdict(list)
    left_out, unreadable = closed, list[RejectedFile]()
    for item in others:
        try:
            segmentation = read_segments(item.path, pseudonyms) if item.path.is_file() else None
        except UnusableError as error:
            unreadable.append(RejectedFile(item.path, str(error)))
            continue
        if segmentation is None:
            left_out.append(item)
        else:
            found[segmentation.series].append(segmentation)
    segmentations = [one for of_series in found.values() for one in of_series]
    _check_classes(options.classes, segmentations, unreadable)
    left_out += unreadable
    in_folder = Counter(folder for dicom_series in series for folder in _folders(dicom_series))
    cases: list[Case] = []
    for dicom_series in sorted(
        series, key=lambda dicom_series: dicom_series.path
    ):  # they come in the order of their hashes
        case = _case(
            dicom_series, found[dicom_series.name], options.classes, in_folder[dicom_series.path]
        )
        if isinstance(case, Case):
            cases.append(case)
        else:
            left_out.append(case)
    values = {name: (value,) for value, name in enumerate(options.classes, start=1)}
    notes = _of_fractional(
        [
            dicom_series
            for dicom_series in segmentations
            if dicom_series.fractional and not dicom_series.fault
        ]
    )
    return DataSet(cases, values, (UNLABELLED,), left_out=left_out, notes=notes)


def _check_classes(
    classes: Mapping[str, tuple[str, ...]],
    segmentations: Sequence[SegmentationObject],
    unreadable: Sequence[RejectedFile],
) -> None:
    if classes and not segmentations:  # every series then gets its own reason
        return
    seen = Counter(
        label
        for segmentation in segmentations
        for label in sorted(set(segmentation.segments.values()))
    )
    listed = ", ".join(f"{label} ({count})" for label, count in seen.most_common(12)) or "none"
    asked = [structure for named in classes.values() for structure in named]
    known = {_plain(label) for label in seen}
    missing = [structure for structure in asked if _plain(structure) not in known]
    if not asked or missing:
        others = ""
        if unreadable:
            others = f"; {len(unreadable)} more cannot be read ({unreadable[0].reason})"
        wrong = f"no segment is labelled {missing[0]}" if missing else "it is not given"
        raise InputError(
            f"--class: {wrong}; the segmentations have the segments {listed}{others}: expected "
            "e.g. --class kidney=Kidney,Mass"
        )


def _folders(series: DicomSeries) -> set[Path]:
    return {file.parent for file in series.files}


def _case(
    series: DicomSeries,
    segmentations: Sequence[SegmentationObject],
    classes: Mapping[str, tuple[str, ...]],
    series_in_folder: int,
) -> Case | RejectedFile:
    if len(segmentations) != 1:
        number = len(segmentations) or "no"
        return RejectedFile(series.path, f"{number} segmentations refer to it, expected one")
    if len(_folders(series)) > 1:
        return RejectedFile(series.path, "its files lie in several folders: put them into one")
    if series_in_folder > 1:
        return RejectedFile(series.path, "its folder holds several CT series: give each its own")
    if segmentations[0].fault:
        return RejectedFile(
            series.path, f"its segmentation cannot be read: {segmentations[0].fault}"
        )
    numbers: dict[str, list[int]] = {}
    for name, structures in classes.items():
        labels = {_plain(structure) for structure in structures}
        numbers[name] = [
            n for n, label in segmentations[0].segments.items() if _plain(label) in labels
        ]
    covered = [name for name, of_it in numbers.items() if of_it]
    if not covered:
        return RejectedFile(series.path, "its segmentation has no segment of the classes")
    writer = partial(_write, series=series, segmentation=segmentations[0].path, numbers=numbers)
    return Case(series.path, writer, covered=() if len(covered) == len(classes) else tuple(covered))


def _plain(label: str) -> str:
    return label.strip().casefold()


def _of_fractional(segmentations: Sequence[SegmentationObject]) -> list[str]:
    if not segmentations:
        return []
    return [
        f"{counted(len(segmentations), 'segmentation is', 'segmentations are')} FRACTIONAL (first "
        f"{segmentations[0].path}): pixels of half of MaximumFractionalValue or more are inside"
    ]


def _write(
    path: Path, series: Series, segmentation: Path, numbers: Mapping[str, Sequence[int]]
) -> ClassOverlapAreas:
    volume = series.load(allow_implausible_hu=True)  # for its geometry; ingest looks at HU
    labels, overlap = read_masks(segmentation, numbers, volume)
    steps = np.diff(volume.z_mm)
    step = float(np.sort(steps)[(len(steps) - 1) // 2]) if len(steps) else 1.0
    # Positions are written rounded: what one step is off adds up over a series.
    last = np.rint(steps / step).sum()
    step = float(volume.z_mm[-1] - volume.z_mm[0]) / last if last else step
    places = (volume.z_mm - volume.z_mm[0]) / step
    index = np.rint(places).astype(int)
    if np.abs(places - index).max() > _EVEN_TOLERANCE:
        raise UnusableError("its slices are not evenly spaced, which a NIfTI file cannot say")
    # Slices the series lacks are background here; ingest takes labels at the images' positions.
    even = np.zeros((index[-1] + 1, *labels.shape[1:]), np.uint8)
    even[index] = labels
    z_mm = volume.z_mm[0] + step * np.arange(len(even))
    nifti.save(path, even, replace(volume, z_mm=z_mm))
    return overlap
