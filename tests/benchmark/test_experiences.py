"""Batches are what items say they are, on any part of a store and under Avalanche's operations."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from avalanche.training import Naive
from torch.utils.data import DataLoader, default_collate

from cl_seg.benchmark.experiences import DenseDataset, collate, dense_dataset
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.losses import dice_cross_entropy
from cl_seg.messages.errors import InputError

from ..conftest import SCANNERS, SIZE, WINDOW, tiny_network


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


def test_plain_avalanche_trains_and_evaluates(benchmark):
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
