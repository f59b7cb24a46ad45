"""Scores of a model on slices: per case and class, and curves while training."""

from collections.abc import Mapping, Sequence
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import in_temporary_file
from cl_seg.losses import IGNORED
from cl_seg.metrics.effort import added_path_length, area_to_correct
from cl_seg.metrics.muscle import area_cm2, area_error_percent
from cl_seg.metrics.segmentation import dice_of_counts, iou_of_counts, surface_scores
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.scans.shares import finer_labels

EVAL_BATCH = 16
Labels = npt.NDArray[np.uint8]


def predict(model: nn.Module, slices: SliceDataset) -> tuple[Labels, Labels]:
    """Predicted and true labels of every slice on the pixels of the store, memory-mapped.

    Leaves the model's mode and every random generator as they were.

    Returns:
        (N, H, W) uint8 each, truth 255 where unknown.

    Raises:
        InputError: the folder for temporary files is full.
    """
    size, count = slices.images.store.header.grid.size, len(slices)
    batches = [range(at, min(at + EVAL_BATCH, count)) for at in range(0, count, EVAL_BATCH)]

    def predicted(batch: range) -> Tensor:
        images, _ = slices.batch(torch.tensor(batch))
        return torch.from_numpy(labels_on(model(images).float().softmax(dim=1), size))

    with eval_mode(model), torch.no_grad():
        prediction = in_temporary_file(map(predicted, batches), "uint8", (count, size, size))
    return prediction.numpy(), slices.truth


def labels_on(probability: Tensor, size: int) -> Labels:
    """Labels (N, size, size) uint8 of probabilities (N, C, S, S) on finer pixels of one image.

    The largest probability decides on the pixels it was predicted on, and so how large every
    structure is. Which of the finer pixels a structure has is decided by the probabilities
    interpolated linearly on them (:func:`cl_seg.scans.shares.finer_labels`).
    """
    decided = probability.argmax(dim=1)
    if probability.shape[-1] == size:
        return decided.to(torch.uint8).cpu().numpy()
    classes = probability.shape[1]
    one_hot = functional.one_hot(decided, classes).movedim(-1, 1).float()
    finer = [
        functional.interpolate(shares, (size, size), mode="bilinear").cpu().numpy()
        for shares in (probability, one_hot)
    ]
    areas = one_hot.sum(dim=(2, 3)).cpu().numpy() * (size / probability.shape[-1]) ** 2
    each = zip(*finer, areas, strict=True)
    return np.stack([finer_labels(*one).astype(np.uint8) for one in each])


def case_scores(
    prediction: Labels, truth: Labels, cases: Sequence[str], classes: Sequence[str], mm: float
) -> list[dict[str, Any]]:
    """One row per case and class.

    Dice and IoU add up the pixels of all slices of a case; its area and the errors of it are those
    of the mean slice, errors positive where too much is found; surface distances are the mean over
    the slices in which the class is true or predicted, NaN when there are none; so are the length
    of the true contour, what of it a person would have to draw, and the area to correct, 0 when
    there are none.
    Pixels of unknown truth take no part.

    Args:
        prediction: (N, H, W) uint8.
        truth: (N, H, W) uint8, 255 unknown.
        cases: case of each slice.
        classes: names of labels 1, 2, ….
        mm: pixel size in mm.
    """
    of_case: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        of_case.setdefault(case, []).append(index)
    rows = []
    for case, indices in of_case.items():
        known = truth[indices] != IGNORED
        for label, name in enumerate(classes, start=1):
            found = (prediction[indices] == label) & known
            true = (truth[indices] == label) & known
            rows.append({"case": case, "class": name, **_scores(found, true, mm)})
    return rows


def _scores(found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_], mm: float) -> dict[str, Any]:
    overlap, predicted, truth_px = (
        int(np.count_nonzero(mask)) for mask in (found & true, found, true)
    )
    pairs = [(f, t) for f, t in zip(found, true, strict=True) if f.any() or t.any()]
    surfaces = [surface_scores(f, t, mm) for f, t in pairs]
    return {
        "overlap": overlap,
        "predicted": predicted,
        "true": truth_px,
        "dice": dice_of_counts(overlap, predicted, truth_px),
        "iou": iou_of_counts(overlap, predicted, truth_px),
        "true_cm2": area_cm2(truth_px / len(found), mm),
        "area_error_cm2": area_cm2((predicted - truth_px) / len(found), mm),
        "area_error_percent": area_error_percent(predicted, truth_px),
        "contour_mm": _mean([added_path_length(t & False, t, mm) for _, t in pairs], 0.0),
        "added_path_mm": _mean([added_path_length(f, t, mm) for f, t in pairs], 0.0),
        "to_correct_cm2": _mean([area_to_correct(f, t, mm) for f, t in pairs], 0.0),
        "hd95_mm": _mean([distances[0] for distances in surfaces]),
        "assd_mm": _mean([distances[1] for distances in surfaces]),
        "missed": bool(truth_px and not predicted),
        "false_positive_cm2": area_cm2(predicted - overlap, mm),
    }


def _mean(values: list[float], of_none: float = float("nan")) -> float:
    return float(np.mean(values)) if values else of_none


def slice_dice(prediction: Labels, truth: Labels, classes: int) -> npt.NDArray[np.float64]:
    """Dice of every slice, the mean over the classes it has or is said to have.

    Args:
        prediction: (N, H, W) uint8.
        truth: (N, H, W) uint8, 255 unknown.
        classes: number of foreground classes.

    Returns:
        (N,), NaN where no class is true or predicted.
    """
    scores = np.full((len(truth), classes), np.nan)
    for index, (found, true) in enumerate(zip(prediction, truth, strict=True)):
        for label in range(1, classes + 1):
            scores[index, label - 1] = dice_of_counts(**pixel_counts(found, true, label))
    known = np.isfinite(scores).sum(axis=1)
    return np.where(known, np.nansum(scores, axis=1) / np.maximum(known, 1), np.nan)


def ranked_slices(dice: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    """Indices of the worst, the median and the best slice; the first where none has a Dice."""
    order = np.argsort(dice, kind="stable")[: int(np.isfinite(dice).sum())]
    if not len(order):
        return 0, 0, 0
    return int(order[0]), int(order[len(order) // 2]), int(order[-1])


def pixel_counts(prediction: Labels, truth: Labels, label: int) -> dict[str, int]:
    """Pixels of one label, any shape: in both, predicted, and true; unknown truth left out."""
    known = truth != IGNORED
    found, true = (prediction == label) & known, (truth == label) & known
    return {
        "overlap": int(np.count_nonzero(found & true)),
        "predicted": int(np.count_nonzero(found)),
        "true": int(np.count_nonzero(true)),
    }


class ValidationCurve(SupervisedPlugin):  # type: ignore[misc]
    """Pixel counts on the validation slices of some scanners, every few optimiser steps.

    Counts, not scores, so that a change of a metric asks for no training.

    Args:
        slices: scanner → its validation slices.
        classes: names of labels 1, 2, ….
        every: steps between two points; the last step of a stage is always one.
    """

    def __init__(
        self, slices: Mapping[str, SliceDataset], classes: Sequence[str], every: int
    ) -> None:
        super().__init__()
        self.slices, self.classes, self.every = slices, classes, every
        self.rows: list[dict[str, Any]] = []

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Score when it is time."""
        step, steps = strategy.step, strategy.settings.steps
        if not self.every or (step % self.every and step != steps):
            return
        for scanner, slices in self.slices.items():
            prediction, truth = predict(strategy.model, slices)
            for label, name in enumerate(self.classes, start=1):
                counts = pixel_counts(prediction, truth, label)
                self.rows.append({"step": step, "scanner": scanner, "class": name, **counts})

    def state_dict(self) -> dict[str, Any]:
        """The points so far, as plain data."""
        return {"rows": list(self.rows)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from earlier points."""
        self.rows = list(state["rows"])
