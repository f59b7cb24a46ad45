"""Batches are what items say they are, on any part of a store and under Avalanche's operations."""

import errno

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import pytest
import torch
from avalanche.training import Naive
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.utils.data import DataLoader, default_collate

from cl_seg.benchmark import (
    DenseDataset,
    SliceDataset,
    Task,
    TaskImages,
    collate,
    dense_benchmark,
    dense_dataset,
    reduced,
    reduced_labels,
    stream_selections,
)
from cl_seg.losses import dice_cross_entropy
from cl_seg.messages.errors import InputError
from cl_seg.scans.store import Grid, Slice, SliceStore, create_store

from .conftest import CLASSES, SCANNERS, SIZE, WINDOW, tiny_network

CPU = torch.device("cpu")


def write(folder, hu, labels, classes=("muscle", "liver")):
    """A store of one scanner from arrays (N, S, S)."""
    size = hu.shape[-1]
    rows = [
        Slice(str(i), "s", "c", "p", "r", float(i), 1.0, 1.0, 120.0, "", ",".join(classes))
        for i in range(len(hu))
    ]
    with create_store(folder, list(classes), Grid(size, 1.5), {"kind": "simulated"}) as writer:
        writer.add_scanner("s", "S", rows, hu.astype(np.int16), labels.astype(np.uint8))
    return SliceStore(folder)


@pytest.fixture
def datasets(images, store):
    """Datasets of the kinds Avalanche's plugins make."""
    slices = store.slices
    alpha, beta = (dense_dataset(images, slices[slices.scanner == s]) for s in SCANNERS[:2])
    both = dense_dataset(images, slices.sample(frac=1, random_state=0))
    joined = alpha.concat(beta)
    return {
        "plain": alpha,
        "several scanners": both,
        "subset": alpha.subset([3, 1, 1, 7]),
        "subset of subset": alpha.subset([5, 3, 1, 7]).subset([2, 0]),
        "concat": joined,
        "subset of concat": joined.subset([0, len(alpha), 2, len(alpha) + 5, 1]),
        "concat of subsets": alpha.subset([2, 0]).concat(beta.subset([4, 1])),
        "concat of subsets of one": alpha.subset([2, 0]).concat(alpha.subset([0, 5])),
        "three parts": alpha.subset([2]).concat(beta.subset([4, 1])).concat(both.subset([9, 8])),
        "twice the same": alpha.concat(alpha),
        "train": joined.train(),
        "eval": joined.subset([4, 20]).eval(),
    }


KINDS = [
    "plain", "several scanners", "subset", "subset of subset", "concat", "subset of concat",
    "concat of subsets", "concat of subsets of one", "three parts", "twice the same", "train",
    "eval",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_batch_is_its_items(datasets, kind, monkeypatch):
    dataset = datasets[kind]
    assert isinstance(dataset, DenseDataset)
    order = [*np.random.default_rng(0).permutation(len(dataset)).tolist(), 0]
    items = default_collate([dataset[i] for i in order])
    monkeypatch.setattr(SliceDataset, "__getitem__", None)  # batches are not made of items
    batch = dataset.collate_fn(dataset.__getitems__(order))
    for got, expected in zip(batch, items, strict=True):
        assert got.dtype == expected.dtype and torch.equal(got, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_loader_covers_the_dataset_in_order(datasets, kind):
    dataset = datasets[kind]
    loader = DataLoader(dataset, batch_size=4, collate_fn=dataset.collate_fn)
    parts = zip(*loader, strict=True)
    pictures, masks, task_labels = (torch.cat(part) for part in parts)
    expected = default_collate([dataset[i] for i in range(len(dataset))])
    assert torch.equal(pictures, expected[0]) and torch.equal(masks, expected[1])
    assert (task_labels == 0).all()


def test_items_are_the_slices_of_the_store(images, store):
    rows = store.slices.sample(frac=1, random_state=1)
    dataset = SliceDataset(images, rows)
    low, high = WINDOW
    for i, (_, row) in enumerate(rows.iterrows()):
        image, mask = dataset[i]
        hu = store.hu(row.scanner)[row.row].astype(np.float32)
        np.testing.assert_allclose(image[0], np.clip((hu - low) / (high - low), 0, 1), atol=1e-6)
        assert np.array_equal(mask, store.labels(row.scanner)[row.row])
    assert image.shape == (1, SIZE, SIZE) and image.dtype == torch.float32
    assert mask.shape == (SIZE, SIZE) and mask.dtype == torch.int64


def test_items_cannot_be_changed_through_a_batch(images, store):
    dataset = SliceDataset(images, store.slices[:4])
    before = dataset[0][1].clone()
    dataset.batch(torch.arange(4))[1].fill_(9)
    dataset.batch(torch.arange(4))[0].fill_(9)
    assert torch.equal(dataset[0][1], before) and dataset[0][0].max() <= 1


def test_other_parts_are_loaded_item_by_item(images, store):
    ours = dense_dataset(images, store.slices[:3])
    foreign = DenseDataset([[ours[i][:2] for i in range(2)]], collate_fn=collate)
    batch = foreign.__getitems__([1, 0])
    assert isinstance(batch, list) and torch.equal(collate(batch)[1][0], ours[1][1])


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
    assert task_images.scanner("s")[1][:, 2, 2].tolist() == expected


def test_what_is_not_mapped_already_is_written_where_there_is_room(tmp_path, monkeypatch):
    store = write(tmp_path / "x", np.zeros((3, 8, 8)), np.zeros((3, 8, 8)))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cl_seg.benchmark.tempfile.TemporaryFile", full)
    own = TaskImages(store, Task(("muscle", "liver"), 8, WINDOW), CPU).scanner("s")
    assert torch.equal(own[0], torch.from_numpy(store.hu("s")))
    for task in (Task(("liver",), 8, WINDOW), Task(("muscle", "liver"), 4, WINDOW)):
        with pytest.raises(InputError, match=r"cannot write .*free some space"):
            TaskImages(store, task, CPU).scanner("s")


def test_slices_are_averaged_by_area(tmp_path):
    hu = np.random.default_rng(0).integers(-1000, 1000, (70, 8, 8))
    store = write(tmp_path / "x", hu, np.zeros_like(hu))
    task_images = TaskImages(store, Task(("liver",), 4, WINDOW), CPU)
    small = task_images.scanner("s")[0]
    expected = hu.reshape(70, 4, 2, 4, 2).mean((2, 4)).round()
    assert small.dtype == torch.int16 and np.array_equal(small, expected)


def test_labels_by_hand():
    quarters = np.zeros((1, 4, 4), np.uint8)
    quarters[0, :2, :2] = [[1, 1], [1, 2]]  # a block with three of four pixels 1
    quarters[0, 2:, 2:] = 255
    quarters[0, 2:, :2] = 2
    assert reduced_labels(torch.from_numpy(quarters), 2)[0].tolist() == [[1, 0], [2, 255]]


def test_half_covered_pixels_are_shared_out_evenly():
    """A straight edge through the middle of the new pixels: no side gets them all."""
    half = np.zeros((1, 64, 64), np.uint8)
    half[0, :, 17:] = 1
    small = reduced_labels(torch.from_numpy(half), 32)[0].numpy()
    assert np.all(small[:, :8] == 0) and np.all(small[:, 9:] == 1)
    assert small[:, 8].sum() == 16
    runs = np.flatnonzero(np.diff(small[:, 8].astype(int)))
    assert len(runs) > 12  # in turn, not in two blocks


@given(
    arrays(np.uint8, (1, 24, 24), elements=st.sampled_from([0, 1, 2, 255])),
    st.sampled_from([6, 8, 9, 12, 16, 23]),
)
def test_labels_keep_their_area(masks, size):
    small = reduced_labels(torch.from_numpy(masks), size)[0].numpy()
    for value in (0, 1, 2, 255):
        wanted = (masks == value).sum() * (size / 24) ** 2
        assert abs((small == value).sum() - wanted) <= 2


def test_images_of_any_size_are_averaged_by_area():
    hu = torch.from_numpy(np.random.default_rng(0).integers(-1000, 1000, (3, 10, 10))).short()
    blown = hu.double().repeat_interleave(4, 1).repeat_interleave(4, 2)  # 40 = 4 × 10 = 10 × 4
    expected = blown.reshape(3, 4, 10, 4, 10).mean((2, 4)).round()
    assert torch.equal(reduced(hu, 4), expected.short())


def test_missing_class(store):
    with pytest.raises(InputError, match="has no class spleen: it has muscle, liver"):
        TaskImages(store, Task(("liver", "spleen"), SIZE, WINDOW), CPU)


def test_image_larger_than_the_store(store):
    with pytest.raises(InputError, match=r"image.size 64 is larger than the 32 pixels"):
        TaskImages(store, Task(CLASSES, 64, WINDOW), CPU)


def test_empty_selection(images, store):
    with pytest.raises(InputError, match="empty"):
        dense_dataset(images, store.slices[:0])


def test_streams_and_experiences(benchmark, parts):
    for name in ("train", "validation", "test"):
        stream = benchmark.streams[name]
        assert len(stream) == 3
        for scanner, experience in zip(SCANNERS, stream, strict=True):
            rows = experience.dataset._flat_data._datasets[0].rows
            expected = parts[(parts.scanner == scanner) & (parts.part == name)]
            assert rows.slice_id.tolist() == expected.slice_id.tolist()


def test_avalanche_sees_neither_targets_nor_task_labels(benchmark):
    for experience in benchmark.train_stream:
        assert not hasattr(experience, "task_labels")
        assert not hasattr(experience.dataset, "targets")
        assert isinstance(experience.dataset, DenseDataset)


def test_order_is_that_of_the_stream(parts):
    order = ("gamma", "alpha")
    streams = stream_selections(parts, order)
    assert [list(pd.unique(rows.scanner)) for rows in streams["train"]] == [["gamma"], ["alpha"]]
    assert sum(len(rows) for stream in streams.values() for rows in stream) == int(
        parts.scanner.isin(order).sum()
    )


def test_plain_avalanche_trains_and_evaluates(images, parts):
    selections = stream_selections(parts, SCANNERS)
    benchmark = dense_benchmark(images, {"train": selections["train"], "test": selections["test"]})
    model = tiny_network()
    before = [p.detach().clone() for p in model.parameters()]
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        criterion=dice_cross_entropy,
        train_mb_size=5,
        eval_mb_size=4,
        evaluator=None,
    )
    for experience in benchmark.train_stream:
        strategy.train(experience, shuffle=True)
    assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    strategy.eval(benchmark.test_stream)
