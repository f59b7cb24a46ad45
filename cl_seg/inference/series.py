"""Saved models on all CT series of a source: label files, and a table of measurements."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd

from cl_seg.analysis.contour_sheet import ContourSheet, LabelledCase
from cl_seg.files.write import new_folder, replaced_folder, write_text
from cl_seg.inference.ensemble import UNKNOWN, Ensemble
from cl_seg.inference.largest_piece import check_single_pieces
from cl_seg.inference.measure import measure_cases
from cl_seg.inference.monitor import Monitor
from cl_seg.inference.predicted_case import PredictedCase, PredictionOptions, predict_case
from cl_seg.inference.source import (
    case_names,
    file_as_named,
    find_series_for_prediction,
    first_file,
)
from cl_seg.messages.errors import InputError
from cl_seg.scans.dicom.header import printable_name
from cl_seg.scans.scanner.aliases import Aliases
from cl_seg.scans.scanner.image_kind import kind_note
from cl_seg.scans.scanner.manufacturer import is_anonymised
from cl_seg.scans.series import RejectedFile, Series, UnusableError, by_folder

CASES, MEASUREMENTS, SHEET = "cases.csv", "measurements.csv", "contours.html"
OnProgress = Callable[[int, int], None]


def _no_progress(done: int, total: int) -> None:
    """Default of ``on_progress``: no report."""


def predict_source(
    ensemble: Ensemble,
    source: Path,
    out: Path,
    options: PredictionOptions,
    on_progress: OnProgress = _no_progress,
) -> tuple[pd.DataFrame, list[RejectedFile]]:
    """Predict every CT series of a source and write a folder of results, whole or not at all.

    Of a DICOM header no identifier is written but salted hashes. A NIfTI file has none: its path
    is written as the user named it. Absolute paths are written where ``options`` ask for them.

    Args:
        ensemble: predicts.
        source: see :func:`predict_cases`.
        out: to make: label files (:meth:`PredictedCase.save`), ``cases.csv``, and where
            ``options`` ask for them ``measurements.csv`` and ``contours.html``. A folder that holds
            an earlier prediction is replaced where ``options`` say so.
        options: of the prediction.
        on_progress: called with the slices done and all.

    Returns:
        A row per series: case, scanner, seen, series, file, path where asked for, slices, note,
        ``agreement_<class>`` (:func:`cl_seg.inference.stability.case_stability`), and what the
        monitor says of it (:meth:`cl_seg.inference.monitor.Monitor.row`); and files left out.

    Raises:
        InputError: nothing usable, or a height given for several patients.
    """
    cases: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    left_out: list[RejectedFile] = []
    sheet = ContourSheet("Predicted contours", ensemble.classes)
    with _output_folder(out, options.overwrite) as building:
        for case in predict_cases(ensemble, source, options, on_progress, left_out):
            case.save(building)
            if options.sheet and case.volume is not None:
                name = str(case.identification["case"])
                sheet.add(LabelledCase(name, case.volume.hu, case.labels))
            rows += case.measurements
            cases.append(_case_row(ensemble.monitor, case, options.n_augmentations))
        table = pd.DataFrame(cases)
        if not table["slices"].any():
            reasons = "; ".join(dict.fromkeys(table["note"]))
            raise InputError(f"{source} holds no CT series that can be read: {reasons}")
        write_text(building / CASES, table.to_csv(index=False))
        if options.measure:
            write_text(building / MEASUREMENTS, pd.DataFrame(rows).to_csv(index=False))
        if options.sheet:
            sheet.write(building / SHEET)
    return table, by_folder(left_out)


def _output_folder(out: Path, overwrite: bool) -> AbstractContextManager[Path]:
    """A new folder, or one in place of an earlier prediction and of nothing else."""
    if not overwrite or not out.exists():
        return new_folder(out)
    if not (out / CASES).is_file():
        raise InputError(f"--overwrite: {out} holds no earlier prediction ({CASES}): left as it is")
    return replaced_folder(out)


def _case_row(monitor: Monitor | None, case: PredictedCase, augmentations: int) -> dict[str, Any]:
    row = {
        **case.identification,
        "slices": len(case.labels),
        "note": "; ".join(case.notes),
        "verdict": "",
    }
    if case.measurements:
        measured = measure_cases(pd.DataFrame(case.measurements)).round({"agreement": 4})
        names = [f"agreement_{name}" for name in measured["class"]]
        row |= dict(zip(names, measured["agreement"], strict=True))
    if monitor and case.observation:
        row |= monitor.row(case.observation, augmentations)
    return row


def predict_cases(
    ensemble: Ensemble,
    source: Path,
    options: PredictionOptions | None = None,
    on_progress: OnProgress = _no_progress,
    left_out: list[RejectedFile] | None = None,
) -> Iterator[PredictedCase]:
    """Predict the CT series of a source, one after the other, in the order of their paths.

    Args:
        ensemble: predicts.
        source: folder of DICOM files or of NIfTI files, ``.csv`` manifest, or one NIfTI file. Of a
            folder that holds both the NIfTI files, which may be labels, are left out.
        options: of the prediction.
        on_progress: called with the slices done and all.
        left_out: files that could not be used are added to it.

    Raises:
        InputError: nothing usable, a height given for several patients, or the largest piece of a
            class that the models do not know.
    """
    options = options or PredictionOptions()
    check_single_pieces(options.largest_piece, ensemble.classes)
    found = find_series_for_prediction(Path(source), ensemble.classes, options.salt)
    scans = sorted(found.scans, key=lambda scan: str(first_file(scan.series)))
    patients = {scan.series.patient for scan in scans}
    if options.height_m is not None and len(patients) > 1:
        raise InputError(
            f"`height_m` (--height-m): {source} holds {len(patients)} patients: give one "
            "patient's series"
        )
    left_out = [] if left_out is None else left_out
    left_out += found.rejected
    total, done = sum(scan.series.n_slices for scan in scans), count(1)
    aliases = Aliases(options.aliases)
    files = [file_as_named(scan.series, Path(source)) for scan in scans]
    for scan, name, file in zip(scans, case_names(files), files, strict=True):
        identification = {"case": name, **_scanner(scan.series, aliases, ensemble), "file": file}
        if options.paths:
            identification["path"] = printable_name(str(first_file(scan.series).absolute()))
        try:
            volume = scan.series.load(options.allow_implausible_hu)
        except UnusableError as error:
            yield PredictedCase(
                identification, None, np.zeros((0, 0, 0), np.uint8), [], [str(error)]
            )
            continue
        left_out += volume.rejected
        case = predict_case(
            ensemble, volume, identification, options, lambda: on_progress(next(done), total)
        )
        notes = [*_kind_notes(scan.series, aliases), *scan.series.notes, *case.notes]
        notes += ensemble.limits("simulated" in identification["scanner"].casefold())
        yield replace(case, notes=notes)


def _scanner(series: Series, aliases: Aliases, ensemble: Ensemble) -> dict[str, Any]:
    """Name of the scanner, and whether the models have seen it; never left out silently."""
    header = series.scanner_header
    if not header.given_name and is_anonymised(header.manufacturer):
        return {"scanner": UNKNOWN, "seen": UNKNOWN, "series": series.name}
    known = aliases.identify(header)
    if known is None:
        shown = f"{header.manufacturer} {header.model}".strip()
        return {"scanner": shown, "seen": "no", "series": series.name}
    seen = ensemble.trained_on_scanner(aliases.identify_by_every_choice_of_fields(header))
    return {"scanner": known.display_name({header.kernel}), "seen": seen, "series": series.name}


def _kind_notes(series: Series, aliases: Aliases) -> list[str]:
    known = aliases.identify(series.scanner_header)
    kind = known.kind if known else series.scanner_header.kind
    return [f"{kind}: {kind_note(kind)}"] if kind else []
