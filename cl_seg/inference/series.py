"""Saved models on all CT series of a source: label files, and a table of measurements."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
from torch import nn

from cl_seg.active_learning.embedding import pooled_features
from cl_seg.files.write import new_folder, write_text
from cl_seg.inference.dice_calibration import mean_agreement
from cl_seg.inference.measure import measurements
from cl_seg.inference.monitor import Monitor, Observation, read_monitor
from cl_seg.inference.predict import SlicePrediction, place_input, predict_slices
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.inference.source import file_as_named, find_series_for_prediction, first_file
from cl_seg.inference.stability import low_stability_notes
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.records.model_card import ModelCard
from cl_seg.scans import nifti
from cl_seg.scans.resample import size_notes, truncation_notes
from cl_seg.scans.scanner.aliases import Aliases
from cl_seg.scans.scanner.identity import Scanner
from cl_seg.scans.scanner.image_kind import kind_note
from cl_seg.scans.scanner.manufacturer import is_anonymised
from cl_seg.scans.series import RejectedFile, Series, UnusableError, Volume, by_folder
from cl_seg.scans.slice_spacing import spacing_notes
from cl_seg.scans.store import Grid, Labels

CASES, MEASUREMENTS = "cases.csv", "measurements.csv"
UNKNOWN = "unknown"
SIMULATED_ONLY = "the model has learned from simulated CT alone: check its masks"
OnProgress = Callable[[int, int], None]


def _no_progress(done: int, total: int) -> None:
    """Default of ``on_progress``: no report."""


@dataclass(frozen=True)
class Ensemble:
    """Networks of the same classes and input, whose probabilities are averaged.

    Attributes:
        models: the networks.
        cards: of each.
        monitor: of the first one, None where its folder has none. Of several networks it has no
            calibration, which is of the agreement of one alone.
    """

    models: list[nn.Module]
    cards: list[ModelCard]
    monitor: Monitor | None = None

    def trained_on_scanner(self, identities: Sequence[Scanner]) -> str:
        """Whether every network was trained on a scanner: "yes", "no" or "unknown".

        Args:
            identities: the scanner in every identity it may be stored as.
        """

        def all_of(is_stored: Callable[[Scanner, str, str], bool]) -> bool:
            return all(
                any(
                    is_stored(identity, *known)
                    for identity in identities
                    for known in card.scanners.items()
                )
                for card in self.cards
            )

        if all_of(Scanner.is_stored_as):
            return "yes"
        return UNKNOWN if all_of(Scanner.may_be_stored_as) else "no"

    @property
    def simulated(self) -> bool:
        """True where no network has seen any but simulated CT."""
        return all(card.simulated for card in self.cards)


@dataclass(frozen=True)
class PredictionOptions:
    """PredictionOptions of predicting a series.

    Attributes:
        n_augmentations: test-time augmentations (rotated, rescaled copies) per slice, which show
            how stable a result is.
        measure: whether areas and HU are written.
        height_m: of the patient, for the skeletal muscle index; None when unknown.
        aliases: scanner aliases merged over those of the package.
        salt: secret for the hashes of series.
        allow_implausible_hu: whether values that cannot be HU are taken as they are.
    """

    n_augmentations: int = 0
    measure: bool = False
    height_m: float | None = None
    aliases: Path | None = None
    salt: bytes = b"none"
    allow_implausible_hu: bool = False


def load_ensemble(folders: Sequence[Path], trusted_network: str = "") -> Ensemble:
    """Load model folders that predict together, see :func:`read_model_folder`.

    Raises:
        InputError: one is no model folder, or they differ in classes or input.
    """
    loaded = [read_model_folder(folder, trusted_network) for folder in folders]
    first = loaded[0][1]
    for folder, (_, card) in zip(folders, loaded, strict=True):
        if (card.classes, card.input) != (first.classes, first.input):
            raise InputError(
                f"{folder} has other classes or another input than {folders[0]}: only models of "
                "the same task predict together"
            )
    monitor = read_monitor(folders[0], first.weights_sha256)
    if monitor and len(folders) > 1:
        monitor = replace(monitor, calibration=None)
    return Ensemble([model for model, _ in loaded], [card for _, card in loaded], monitor)


@dataclass(frozen=True)
class PredictedCase:
    """A CT series with the labels predicted on it.

    Attributes:
        identification: case, scanner, whether the models have seen it ("yes", "no", "unknown"),
            series, file.
        volume: the series; None where it could not be read.
        labels: (N, H, W) uint8 on the pixels of the series, 0 background, then the classes.
        measurements: a row per slice and class, see :func:`cl_seg.inference.measure.measurements`.
        notes: what the user should know; why the series could not be read.
        observation: for the monitor; None where there is none.
    """

    identification: dict[str, Any]
    volume: Volume | None
    labels: Labels
    measurements: list[dict[str, Any]]
    notes: list[str]
    observation: Observation | None = None

    def save(self, folder: Path) -> list[Path]:
        """Write the labels as NIfTI, one file per segment of evenly spaced slices.

        Returns:
            ``case-001.nii.gz``, or ``case-001a.nii.gz`` and so on.
        """
        if self.volume is None:
            return []
        paths = []
        for letter, piece in nifti.lettered_segments(self.volume.z_mm):
            part = replace(self.volume, hu=self.volume.hu[piece], z_mm=self.volume.z_mm[piece])
            paths.append(folder / f"{self.identification['case']}{letter}.nii.gz")
            nifti.save(paths[-1], self.labels[piece], part)
        return paths


def predict_source(
    ensemble: Ensemble,
    source: Path,
    out: Path,
    options: PredictionOptions,
    on_progress: OnProgress = _no_progress,
) -> tuple[pd.DataFrame, list[RejectedFile]]:
    """Predict every CT series of a source and write a folder of results, whole or not at all.

    Of a DICOM header no identifier is written but salted hashes. A NIfTI file has none: its path
    is written as the user named it.

    Args:
        ensemble: predicts.
        source: see :func:`predict_cases`.
        out: to make: label files (:meth:`PredictedCase.save`), ``cases.csv``, and
            ``measurements.csv`` where ``options`` ask for it.
        options: of the prediction.
        on_progress: called with the slices done and all.

    Returns:
        A row per series: case, scanner, seen, series, file, slices, note, and what the monitor
        says of it (:meth:`cl_seg.inference.monitor.Monitor.row`); and files left out.

    Raises:
        InputError: nothing usable, or a height given for several patients.
    """
    cases: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    left_out: list[RejectedFile] = []
    with new_folder(out) as building:
        for case in predict_cases(ensemble, source, options, on_progress, left_out):
            case.save(building)
            rows += case.measurements
            cases.append(_case_row(ensemble.monitor, case, options.n_augmentations))
        table = pd.DataFrame(cases)
        if not table["slices"].any():
            reasons = "; ".join(dict.fromkeys(table["note"]))
            raise InputError(f"{source} holds no CT series that can be read: {reasons}")
        write_text(building / CASES, table.to_csv(index=False))
        if options.measure:
            write_text(building / MEASUREMENTS, pd.DataFrame(rows).to_csv(index=False))
    return table, by_folder(left_out)


def _case_row(monitor: Monitor | None, case: PredictedCase, augmentations: int) -> dict[str, Any]:
    row = {
        **case.identification,
        "slices": len(case.labels),
        "note": "; ".join(case.notes),
        "verdict": "",
    }
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
        InputError: nothing usable, or a height given for several patients.
    """
    options = options or PredictionOptions()
    found = find_series_for_prediction(Path(source), ensemble.cards[0].classes, options.salt)
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
    for number, scan in enumerate(scans, start=1):
        identification = {"case": f"case-{number:03d}", **_scanner(scan.series, aliases, ensemble)}
        identification["file"] = file_as_named(scan.series, Path(source))
        try:
            volume = scan.series.load(options.allow_implausible_hu)
        except UnusableError as error:
            yield PredictedCase(
                identification, None, np.zeros((0, 0, 0), np.uint8), [], [str(error)]
            )
            continue
        left_out += volume.rejected
        case = _predicted(
            ensemble, volume, identification, options, lambda: on_progress(next(done), total)
        )
        notes = [*_kind_notes(scan.series, aliases), *scan.series.notes, *case.notes]
        yield replace(case, notes=notes)


def _predicted(
    ensemble: Ensemble,
    volume: Volume,
    identification: dict[str, Any],
    options: PredictionOptions,
    advance: Callable[[], None],
) -> PredictedCase:
    network_input = ensemble.cards[0].input
    placement = place_input(volume, network_input)
    masks: list[Labels] = []
    rows: list[dict[str, Any]] = []
    stabilities: dict[str, list[float | None]] = {}
    predictions = predict_slices(
        ensemble.models, network_input, volume, options.n_augmentations, placement
    )
    features = []
    with _pooled_features(ensemble) as kept:
        for index, prediction in enumerate(predictions):
            masks.append(prediction.labels)
            where = {**identification, "body_cut": "yes" if placement.truncated[index] else "no"}
            measured = _measured(where, volume, index, prediction, ensemble, options)
            rows += measured
            for row in measured:
                stabilities.setdefault(row["class"], []).append(row["agreement"])
            features += [one[0] for one in kept[-1:]]  # the image before its augmented copies
            kept.clear()
            advance()
    observation = None
    if features:
        observation = Observation(np.mean(features, axis=0), mean_agreement(stabilities))
    notes = [*volume.notes(), *spacing_notes(volume.z_mm), *size_notes(placement)]
    notes += truncation_notes(placement, Grid(network_input.grid_size, network_input.spacing_mm))
    if volume.rejected:
        notes.append(f"{counted(len(volume.rejected), 'slice')} could not be read")
    notes += low_stability_notes(stabilities)
    if ensemble.simulated and "simulated" not in identification["scanner"].casefold():
        notes.append(SIMULATED_ONLY)
    return PredictedCase(identification, volume, np.stack(masks), rows, notes, observation)


def _pooled_features(ensemble: Ensemble) -> AbstractContextManager[list[Any]]:
    """Record the features of the first network, where a monitor needs them."""
    if ensemble.monitor is None:
        return nullcontext([])
    return pooled_features(ensemble.models[0], ensemble.monitor.features.layer)


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


def _measured(
    place: dict[str, Any],
    volume: Volume,
    index: int,
    prediction: SlicePrediction,
    ensemble: Ensemble,
    options: PredictionOptions,
) -> list[dict[str, Any]]:
    where = {"slice": index, "z_mm": round(float(volume.z_mm[index]), 3)}
    classes = ensemble.cards[0].classes
    measured = measurements(
        volume.hu[index], prediction, classes, volume.spacing_mm, options.height_m
    )
    return [{**place, **where, **{k: _rounded(v) for k, v in row.items()}} for row in measured]


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
