"""The images and labels of a store that a task sees, scanner by scanner, memory-mapped."""

import copy
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cl_seg.benchmark.preprocess import downsampled, downsampled_labels
from cl_seg.files.write import writable
from cl_seg.scans.store import UNLABELLED, SliceStore, check_offers

CHUNK = 64  # slices resized at once, bounds the memory of the resize
BYTES_PER_PIXEL = 3  # int16 HU and uint8 label
RESIDENT_SHARE = 0.1  # of a GPU's free memory, of which every process on that GPU may take as much


@dataclass(frozen=True)
class Task:
    """A segmentation task: the structures that networks tell apart on images of a size and window.

    Attributes:
        classes: names of the foreground classes, in the order of the output channels 1, 2, ….
        image_size: height and width in pixels.
        window_hu: HU mapped to 0 and to 1.
    """

    classes: tuple[str, ...]
    image_size: int
    window_hu: tuple[float, float]


class TaskImages:
    """The slices of a store as a task sees them: resized, labels in the task's order.

    A scanner is read when first asked for and kept: on the device where all scanners of the store
    fit into a tenth of its free memory, else on the CPU, from where every batch is copied.

    Attributes:
        resident: whether images are kept on the device.

    Raises:
        InputError: the store lacks a class, or its slices are smaller than the task's images.
    """

    def __init__(self, store: SliceStore, task: Task, device: torch.device) -> None:
        self.store, self.task, self.device = store, task, device
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}
        self._truth: dict[str, Tensor] = {}
        header = store.header
        check_offers(header, store.folder, task.classes, task.image_size)
        self._lookup = torch.zeros(256, dtype=torch.uint8)
        self._lookup[UNLABELLED] = UNLABELLED
        for channel, name in enumerate(task.classes, start=1):
            self._lookup[header.classes.index(name) + 1] = channel
        pixels = len(store.slices) * task.image_size**2
        self.resident = fits(pixels * BYTES_PER_PIXEL, device)

    def images_and_masks(self, name: str) -> tuple[Tensor, Tensor]:
        """(N, S, S) int16 HU and (N, S, S) uint8 labels of one scanner, where they are kept.

        On the CPU these are memory-mapped files: the store's own where it has the task's size and
        classes, else temporary ones, so that memory does not grow with the number of slices where
        the folder for temporary files (``TMPDIR``) is on a disk.

        Raises:
            InputError: that folder is full.
        """
        if name not in self._kept:
            images, masks = torch.from_numpy(self.store.hu(name)), self.truth(name)
            size = self.task.image_size
            if masks.shape[-1] != size:
                seen = (downsampled_labels(chunk, size) for chunk in masks.split(CHUNK))  # type: ignore[no-untyped-call]
                masks = memory_mapped(seen, "uint8", (len(masks), size, size))
                seen = (downsampled(chunk, size) for chunk in images.split(CHUNK))  # type: ignore[no-untyped-call]
                images = memory_mapped(seen, "int16", (len(images), size, size))
            kept_on = self.device if self.resident else torch.device("cpu")
            self._kept[name] = images.to(kept_on), masks.to(kept_on)
        return self._kept[name]

    def on_device(self, batch: Tensor) -> Tensor:
        """A batch on the device, copied while the device still computes where it was not there."""
        return batch if self.resident else batch.pin_memory().to(self.device, non_blocking=True)

    def relabelled(self, masks: Mapping[str, Tensor]) -> "TaskImages":
        """The same images of some scanners, to be learned with other labels.

        Args:
            masks: scanner → (N, S, S) uint8 labels where the images are kept.
        """
        other = copy.copy(self)
        other._kept = {name: (self.images_and_masks(name)[0], own) for name, own in masks.items()}
        return other

    def truth(self, name: str) -> Tensor:
        """(N, H, W) uint8 labels of one scanner in the task's order, on the pixels of the store.

        Memory-mapped on the CPU: the store's own file where it has the task's classes.

        Raises:
            InputError: the folder for temporary files is full.
        """
        if name not in self._truth:
            labels = torch.from_numpy(self.store.labels(name))
            if self.task.classes != tuple(self.store.header.classes):
                known = (self._lookup[chunk.int()] for chunk in labels.split(CHUNK))  # type: ignore[no-untyped-call]
                labels = memory_mapped(known, "uint8", tuple(labels.shape))
            self._truth[name] = labels
        return self._truth[name]


def fits(n_bytes: int, device: torch.device) -> bool:
    """Whether images of a size are kept on a device: always on the CPU, which maps their files."""
    if device.type == "cpu":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return n_bytes <= RESIDENT_SHARE * free


def memory_mapped(chunks: Iterable[Tensor], dtype: str, shape: tuple[int, ...]) -> Tensor:
    """A tensor, written chunk by chunk and memory-mapped; its file is gone when the tensor is.

    Raises:
        InputError: the folder for temporary files is full.
    """
    # Written, not assigned to a map, so that a full disk is an error and not a crash.
    with writable(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk.numpy().tobytes())
        file.flush()
        return torch.from_numpy(np.memmap(file, dtype, "r+", shape=shape))
