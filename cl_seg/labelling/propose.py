"""Proposes labels for the unlabelled slices, the least certain first."""

from collections.abc import Iterable
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np

from cl_seg.inference.measure import agreement_and_area, areas_cm2, pixel_mm, variation
from cl_seg.inference.observe import MIDDLE
from cl_seg.inference.predict import SlicePrediction, predict_slices
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.labelling.cases import case_volumes
from cl_seg.labelling.choose import unlabelled
from cl_seg.labelling.embed import check_fits
from cl_seg.labelling.queue import Origin, SliceToLabel
from cl_seg.labelling.train import OnProgress
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Labels, SliceStore

N_AUGMENTATIONS = 4


def propose_labels(
    store: SliceStore,
    scanner: str,
    model_folder: Path,
    trusted_network: str,
    on_progress: OnProgress,
) -> tuple[Origin, list[SliceToLabel]]:
    """Labels for all slices of a scanner that have none, to be corrected.

    Args:
        store: with slices that are not labelled yet.
        scanner: folder name.
        model_folder: of the network that proposes.
        trusted_network: see :func:`cl_seg.inference.saved_model.read_model_folder`.
        on_progress: called with the slices done and all.

    Returns:
        Origin and slices of the queue, least confident first.

    Raises:
        InputError: the model does not fit the store, or no slice is left.
    """
    left = list(unlabelled(store, scanner)["slice_id"])
    model, card = read_model_folder(model_folder, trusted_network)
    check_fits(store, card, model_folder)
    waiting, proposed = set(left), []
    for case in case_volumes(store, scanner, left):
        predictions = predict_slices([model], card.input, case.volume, N_AUGMENTATIONS, MIDDLE)
        labels, sure = labels_and_confidence(predictions, case.volume, len(card.classes))
        proposed += [
            SliceToLabel(slice_id, each, found)
            for slice_id, each, found in zip(case.rows["slice_id"], sure, labels, strict=True)
            if slice_id in waiting
        ]
        on_progress(len(proposed), len(left))
    proposed.sort(key=lambda one: one.confidence)
    origin = Origin(
        content_sha256=store.header.content_sha256,
        scanner=scanner,
        classes=card.classes,
        chosen_by="confidence",
        slices=len(proposed),
        proposed_by=card.weights_sha256,
    )
    return origin, proposed


def labels_and_confidence(
    predictions: Iterable[SlicePrediction], volume: Volume, n_classes: int
) -> tuple[Labels, list[float]]:
    """Labels of a series, and how stable each slice is under test-time augmentation.

    It orders the slices of one model; it is no probability of being right.

    Args:
        predictions: of the slices.
        volume: the series.
        n_classes: without the background.

    Returns:
        (N, H, W) uint8, and N numbers from 0 to 1, the smallest over classes, see
        :func:`cl_seg.inference.stability.doubted`.
    """
    labels, variations, mm = [], [], pixel_mm(volume)
    for prediction in predictions:
        labels.append(prediction.labels)
        variations.append(variation(prediction, n_classes, mm))
    found = np.stack(labels)
    agreement, _ = agreement_and_area(variations, areas_cm2(found, n_classes, mm), volume.z_mm)
    return found, agreement.min(axis=1).tolist()
