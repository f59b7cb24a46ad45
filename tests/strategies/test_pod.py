"""Distillation of pooled feature maps: written-out values, levels of the networks, no traces."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.strategies.lwf.plugin import LwF
from cl_seg.strategies.pod.feature_maps import feature_maps, find_layers
from cl_seg.strategies.pod.plugin import POD, pod, pooled

from ..conftest import tiny_network, weights
from ..training.conftest import make_loop, tagged_benchmark


def test_pooled_of_a_map_written_out():
    """Two regions per side: a row within a region is averaged over its width, and so on."""
    a = torch.tensor([[1.0, 2.0, 0.0, 1.0],
                      [3.0, 0.0, 1.0, 1.0],
                      [0.0, 1.0, 2.0, 2.0],
                      [1.0, 0.0, 0.0, 3.0]])  # fmt: skip
    squares = [[1, 4, 0, 1], [9, 0, 1, 1], [0, 1, 4, 4], [1, 0, 0, 9]]
    assert a.square().tolist() == squares
    of_whole = [6 / 4, 11 / 4, 9 / 4, 10 / 4, 11 / 4, 5 / 4, 5 / 4, 15 / 4]
    rows = [5 / 2, 1 / 2, 9 / 2, 2 / 2, 1 / 2, 8 / 2, 1 / 2, 9 / 2]
    columns = [10 / 2, 4 / 2, 1 / 2, 2 / 2, 1 / 2, 1 / 2, 4 / 2, 13 / 2]
    spatial = torch.tensor([*of_whole, *rows, *columns])
    over_all = torch.tensor([36 / 16, 14 / 4, 3 / 4, 2 / 4, 17 / 4])
    for pool, means in [("spatial", spatial), ("global", over_all)]:
        (vector,) = pooled(a[None, None], (1, 2), pool)
        torch.testing.assert_close(vector, means / means.norm())


def reference(student, teacher, scales):
    """Local POD of arXiv 2011.11390 for one level, region by region."""
    total = 0.0
    for one, other in zip(student, teacher, strict=True):
        vectors = []
        for features in (one, other):
            entries = []
            for s in scales:
                h, w = features.shape[1] // s, features.shape[2] // s
                for i in range(s):
                    for j in range(s):
                        region = features[:, i * h : (i + 1) * h, j * w : (j + 1) * w] ** 2
                        entries += [*region.mean(2).flatten(), *region.mean(1).flatten()]
            vector = torch.stack(entries)
            vectors.append(vector / vector.norm())
        total += float(((vectors[0] - vectors[1]) ** 2).sum())
    return total / len(student)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 1000),
    st.sampled_from([(1,), (1, 2), (1, 2, 4), (1, 3)]),
    st.sampled_from([(12, 12), (12, 24)]),
)
def test_distance_is_the_equations(seed, scales, size):
    random = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(2, 3, *size, generator=random) for _ in range(2))
    assert float(pod(a, b, scales, "spatial")) == pytest.approx(reference(a, b, scales), rel=1e-4)


@pytest.mark.parametrize("pool", ["spatial", "global"])
def test_distance_of_equal_and_of_scaled_features_is_zero(pool):
    a = torch.randn(2, 3, 8, 8)
    assert float(pod(a, a.clone(), (1, 2, 4), pool)) == 0
    assert float(pod(a, 3 * a, (1, 2, 4), pool)) == pytest.approx(0, abs=1e-6)
    far = torch.zeros(2, 3, 8, 8)
    far[:, 0], a[:, 0] = 1, 0
    assert float(pod(a, far, (1, 2, 4), pool)) == pytest.approx(2), "the largest there is"


def test_global_pool_sees_no_place_and_spatial_does():
    a = torch.rand(1, 2, 8, 8)
    moved = a.roll(2, dims=3)
    assert float(pod(a, moved, (1,), "global")) == pytest.approx(0, abs=1e-6)
    assert float(pod(a, moved, (1,), "spatial")) > 1e-4


def test_a_scale_is_left_out_where_it_does_not_divide():
    a = torch.randn(1, 2, 2, 6)
    assert torch.equal(pooled(a, (1, 2, 4), "spatial"), pooled(a, (1, 2), "spatial"))


@pytest.mark.parametrize("value", [0.0, 1e-30])
def test_gradient_is_finite_without_features(value):
    a = torch.full((1, 2, 4, 4), value, requires_grad=True)
    pod(a, torch.rand(1, 2, 4, 4), (1,), "spatial").backward()
    assert a.grad is not None and bool(torch.isfinite(a.grad).all())


LEVELS = {
    "vnet": [
        "in_tr", "down_tr32", "down_tr64", "down_tr128", "down_tr256",
        "up_tr256", "up_tr128", "up_tr64", "up_tr32",
    ],
    "unet": [
        "model.0", "model.1.submodule.0", "model.1.submodule.1.submodule.0",
        "model.1.submodule.1.submodule.1.submodule.1", "model.1.submodule.1.submodule.1",
        "model.1.submodule.1", "model.1",
    ],
    "unetr": [
        "vit.patch_embedding.patch_embeddings", "encoder1", "encoder2.transp_conv_init",
        "encoder2.blocks.0", "encoder2", "encoder3.transp_conv_init", "encoder3",
        "decoder5", "decoder4", "decoder3", "decoder2",
    ],
    "swin_unetr": [
        "swinViT.patch_embed", "encoder1", "encoder2", "encoder3", "encoder4", "encoder10",
        "decoder5", "decoder4", "decoder3", "decoder2", "decoder1",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", LEVELS)
def test_levels_of_the_registry(name):
    model = build_model(name, "small", {}, 3, 64).eval()
    assert find_layers(model, torch.zeros(1, 1, 64, 64), []) == LEVELS[name]


def test_feature_maps_are_those_of_the_pass_and_leave_no_hook():
    model = tiny_network().eval()
    images = torch.rand(2, 1, 4, 4)
    with feature_maps(model, ["0", "2"]) as maps:
        model(images)
    torch.testing.assert_close(maps["0"], model[0](images))
    torch.testing.assert_close(maps["2"], model[2](model[1](model[0](images))))
    assert not any(m._forward_hooks for m in model.modules())
    with pytest.raises(ZeroDivisionError), feature_maps(model, ["0"]):
        raise ZeroDivisionError
    assert not any(m._forward_hooks for m in model.modules())


class Tokens(nn.Module):
    """A network without a convolution."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 3)

    def forward(self, x):
        return self.layer(x.movedim(1, -1)).movedim(-1, 1)


def train(plugins, model=None, experiences=2, **changed):
    loop = make_loop(model, plugins, steps=3, **changed)
    for experience in tagged_benchmark([6] * experiences).train_stream:
        loop.train(experience, eval_streams=[])
    return loop.model


def test_a_network_without_feature_maps_is_refused():
    with pytest.raises(InputError, match="Tokens has no feature map"):
        train([POD()], Tokens())


def test_named_layers_take_the_place_of_the_levels():
    by_rule, named = POD(), POD(layers=["0"])
    assert torch.equal(weights(train([by_rule])), weights(train([named])))
    assert not torch.equal(weights(train([POD(layers=["2"])])), weights(train([named])))


@pytest.mark.parametrize("wrong", ["encoder", "1.nothing"])
def test_a_wrong_layer_is_named(wrong):
    with pytest.raises(InputError, match=f"`layers`: {wrong}: no module of Sequential"):
        train([POD(layers=["0", wrong])])


def test_scales_need_the_whole_map():
    with pytest.raises(InputError, match=r"^POD: `scales` needs 1"):
        POD(scales=[2, 4])


def test_without_weights_it_is_naive_and_with_the_logits_alone_lwf():
    naive = weights(train([]))
    assert torch.equal(weights(train([POD(factor=0)])), naive)
    lwf = weights(train([LwF(alpha=2.0, temperature=3.0)]))
    assert torch.equal(weights(train([POD(factor=0, alpha=2.0, temperature=3.0)])), lwf)
    assert len({float(w.sum()) for w in (naive, lwf, weights(train([POD()])))}) == 3
    both = weights(train([POD(alpha=2.0)]))
    assert not torch.equal(both, lwf) and not torch.equal(both, weights(train([POD()])))


class Watch(POD):
    """Notes the teacher and the hooks while the loss is made, and the loss itself."""

    def before_backward(self, strategy, **kwargs):
        before = strategy.loss
        if self.teacher is not None:
            maps = dict(self.maps)
        super().before_backward(strategy)
        if self.teacher is None:
            return
        self.added = float((strategy.loss - before).detach())
        self.needs_gradient = all(m.requires_grad for m in maps.values())
        self.hooks = [
            hook for net in (strategy.model, self.teacher) for m in net.modules()
            for hook in m._forward_hooks.values()
        ]  # fmt: skip
        self.watched, self.untouched = self.teacher, weights(self.teacher)

    def after_backward(self, strategy, **kwargs):
        if self.teacher is not None:
            self.gradients = [p.grad for p in self.teacher.parameters()]


def test_only_the_student_learns_and_nothing_is_left():
    plugin = Watch()
    model = train([plugin])
    assert plugin.added > 0 and plugin.needs_gradient and not plugin.hooks
    assert plugin.gradients == [None] * len(plugin.gradients)
    assert torch.equal(weights(plugin.watched), plugin.untouched)
    assert plugin.teacher is None and not plugin.maps and not plugin.layers
    assert not any(m._forward_hooks for m in model.modules())


def test_nothing_is_added_where_student_and_teacher_are_the_same():
    plugin = Watch()
    model = tiny_network()
    loop = make_loop(model, [plugin], steps=1)
    first, second = tagged_benchmark([4, 4]).train_stream
    loop.train(first, eval_streams=[])
    for module in model[1:4]:  # batch norm and dropout as the teacher has them
        module.forward = nn.Identity().forward
    loop.train(second, eval_streams=[])
    assert plugin.added == 0


def test_a_large_factor_holds_the_features():
    images = torch.rand(4, 1, 4, 4)

    def drift(plugins):
        model = tiny_network()
        loop = make_loop(model, plugins, steps=30)
        first, second = tagged_benchmark([6, 6]).train_stream
        loop.train(first, eval_streams=[])
        before = model[0](images).detach()
        loop.train(second, eval_streams=[])
        return float(pod(model[0](images).detach(), before, (1, 2, 4), "spatial"))

    assert drift([POD(factor=100.0)]) < 0.2 * drift([])
