"""Proposes labels for the unlabelled slices, the least certain first."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip

from cl_seg.inference.agreement import agreement
from cl_seg.inference.predict import SlicePrediction, predict_slices
from cl_seg.inference.saved_model import load_model
from cl_seg.labelling.cases import case_volumes
from cl_seg.labelling.choose import unlabelled
from cl_seg.labelling.embed import check_fits
from cl_seg.labelling.queue import Origin, QueueItem
from cl_seg.labelling.train import OnProgress
from cl_seg.scans.resample import Placement
from cl_seg.scans.store import SliceStore

VARIANTS = 4
MIDDLE = Placement((0.0, 0.0))


def propose_labels(
    store: SliceStore, scanner: str, teacher: tuple[Path, str], on_progress: OnProgress
) -> tuple[Origin, list[QueueItem]]:
    """Labels for all slices of a scanner that have none, to be corrected.

    Args:
        store: with slices that are not labelled yet.
        scanner: folder name.
        teacher: model folder of the network that proposes, and trusted ``module:callable`` of it.
        on_progress: called with the slices done and all.

    Returns:
        What makes a queue of them, least confident first.

    Raises:
        InputError: the model does not fit the store, or no slice is left.
    """
    left = list(unlabelled(store, scanner)["slice_id"])
    model, card = load_model(*teacher)
    check_fits(store, card, teacher[0])
    waiting, proposed = set(left), []
    for case in case_volumes(store, scanner, left):
        predictions = predict_slices([model], card.input, case.volume, VARIANTS, MIDDLE)
        for slice_id, prediction in zip(case.rows["slice_id"], predictions, strict=True):
            if slice_id in waiting:
                sure = confidence(prediction, len(card.classes))
                proposed.append(QueueItem(slice_id, sure, prediction.labels))
                on_progress(len(proposed), len(left))
    proposed.sort(key=lambda one: one.confidence)
    origin = Origin(
        content=store.header.content,
        scanner=scanner,
        classes=card.classes,
        chosen_by="confidence",
        slices=len(proposed),
        proposed_by=card.weights_sha256,
    )
    return origin, proposed


def confidence(prediction: SlicePrediction, classes: int) -> float:
    """Stability of a prediction when the image is turned and scaled a little, 0 to 1.

    The smallest agreement of the variants over classes. It orders the slices of one model; it is no
    probability of being right.
    """
    return min(agreement(prediction, label) for label in range(1, classes + 1))
