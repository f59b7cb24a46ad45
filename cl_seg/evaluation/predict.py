"""Labels that a network predicts for slices, on the pixels of the store."""

from collections.abc import Iterator

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import memory_mapped
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.scans.area_preserving_labels import upsample_labels
from cl_seg.scans.store import Labels

EVAL_BATCH = 16


class ImageBatches:
    """The images of some slices without their masks, (B, 1, S, S), as often as they are asked for.

    Args:
        slices: on the device of the network.
    """

    def __init__(self, slices: SliceDataset) -> None:
        self.slices = slices

    def __iter__(self) -> Iterator[Tensor]:
        return (self.slices.batch(torch.tensor(batch))[0] for batch in _batches(len(self.slices)))


def predict(model: nn.Module, slices: SliceDataset) -> tuple[Labels, Labels]:
    """Predicted and true labels of every slice on the pixels of the store, memory-mapped.

    Leaves the model's mode and every random generator as they were.

    Returns:
        (N, H, W) uint8 each, truth 255 where unknown.

    Raises:
        InputError: the folder for temporary files is full.
    """
    size, count = slices.images.store.header.grid.size, len(slices)

    def predicted(batch: range) -> Tensor:
        images, _ = slices.batch(torch.tensor(batch))
        return torch.from_numpy(predicted_labels(model(images).float().softmax(dim=1), size))

    with eval_mode(model), torch.no_grad():
        prediction = memory_mapped(map(predicted, _batches(count)), "uint8", (count, size, size))
    return prediction.numpy(), slices.truth


def _batches(count: int) -> list[range]:
    return [range(at, min(at + EVAL_BATCH, count)) for at in range(0, count, EVAL_BATCH)]


def predicted_labels(probability: Tensor, size: int) -> Labels:
    """Labels (N, size, size) uint8 on finer pixels, from probabilities (N, C, S, S).

    The largest probability decides on the pixels it was predicted on, and so how large every
    structure is. Which of the finer pixels a structure has is decided by the probabilities
    interpolated linearly on them (:func:`cl_seg.scans.area_preserving_labels.upsample_labels`).
    """
    decided = probability.max(dim=1).indices  # argmax is far slower here
    if probability.shape[-1] == size:
        return decided.to(torch.uint8).cpu().numpy()
    labels = torch.arange(probability.shape[1], device=decided.device)
    one_hot = (decided[:, None] == labels[:, None, None]).float()
    areas = one_hot.sum(dim=(2, 3)) * (size / probability.shape[-1]) ** 2
    finer = functional.interpolate(probability, (size, size), mode="bilinear")
    # One channel at a time is faster; how 0 and 1 are rounded makes no difference.
    around = functional.interpolate(one_hot.flatten(0, 1)[:, None], (size, size), mode="bilinear")
    each = (x.cpu().numpy() for x in (finer, around.reshape(finer.shape), areas))
    return np.stack([upsample_labels(*one).astype(np.uint8) for one in zip(*each, strict=True)])
