"""A task sees the slices of a store at its size, with its classes, in its window."""

import errno

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cl_seg.benchmark.preprocess import downsampled, downsampled_labels
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages, fits
from cl_seg.messages.errors import InputError
from cl_seg.scans.store import Grid, SliceRow, SliceStore, create_store

from ..conftest import CLASSES, SIZE, WINDOW

CPU = torch.device("cpu")


def write(folder, hu, labels, classes=("muscle", "liver")):
    """A store of one scanner from arrays (N, S, S)."""
    size = hu.shape[-1]
    rows = [
        SliceRow(str(i), "s", "c", "p", "r", float(i), 1.0, 1.0, 120.0, "", ",".join(classes))
        for i in range(len(hu))
    ]
    with create_store(folder, list(classes), Grid(size, 1.5), {"kind": "simulated"}) as writer:
        writer.add_scanner("s", "S", rows, hu.astype(np.int16), labels.astype(np.uint8))
    return SliceStore(folder)


def test_window(tmp_path):
    hu = np.array([[[-1000, -160, 40, 240], [3000, -161, 241, 140]]]).repeat(2, axis=1)
    store = write(tmp_path / "x", hu[:, :4], np.zeros((1, 4, 4)))
    image, _ = SliceDataset(TaskImages(store, Task(("liver",), 4, WINDOW), CPU), store.slices)[0]
    expected = [[0, 0, 0.5, 1], [0, 0, 0.5, 1], [1, 0, 1, 0.75], [1, 0, 1, 0.75]]
    assert image[0].numpy() == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("muscle", "liver", "spleen"), [0, 1, 2, 3, 255]),
        (("spleen", "muscle", "liver"), [0, 2, 3, 1, 255]),
        (("liver",), [0, 0, 1, 0, 255]),
        (("spleen", "liver"), [0, 0, 2, 1, 255]),
    ],
)
def test_labels_follow_the_order_of_the_task(tmp_path, classes, expected):
    labels = np.array([0, 1, 2, 3, 255]).reshape(5, 1, 1).repeat(4, 1).repeat(4, 2)
    store = write(tmp_path / "x", np.zeros((5, 4, 4)), labels, ("muscle", "liver", "spleen"))
    task_images = TaskImages(store, Task(classes, 4, WINDOW), CPU)
    assert task_images.images_and_masks("s")[1][:, 2, 2].tolist() == expected


def test_what_is_not_mapped_already_is_written_where_there_is_room(tmp_path, monkeypatch):
    store = write(tmp_path / "x", np.zeros((3, 8, 8)), np.zeros((3, 8, 8)))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cl_seg.benchmark.task_images.tempfile.TemporaryFile", full)
    own = TaskImages(store, Task(("muscle", "liver"), 8, WINDOW), CPU).images_and_masks("s")
    assert torch.equal(own[0], torch.from_numpy(store.hu("s")))
    for task in (Task(("liver",), 8, WINDOW), Task(("muscle", "liver"), 4, WINDOW)):
        with pytest.raises(InputError, match=r"cannot write .*free some space"):
            TaskImages(store, task, CPU).images_and_masks("s")


def test_slices_are_averaged_by_area(tmp_path):
    hu = np.random.default_rng(0).integers(-1000, 1000, (70, 8, 8))
    store = write(tmp_path / "x", hu, np.zeros_like(hu))
    task_images = TaskImages(store, Task(("liver",), 4, WINDOW), CPU)
    small = task_images.images_and_masks("s")[0]
    expected = hu.reshape(70, 4, 2, 4, 2).mean((2, 4)).round()
    assert small.dtype == torch.int16 and np.array_equal(small, expected)


def test_labels_by_hand():
    quarters = np.zeros((1, 4, 4), np.uint8)
    quarters[0, :2, :2] = [[1, 1], [1, 2]]  # a block with three of four pixels 1
    quarters[0, 2:, 2:] = 255
    quarters[0, 2:, :2] = 2
    assert downsampled_labels(torch.from_numpy(quarters), 2)[0].tolist() == [[1, 0], [2, 255]]


def test_half_covered_pixels_are_shared_out_evenly():
    """A straight edge through the middle of the new pixels: no side gets them all."""
    half = np.zeros((1, 64, 64), np.uint8)
    half[0, :, 17:] = 1
    small = downsampled_labels(torch.from_numpy(half), 32)[0].numpy()
    assert np.all(small[:, :8] == 0) and np.all(small[:, 9:] == 1)
    assert small[:, 8].sum() == 16
    runs = np.flatnonzero(np.diff(small[:, 8].astype(int)))
    assert len(runs) > 12  # in turn, not in two blocks


@given(
    arrays(np.uint8, (1, 24, 24), elements=st.sampled_from([0, 1, 2, 255])),
    st.sampled_from([6, 8, 9, 12, 16, 23]),
)
def test_labels_keep_their_area(masks, size):
    small = downsampled_labels(torch.from_numpy(masks), size)[0].numpy()
    for value in (0, 1, 2, 255):
        wanted = (masks == value).sum() * (size / 24) ** 2
        assert abs((small == value).sum() - wanted) < 1


def test_images_of_any_size_are_averaged_by_area():
    hu = torch.from_numpy(np.random.default_rng(0).integers(-1000, 1000, (3, 10, 10))).short()
    blown = hu.double().repeat_interleave(4, 1).repeat_interleave(4, 2)  # 40 = 4 × 10 = 10 × 4
    expected = blown.reshape(3, 4, 10, 4, 10).mean((2, 4)).round()
    assert torch.equal(downsampled(hu, 4), expected.short())


def test_missing_class(store):
    with pytest.raises(InputError, match="has no class spleen: it has muscle, liver"):
        TaskImages(store, Task(("liver", "spleen"), SIZE, WINDOW), CPU)


def test_image_larger_than_the_store(store):
    with pytest.raises(InputError, match=r"image.size 64 is larger than the 32 pixels"):
        TaskImages(store, Task(CLASSES, 64, WINDOW), CPU)


def test_images_stay_on_the_cpu_where_they_do_not_fit(monkeypatch):
    gib = 2**30
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (20 * gib, 24 * gib))
    gpu = torch.device("cuda")
    assert fits(2 * gib, gpu) and not fits(2 * gib + 1, gpu) and fits(99 * gib, CPU)


def test_batches_have_the_same_bits_wherever_images_are_kept(store, monkeypatch):
    task, copied = Task(CLASSES, SIZE // 2, WINDOW), []
    monkeypatch.setattr(
        torch.Tensor, "pin_memory", lambda batch: copied.append(batch.dtype) or batch
    )
    kept = SliceDataset(TaskImages(store, task, CPU), store.slices)
    monkeypatch.setattr("cl_seg.benchmark.task_images.fits", lambda n_bytes, device: False)
    copying = SliceDataset(TaskImages(store, task, CPU), store.slices)
    chosen = torch.tensor([0, len(store.slices) - 1, 3])
    assert all(map(torch.equal, kept.batch(chosen), copying.batch(chosen)))
    assert copied == [torch.int16, torch.uint8], "copied as small as they are kept"
