"""Labels from fractions: areas are kept, no pixel gets what is not in it, no side is preferred."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from cl_seg.scans.area_preserving_labels import (
    assign_labels_by_fraction,
    lengths_within,
    overlap_lengths,
    upsample_labels,
)


def blocks(labels, size):
    """(C, size, size) fractions of the labels of a larger square."""
    values = np.unique(labels)
    side = len(labels) // size
    return np.stack([
        (labels == value).reshape(size, side, size, side).mean((1, 3)) for value in values
    ])  # fmt: skip


def random_labels(rng, size, classes):
    """Blobs and thin pieces of several labels."""
    labels = np.zeros((size, size), int)
    for label in range(1, classes):
        field = ndimage.gaussian_filter(rng.normal(size=labels.shape), rng.uniform(1, 6))
        labels[field > np.quantile(field, rng.uniform(0.6, 0.95))] = label
    return labels


@example(seed=3223, side=3, classes=4)  # more pixels of a label were wanted than contain it
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 4]), st.integers(2, 4))
def test_areas_are_kept(seed, side, classes):
    labels = random_labels(np.random.default_rng(seed), 24 * side, classes)
    fractions = blocks(labels, 24)
    chosen = assign_labels_by_fraction(fractions, fractions.sum(axis=(1, 2)))
    counts = np.bincount(chosen.ravel(), minlength=len(fractions))
    assert np.abs(counts - fractions.sum(axis=(1, 2))).max() < 1
    assert np.all(np.take_along_axis(fractions, chosen[None], axis=0) > 0)


@pytest.mark.parametrize(("side", "seed"), [(3, 1712), (4, 89), (5, 93), (6, 898)])
def test_areas_are_kept_where_a_constant_per_label_is_not_found_one_by_one(side, seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=(2 * side, 2 * side), p=rng.dirichlet([0.4] * 4))
    fractions = np.stack([
        (labels == label).reshape(side, 2, side, 2).mean((1, 3)) for label in range(4)
    ])  # fmt: skip
    areas = fractions.sum(axis=(1, 2))
    chosen = assign_labels_by_fraction(fractions, areas)
    assert np.abs(np.bincount(chosen.ravel(), minlength=4) - areas).max() < 1
    assert np.all(np.take_along_axis(fractions, chosen[None], axis=0) > 0)


@pytest.mark.parametrize("seed", range(5))
def test_no_assignment_with_these_areas_has_a_larger_share(seed):
    """Against the Hungarian algorithm, which needs a place per pixel."""
    fractions = blocks(random_labels(np.random.default_rng(seed), 40, 3), 10)
    chosen = assign_labels_by_fraction(fractions, fractions.sum(axis=(1, 2)))
    places = np.repeat(
        np.arange(len(fractions)), np.bincount(chosen.ravel(), minlength=len(fractions))
    )
    flat = fractions.reshape(len(fractions), -1)
    rows, columns = linear_sum_assignment(-flat[places])
    best = flat[places[rows], columns].sum()
    ours = np.take_along_axis(fractions, chosen[None], axis=0).sum()
    assert ours >= best - 0.01 * len(rows)  # ties are decided by less than this


def test_pure_pixels_are_what_they_are():
    labels = np.repeat(np.repeat(np.array([[0, 1], [2, 1]]), 4, axis=0), 4, axis=1)
    assert np.array_equal(
        assign_labels_by_fraction(blocks(labels, 8), np.array([16.0, 32, 16])), labels
    )


def test_a_thin_wall_keeps_its_area_where_the_largest_share_loses_it():
    y, x = np.indices((256, 256)) - 127.5
    wall = ((np.hypot(x, y) < 100) & (np.hypot(x, y) > 95)).astype(int)  # 5 of 8 pixels wide
    fractions = blocks(wall, 32)
    assert fractions.argmax(axis=0).sum() * 64 < 0.8 * wall.sum()
    kept = assign_labels_by_fraction(fractions, fractions.sum(axis=(1, 2)))
    assert kept.sum() * 64 == pytest.approx(wall.sum(), abs=64)


def plain_assignment(fractions, areas):
    """The same rule, written down plainly: every label in every pixel, all others each time."""
    labels, count = fractions.argmax(axis=0), len(fractions)
    mixed = fractions.max(axis=0) < 1 - 1e-3
    if not mixed.any():
        return labels
    left = np.maximum(areas - np.bincount(labels[~mixed], minlength=count), 0)
    share = left * (mixed.sum() / left.sum()) if left.sum() else np.full(count, mixed.sum() / count)
    wanted = np.floor(share).astype(int)
    wanted[np.argsort(wanted - share, kind="stable")[: mixed.sum() - wanted.sum()]] += 1
    steps = np.outer(np.arange(1, count + 1), (0.7548776662466927, 0.5698402909980532))
    value = fractions[:, mixed] + 5e-3 * ((steps @ np.array(np.nonzero(mixed), float)) % 1.0)
    value[fractions[:, mixed] <= 1e-3] = -np.inf
    added = np.zeros(count)
    for _ in range(100):
        raised = value + added[:, None]
        if np.array_equal(np.bincount(raised.argmax(axis=0), minlength=count), wanted):
            break
        for label in range(count):
            others = np.delete(value + added[:, None], label, axis=0).max(axis=0)
            ranked = np.r_[-np.inf, np.sort(others - value[label]), np.inf]
            added[label] = constant_between(*ranked[wanted[label] : wanted[label] + 2])
    labels[mixed] = (value + added[:, None]).argmax(axis=0)
    return labels


def constant_between(low, high):
    """The middle; one beyond the only finite bound; 0 where there is none."""
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    return low + 1 if np.isfinite(low) else high - 1 if np.isfinite(high) else 0.0


def random_fractions(seed, classes, sharpness):
    """(C, 12, 13) fractions, mixed everywhere to pure almost everywhere."""
    noise = np.random.default_rng(seed).normal(size=(classes, 12, 13))
    field = sharpness * ndimage.gaussian_filter(noise, (0, 2, 2))
    raised = np.exp(field - field.max(axis=0))
    return (raised / raised.sum(axis=0)).astype(np.float32)


fractions_of_labels = st.builds(
    random_fractions, st.integers(0, 10**6), st.integers(2, 4), st.sampled_from([1, 20, 500])
)


@given(fractions_of_labels)
def test_equal_to_the_plain_assignment(fractions):
    areas = fractions.sum(axis=(1, 2), dtype=float)
    expected = plain_assignment(fractions, areas)
    assert np.array_equal(assign_labels_by_fraction(fractions, areas), expected)


@given(fractions_of_labels)
def test_finer_labels_are_the_plain_assignment_where_labels_meet(probability):
    decided = np.eye(len(probability), dtype=np.float32)[probability.argmax(axis=0)]
    decided = ndimage.uniform_filter(np.moveaxis(decided, -1, 0), (0, 3, 3))
    areas = decided.sum(axis=(1, 2), dtype=float)
    joined = np.where(decided.max(axis=0) > 1 - 1e-3, decided, probability)
    expected = plain_assignment(joined, areas)
    assert np.array_equal(upsample_labels(probability, decided, areas), expected)


@given(st.integers(1, 12), st.integers(1, 12))
def test_shared_lengths_fill_both_sides(source, target):
    lengths = overlap_lengths(source, target)
    assert lengths.shape == (target, source)
    assert np.all(lengths.sum(axis=0) == target) and np.all(lengths.sum(axis=1) == source)


def test_lengths_between():
    lengths = lengths_within(np.array([0.0, 2.0, 4.0]), 2.0, 0.5, 3.5)
    assert lengths.tolist() == [0.5, 2.0, 0.5]


def test_finer_labels_change_nothing_where_all_around_agrees():
    decided = np.zeros((2, 4, 4))
    decided[0, :, :2] = decided[1, :, 3] = 1
    decided[:, :, 2] = 0.5
    probability = np.full((2, 4, 4), 0.5)
    found = upsample_labels(probability, decided, np.array([10.0, 6.0]))
    assert np.all(found[:, :2] == 0) and np.all(found[:, 3] == 1) and found[:, 2].sum() == 2
