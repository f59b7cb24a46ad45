"""A CT series with the labels that saved models predict on it, and what is measured in them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np

from cl_seg.active_learning.embedding import pooled_features
from cl_seg.inference.dice_calibration import mean_agreement
from cl_seg.inference.ensemble import Ensemble
from cl_seg.inference.largest_piece import keep_largest_pieces, removal_notes
from cl_seg.inference.measure import (
    Variation,
    areas_cm2,
    measure_series,
    pixel_mm,
    variation,
    variation_of_what_is_left,
)
from cl_seg.inference.monitor import Observation
from cl_seg.inference.predict import place_input, predict_slices
from cl_seg.inference.stability import low_stability_notes
from cl_seg.messages.plural import counted
from cl_seg.scans import nifti
from cl_seg.scans.resample import Placement, size_notes, truncation_notes
from cl_seg.scans.series import Volume
from cl_seg.scans.slice_spacing import spacing_notes
from cl_seg.scans.store import Grid, Labels


@dataclass(frozen=True)
class PredictionOptions:
    """How series are predicted, and what is written of them.

    Attributes:
        n_augmentations: test-time augmentations (rotated, rescaled copies) per slice, which show
            how stable a result is.
        measure: whether areas and HU are written.
        height_m: of the patient, for the skeletal muscle index; None when unknown.
        aliases: scanner aliases merged over those of the package.
        salt: secret for the hashes of series.
        allow_implausible_hu: whether values that cannot be HU are taken as they are.
        largest_piece: classes of which only the largest connected piece is kept.
        overwrite: whether an earlier prediction gives way to the new one.
        paths: whether the tables have the path of every series, which may name the patient.
        sheet: whether a page with contours on a few slices of every case is written.
    """

    n_augmentations: int = 0
    measure: bool = False
    height_m: float | None = None
    aliases: Path | None = None
    salt: bytes = b"none"
    allow_implausible_hu: bool = False
    largest_piece: tuple[str, ...] = ()
    overwrite: bool = False
    paths: bool = False
    sheet: bool = False


@dataclass(frozen=True)
class PredictedCase:
    """A CT series with the labels predicted on it.

    Attributes:
        identification: case, scanner, whether the models have seen it ("yes", "no", "unknown"),
            series, file.
        volume: the series; None where it could not be read.
        labels: (N, H, W) uint8 on the pixels of the series, 0 background, then the classes.
        measurements: a row per slice and class, see
            :func:`cl_seg.inference.measure.measure_series`.
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
            A NIfTI file is named as the one that was predicted. Of DICOM it is
            ``case-001.nii.gz``, or ``case-001a.nii.gz`` and so on.
        """
        if self.volume is None:
            return []
        paths = []
        suffix = ".nii" if self.identification["file"].lower().endswith(".nii") else ".nii.gz"
        for letter, piece in nifti.lettered_segments(self.volume.z_mm):
            part = replace(self.volume, hu=self.volume.hu[piece], z_mm=self.volume.z_mm[piece])
            paths.append(folder / f"{self.identification['case']}{letter}{suffix}")
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            nifti.save(paths[-1], self.labels[piece], part)
        return paths


def predict_case(
    ensemble: Ensemble,
    volume: Volume,
    identification: dict[str, Any],
    options: PredictionOptions,
    advance: Callable[[], None],
) -> PredictedCase:
    """Predict a series and measure its labels.

    Args:
        ensemble: predicts.
        volume: the series.
        identification: of the case.
        options: of the prediction.
        advance: called after every slice.
    """
    network_input, classes = ensemble.cards[0].input, ensemble.classes
    placement = place_input(volume, network_input)
    predicted, variations, features = _slice_by_slice(
        ensemble, volume, placement, options.n_augmentations, advance
    )
    labels = keep_largest_pieces(predicted, classes, options.largest_piece)
    left = areas_cm2(labels, len(classes), pixel_mm(volume))
    removed = areas_cm2(predicted, len(classes), pixel_mm(volume)) - left
    of_labels = [
        variation_of_what_is_left(*each) for each in zip(variations, removed, left, strict=True)
    ]
    rows = [
        {
            **identification,
            "body_cut": "yes" if placement.truncated[row["slice"]] else "no",
            **{name: _rounded(value) for name, value in row.items()},
        }
        for row in measure_series(volume, labels, of_labels, classes, options.height_m)
    ]
    grid = Grid(network_input.grid_size, network_input.spacing_mm)
    notes = [*_notes(volume, placement, grid), *_doubts(rows, classes)]
    notes += removal_notes(removed, classes)
    observation = _observation(features, variations, classes) if features else None
    return PredictedCase(identification, volume, labels, rows, notes, observation)


def _slice_by_slice(
    ensemble: Ensemble,
    volume: Volume,
    placement: Placement,
    n_augmentations: int,
    advance: Callable[[], None],
) -> tuple[Labels, list[Variation], list[Any]]:
    """Labels, their variation and the features of all slices; no features without a monitor."""
    labels, variations, features = [], [], []
    with _pooled_features(ensemble) as kept:
        for prediction in predict_slices(
            ensemble.models, ensemble.cards[0].input, volume, n_augmentations, placement
        ):
            labels.append(prediction.labels)
            variations.append(variation(prediction, len(ensemble.classes), pixel_mm(volume)))
            features += [one[0] for one in kept[-1:]]  # the image before its augmented copies
            kept.clear()
            advance()
    return np.stack(labels), variations, features


def _pooled_features(ensemble: Ensemble) -> AbstractContextManager[list[Any]]:
    """Record the features of the first network, where a monitor needs them."""
    if ensemble.monitor is None:
        return nullcontext([])
    return pooled_features(ensemble.models[0], ensemble.monitor.features.layer)


def _observation(
    features: list[Any], variations: list[Variation], classes: list[str]
) -> Observation:
    stabilities = np.array([each.agreement for each in variations]).T
    known = [own[~np.isnan(own)].tolist() for own in stabilities]
    by_class = dict(zip(classes, known, strict=True))
    return Observation(np.mean(features, axis=0), mean_agreement(by_class))


def _notes(volume: Volume, placement: Placement, grid: Grid) -> list[str]:
    notes = [*volume.notes(), *spacing_notes(volume.z_mm), *size_notes(placement)]
    notes += truncation_notes(placement, grid)
    if volume.rejected:
        notes.append(f"{counted(len(volume.rejected), 'slice')} could not be read")
    return notes


def _doubts(rows: list[dict[str, Any]], classes: list[str]) -> list[str]:
    """Notes on slices to look at, and on classes of which nothing is found."""
    by_class = {name: [row for row in rows if row["class"] == name] for name in classes}
    notes = low_stability_notes({n: [r["agreement"] for r in own] for n, own in by_class.items()})
    absent = [name for name, own in by_class.items() if not any(row["area_cm2"] for row in own)]
    return [*notes, *(f"{name} is found on no slice" for name in absent)]


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
