"""Dice, HD95 and ASSD against hand-worked cases, MONAI and their own symmetries."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cl_seg.metrics.contours import contour, contour_distances
from cl_seg.metrics.segmentation import (
    assd,
    dice,
    dice_of_counts,
    hd95,
    iou_of_counts,
    surface_dice,
    surface_scores,
)

from . import plain_surfaces

SHAPE = (9, 11)
masks = arrays(np.bool_, SHAPE)
spacings = st.sampled_from([0.5, 0.8, 1.0, 1.6, 3.0])


def mask(*pixels, shape=SHAPE):
    result = np.zeros(shape, bool)
    for y, x in pixels:
        result[y, x] = True
    return result


def blobs(seed, shape=(40, 37)):
    """Random smooth structures, some of which touch the image edge."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, 3) > 0.03


def test_dice_by_hand():
    a, b = mask((1, 1), (1, 2), (1, 3)), mask((1, 2), (1, 3), (1, 4), (5, 5), (6, 6))
    assert dice(a, b) == pytest.approx(2 * 2 / 8)
    assert dice(a, a) == 1
    assert dice(a, mask((5, 5))) == 0
    assert dice(a, mask()) == 0
    assert math.isnan(dice(mask(), mask()))
    assert dice_of_counts(2, 3, 5) == 0.5
    assert math.isnan(dice_of_counts(0, 0, 0))


def test_distances_of_single_pixels():
    a, b = mask((2, 2)), mask((5, 6))
    assert hd95(a, b, 1.6) == pytest.approx(5 * 1.6)
    assert assd(a, b, 1.6) == pytest.approx(5 * 1.6)


def test_percentile_and_mean_by_hand():
    prediction, truth = mask((4, 2), (4, 6)), mask((4, 2))
    # prediction → truth: 0 and 4; truth → prediction: 0. numpy interpolates the percentile.
    assert hd95(prediction, truth, 1.0) == pytest.approx(0.95 * 4)
    assert assd(prediction, truth, 1.0) == pytest.approx((0 + 4 + 0) / 3)


def test_hd95_is_the_larger_direction_not_the_pooled_percentile():
    truth = mask((4, 0))
    prediction = np.zeros(SHAPE, bool)
    prediction[4, :] = True
    forth = np.arange(11.0)
    assert hd95(prediction, truth, 1.0) == pytest.approx(np.percentile(forth, 95))
    assert hd95(prediction, truth, 1.0) > np.percentile([*forth, 0], 95)


def test_surface_dice_by_hand():
    truth = mask((4, 2), (4, 3), (4, 4))
    found = mask((4, 4), (4, 5), (4, 6), (4, 7))
    # To the other contour: truth 2, 1, 0 pixels, found 0, 1, 2, 3.
    assert surface_dice(found, truth, 1.5, 0.0) == pytest.approx(2 / 7)
    assert surface_dice(found, truth, 1.5, 1.5) == pytest.approx(4 / 7)
    assert surface_dice(found, truth, 1.5, 3.0) == pytest.approx(6 / 7)
    assert surface_dice(found, truth, 1.5, 4.5) == 1
    assert surface_dice(found, truth, 1.5) == pytest.approx(6 / 7)


@given(masks, masks, spacings, st.floats(0, 20))
def test_surface_dice_is_symmetric_and_grows_with_the_tolerance(a, b, spacing, tolerance):
    assume(a.any() or b.any())
    score = surface_dice(a, b, spacing, tolerance)
    assert 0 <= score <= surface_dice(a, b, spacing, tolerance + 1) <= 1
    assert score == surface_dice(b, a, spacing, tolerance)
    assert surface_dice(a, a, spacing, 0.0) == 1 or not a.any()
    if a.any() and b.any():
        assert surface_dice(a, b, spacing, 100.0) == 1


def test_distances_are_between_borders_not_to_the_filled_structure():
    block = np.zeros(SHAPE, bool)
    block[2:5, 2:5] = True
    centre = mask((3, 3))
    borders = contour(block)[None], contour(centre)[None]
    (to_centre,), (to_border,) = contour_distances(*borders), contour_distances(*borders[::-1])
    assert sorted(to_centre) == pytest.approx([1] * 4 + [math.sqrt(2)] * 4)
    assert to_border.tolist() == [1]
    assert assd(block, centre, 1.0) == pytest.approx((4 + 4 * math.sqrt(2) + 1) / 9)


def test_the_image_edge_is_a_border():
    full = np.ones(SHAPE, bool)
    assert contour(full).sum() == 2 * (9 + 11) - 4
    assert hd95(full, full, 1.0) == 0


@pytest.mark.parametrize("score", [hd95, assd])
def test_empty_masks(score):
    empty, something = mask(), mask((3, 3))
    diagonal = 1.6 * math.hypot(*SHAPE)
    assert math.isnan(score(empty, empty, 1.6))
    assert score(empty, something, 1.6) == pytest.approx(diagonal)
    assert score(something, empty, 1.6) == pytest.approx(diagonal)


def test_a_miss_is_worse_than_any_find_unlike_in_monai():
    """MONAI gives NaN, which its mean drops (MONAI#9095)."""
    import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
    import torch
    from monai.metrics import compute_hausdorff_distance

    corner, opposite, empty = mask((0, 0)), mask((8, 10)), mask()
    one_hot = [torch.tensor(m)[None, None].float() for m in (empty, corner)]
    theirs = compute_hausdorff_distance(*one_hot, include_background=True, percentile=95)
    assert not torch.isfinite(theirs).any()
    assert hd95(empty, corner, 1.0) >= hd95(opposite, corner, 1.0)


def many_pairs(count=1000, shape=(20, 17)):
    """Smooth and ragged, small and large, and empty structures: two stacks of masks."""
    from scipy import ndimage

    random = np.random.default_rng(5)
    noise = random.normal(size=(2, count, *shape))
    smooth = ndimage.gaussian_filter(noise, (0, 0, 2, 2)) * 6
    fields = np.where(random.random((2, count, 1, 1)) < 0.7, smooth, noise)
    stacks = fields > random.uniform(-1, 2.5, (2, count, 1, 1))
    stacks[0, :20], stacks[1, 10:40] = False, False
    return stacks


def test_equal_to_monai():
    """On a thousand pairs of random masks, and where MONAI gives nothing a miss is the diagonal."""
    import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
    import torch
    from monai.metrics import (
        compute_average_surface_distance,
        compute_dice,
        compute_hausdorff_distance,
        compute_iou,
        compute_surface_dice,
    )

    found, true = many_pairs()
    pair = [torch.tensor(stack)[:, None].float() for stack in (found, true)]
    settings = {"include_background": True, "spacing": 1.6}
    theirs = {
        "dice": compute_dice(*pair, ignore_empty=True),
        "iou": compute_iou(*pair, ignore_empty=True),
        "hd95": compute_hausdorff_distance(*pair, percentile=95, **settings),
        "assd": compute_average_surface_distance(*pair, symmetric=True, **settings),
        "surface dice": compute_surface_dice(*pair, class_thresholds=[3.2], **settings),
    }
    theirs = {name: values[:, 0].numpy() for name, values in theirs.items()}
    seen = {"both": 0, "one": 0, "none": 0}
    for k, (a, b) in enumerate(zip(found, true, strict=True)):
        counts = [int(np.count_nonzero(m)) for m in (a & b, a, b)]
        ours = {"hd95": hd95(a, b, 1.6), "assd": assd(a, b, 1.6)}
        if a.any() and b.any():
            seen["both"] += 1
            ours |= {"dice": dice(a, b), "iou": iou_of_counts(*counts)}
            ours |= {"surface dice": surface_dice(a, b, 1.6, 3.2)}
            for name, value in ours.items():
                assert value == pytest.approx(theirs[name][k], rel=1e-5, abs=1e-6), (name, k)
        elif a.any() or b.any():
            seen["one"] += 1
            assert set(ours.values()) == {1.6 * math.hypot(*a.shape)}
            assert dice(a, b) == iou_of_counts(*counts) == surface_dice(a, b, 1.6, 3.2) == 0
        else:
            seen["none"] += 1
            assert math.isnan(surface_dice(a, b, 1.6, 3.2))
            assert all(math.isnan(v) for v in (*ours.values(), dice(a, b), iou_of_counts(*counts)))
    assert seen["both"] > 800 and seen["one"] > 20 and seen["none"] >= 10


def test_equal_to_all_distances_between_border_pixels():
    """On a thousand pairs of random masks, by scipy's table of distances between all points."""
    from scipy.ndimage import binary_erosion
    from scipy.spatial.distance import cdist

    for a, b in zip(*many_pairs(), strict=True):
        if a.any() and b.any():
            points = [np.argwhere(m & ~binary_erosion(m)) * 0.7 for m in (a, b)]
            table = cdist(*points)
            directed = table.min(1), table.min(0)
            expected = max(np.percentile(d, 95) for d in directed)
            assert hd95(a, b, 0.7) == pytest.approx(expected, rel=1e-9)
            assert assd(a, b, 0.7) == pytest.approx(np.concatenate(directed).mean(), rel=1e-9)


def test_equal_to_distance_maps_bit_for_bit():
    """On a thousand pairs of random masks, one by one and all at once."""
    found, true = many_pairs()
    plain = [plain_surfaces.surface_scores(a, b, 1.6) for a, b in zip(found, true, strict=True)]
    alone = [(hd95(a, b, 1.6), assd(a, b, 1.6)) for a, b in zip(found, true, strict=True)]
    assert np.array_equal(plain, alone, equal_nan=True)
    together = surface_scores(contour(found), contour(true), 1.6)
    assert np.array_equal(np.transpose(plain), together[:2], equal_nan=True)


@given(masks, masks, spacings)
def test_symmetric(a, b, spacing):
    assume(a.any() or b.any())
    assert dice(a, b) == dice(b, a)
    assert hd95(a, b, spacing) == hd95(b, a, spacing)
    assert assd(a, b, spacing) == pytest.approx(assd(b, a, spacing))


@given(masks, masks, spacings)
def test_range(a, b, spacing):
    assume(a.any() or b.any())
    diagonal = spacing * math.hypot(*SHAPE)
    assert 0 <= dice(a, b) <= 1
    assert 0 <= assd(a, b, spacing) <= diagonal
    assert 0 <= hd95(a, b, spacing) <= diagonal
    assert (dice(a, b) == 1) == np.array_equal(a, b)


@given(masks, spacings)
def test_identity(a, spacing):
    assume(a.any())
    assert dice(a, a) == 1 and hd95(a, a, spacing) == 0 and assd(a, a, spacing) == 0


@given(masks, masks, spacings)
def test_scales_with_spacing(a, b, spacing):
    assume(a.any() or b.any())
    for score in (hd95, assd):
        assert score(a, b, spacing) == pytest.approx(spacing * score(a, b, 1.0))


@given(masks, masks, st.integers(1, 5), st.integers(1, 5))
def test_moves_with_the_structures(a, b, dy, dx):
    assume(a.any() and b.any())

    def placed(structure, y, x):
        canvas = np.zeros((20, 20), bool)
        canvas[y : y + SHAPE[0], x : x + SHAPE[1]] = structure
        return canvas

    for score in (
        dice,
        lambda p, t: hd95(p, t, 1.0),
        lambda p, t: assd(p, t, 1),
    ):
        here, there = ((placed(a, *at), placed(b, *at)) for at in ((1, 1), (1 + dy, 1 + dx)))
        assert score(*here) == pytest.approx(score(*there))
