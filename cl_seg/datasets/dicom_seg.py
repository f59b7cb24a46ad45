"""CT series with DICOM segmentations (SEG), as the Imaging Data Commons hands them out."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from cl_seg.datasets.dataset import Case, DataSet, Options
from cl_seg.datasets.segmentation_object import SegmentationObject, read_masks, read_segments
from cl_seg.files import InputError
from cl_seg.scans import nifti
from cl_seg.scans.dicom import find_series
from cl_seg.scans.files_below import files_below
from cl_seg.scans.scan import DicomSeries
from cl_seg.scans.series import Pseudonyms, Rejected, Series, UnusableError
from cl_seg.scans.store import UNLABELLED

_EVEN = 0.1  # of the distance between slices, by which one may be off its place in a NIfTI file


def read(folder: Path, options: Options) -> DataSet:
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
    left_out = closed
    for item in others:
        try:
            segmentation = read_segments(item.path, pseudonyms) if item.path.is_file() else None
        except UnusableError as error:
            left_out.append(Rejected(item.path, str(error)))
            continue
        if segmentation is None:
            left_out.append(item)
        else:
            found[segmentation.series].append(segmentation)
    _check_classes(options.classes, [one for many in found.values() for one in many])
    in_folder = Counter(folder for one in series for folder in _folders(one))
    cases: list[Case] = []
    for one in sorted(series, key=lambda one: one.path):  # they come in the order of their hashes
        case = _case(one, found[one.name], options.classes, in_folder[one.path])
        if isinstance(case, Case):
            cases.append(case)
        else:
            left_out.append(case)
    values = {name: (value,) for value, name in enumerate(options.classes, start=1)}
    return DataSet(cases, values, (UNLABELLED,), left_out=left_out)


def _check_classes(
    classes: Mapping[str, tuple[str, ...]], found: Sequence[SegmentationObject]
) -> None:
    seen = Counter(label for one in found for label in sorted(set(one.segments.values())))
    listed = ", ".join(f"{label} ({count})" for label, count in seen.most_common(12)) or "none"
    asked = [structure for named in classes.values() for structure in named]
    known = {label.casefold() for label in seen}
    missing = [structure for structure in asked if structure.casefold() not in known]
    if not asked or missing:
        wrong = f"no segment is labelled {missing[0]}" if missing else "it is not given"
        raise InputError(
            f"--class: {wrong}; the segmentations have the segments {listed}: expected e.g. "
            "--class kidney=Kidney,Mass"
        )


def _folders(series: DicomSeries) -> set[Path]:
    return {file.parent for file in series.files}


def _case(
    series: DicomSeries,
    found: Sequence[SegmentationObject],
    classes: Mapping[str, tuple[str, ...]],
    series_in_folder: int,
) -> Case | Rejected:
    if len(found) != 1:
        number = len(found) or "no"
        return Rejected(series.path, f"{number} segmentations refer to it, expected one")
    if len(_folders(series)) > 1:
        return Rejected(series.path, "its files lie in several folders: put them into one")
    if series_in_folder > 1:
        return Rejected(series.path, "its folder holds several CT series: give each its own")
    values: dict[int, int] = {}
    covered: list[str] = []
    for value, (name, structures) in enumerate(classes.items(), start=1):
        wanted = {structure.casefold() for structure in structures}
        numbers = [n for n, label in found[0].segments.items() if label.casefold() in wanted]
        values |= dict.fromkeys(numbers, value)
        covered += [name] if numbers else []
    if not covered:
        return Rejected(series.path, "its segmentation has no segment of the classes")
    writer = partial(_write, series=series, segmentation=found[0].path, values=values)
    return Case(series.path, writer, covered=() if len(covered) == len(classes) else tuple(covered))


def _write(path: Path, series: Series, segmentation: Path, values: Mapping[int, int]) -> None:
    volume = series.load(allow_implausible_hu=True)  # for its geometry; ingest looks at HU
    labels = read_masks(segmentation, values, volume)
    steps = np.diff(volume.z_mm)
    step = float(np.sort(steps)[(len(steps) - 1) // 2]) if len(steps) else 1.0
    # Positions are written rounded: what one step is off adds up over a series.
    last = np.rint(steps / step).sum()
    step = float(volume.z_mm[-1] - volume.z_mm[0]) / last if last else step
    places = (volume.z_mm - volume.z_mm[0]) / step
    index = np.rint(places).astype(int)
    if np.abs(places - index).max() > _EVEN:
        raise UnusableError("its slices are not evenly spaced, which a NIfTI file cannot say")
    # Slices the series lacks are background here; ingest takes labels at the images' positions.
    even = np.zeros((index[-1] + 1, *labels.shape[1:]), np.uint8)
    even[index] = labels
    z_mm = volume.z_mm[0] + step * np.arange(len(even))
    nifti.save(path, even, replace(volume, z_mm=z_mm))
