import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.phantom.anatomy.field import LazyField
from cl_seg.phantom.anatomy.layers import Layer, add_visible
from cl_seg.phantom.tissues import TISSUES

SIZE, HEIGHTS = 12, 3


def random_layers(seed, count=6):
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        top, left = rng.integers(0, SIZE - 4, 2)
        box = slice(top, top + 4), slice(left, left + 4)
        cover = np.clip(rng.uniform(-0.5, 1.5, (HEIGHTS, 4, 4)), 0, 1).astype(np.float32)
        share = float(rng.uniform())
        one, other = rng.choice(TISSUES, 2, replace=False)
        layers.append(Layer(box, cover, {one: share, other: 1 - share}))
    return layers


def painted_one_after_the_other(layers):
    fractions = np.zeros((len(TISSUES), HEIGHTS, SIZE, SIZE))
    fractions[TISSUES.index("air")] = 1
    for layer in layers:
        fractions[:, :, *layer.box] *= 1 - layer.cover
        for tissue, amount in layer.mix.items():
            fractions[TISSUES.index(tissue), :, *layer.box] += amount * layer.cover
    return fractions.mean(axis=1)


def seen(layers):
    fractions = np.zeros((len(TISSUES), SIZE, SIZE), np.float32)
    add_visible(layers, HEIGHTS, fractions)
    return fractions


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_what_is_seen_is_what_painting_one_after_the_other_leaves(seed):
    layers = random_layers(seed)
    np.testing.assert_allclose(seen(layers), painted_one_after_the_other(layers), atol=1e-5)


class Forbidden(LazyField):
    def _compute(self, box):
        raise AssertionError("a hidden field was computed")


def test_what_is_hidden_is_not_computed():
    box, cover = (slice(0, 4), slice(0, 4)), np.ones((HEIGHTS, 4, 4), np.float32)
    layers = [Layer(box, cover, {"liver": Forbidden()}), Layer(box, cover, {"skin": 1.0})]
    assert seen(layers)[TISSUES.index("skin"), :4, :4].min() == 1
