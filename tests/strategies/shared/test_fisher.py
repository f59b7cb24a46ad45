"""Fisher estimates against closed forms, autograd by hand, and the exact sum over labels."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional

from cl_seg.losses import dice_cross_entropy
from cl_seg.strategies.shared.fisher import (
    IGNORED,
    _sample_labels,
    batch_fisher,
    fisher_information,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear_problem(count=6, features=4, classes=3):
    """A linear softmax model and its data."""
    torch.manual_seed(1)
    model = nn.Linear(features, classes)
    inputs = torch.randn(count, features)
    return model, [(inputs[i], i % classes) for i in range(count)]


def linear_fisher(model, data):
    """E_x[(diag p − p pᵀ)_cc x_k²], the diagonal Fisher of a linear softmax model."""
    inputs = torch.stack([x for x, _ in data])
    p = model(inputs).softmax(1).detach()
    spread = p * (1 - p)
    weight = torch.einsum("nc,nk->ck", spread, inputs**2) / len(data)
    return {"weight": weight, "bias": spread.mean(0)}


def dense_problem(height=2, width=2, classes=2, count=3):
    """A convolution with batch norm and dropout on images of a few pixels."""
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Tanh(),
        nn.Conv2d(2, classes, 1),
    )  # fmt: skip
    model(torch.randn(8, 1, height, width))  # running statistics other than 0 and 1
    images = torch.randn(count, 1, height, width)
    targets = torch.randint(classes, (count, height, width))
    return model, list(zip(images, targets, strict=True))


def squared_gradient(model, image, target):
    """Squares of ∂ Σ_pixels log p / ∂θ by plain autograd, in eval mode."""
    model.eval()
    log_p = functional.log_softmax(model(image[None]), 1)[0]
    known = target != IGNORED
    chosen = log_p.gather(0, torch.where(known, target, 0)[None])[0]
    parameters = dict(model.named_parameters())
    gradients = torch.autograd.grad((chosen * known).sum(), list(parameters.values()))
    return {n: g**2 for n, g in zip(parameters, gradients, strict=True)}


def exact_dense_fisher(model, data, classes=2):
    """Sum over every labelling of the pixels, weighted by its probability."""
    total = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
    model.eval()
    for image, target in data:
        p = model(image[None]).softmax(1)[0].detach()
        for labels in itertools.product(range(classes), repeat=target.numel()):
            labelled = torch.tensor(labels).view_as(target)
            probability = p.gather(0, labelled[None]).prod()
            for name, square in squared_gradient(model, image, labelled).items():
                total[name] += probability * square / len(data)
    return total


def relative_error(estimate, exact):
    """Norm of the difference over the norm of the exact Fisher, all parameters together."""
    difference = torch.cat([(estimate[n] - exact[n]).flatten() for n in exact])
    return float(difference.norm() / torch.cat([v.flatten() for v in exact.values()]).norm())


def sampled(model, data, repeats, seed=0):
    images = list(range(len(data))) * repeats
    return fisher_information(model, data, images, "sampled", generator(seed))


def test_sampled_converges_to_the_closed_form():
    model, data = linear_problem()
    exact = linear_fisher(model, data)
    few = [relative_error(sampled(model, data, 10, s), exact) for s in range(8)]
    many = [relative_error(sampled(model, data, 160, s), exact) for s in range(8)]
    assert sum(many) / 8 < 0.05
    # sixteen times the draws, a quarter of the error
    assert 2.5 < sum(few) / sum(many) < 6


def test_sampled_is_unbiased_on_dense_targets():
    model, data = dense_problem()
    exact = exact_dense_fisher(model, data)
    assert relative_error(sampled(model, data, 1500), exact) < 0.08


def test_sampled_ignores_the_true_labels_but_not_the_mask():
    model, data = dense_problem()
    flipped = [(x, 1 - y) for x, y in data]
    first, second = (sampled(model, d, 2) for d in (data, flipped))
    assert all(torch.equal(first[n], second[n]) for n in first)


def test_empirical_is_the_squared_gradient_of_each_image():
    model, data = dense_problem()
    result = fisher_information(model, data, [0, 2], "empirical", generator())
    by_hand = [squared_gradient(model, *data[i]) for i in (0, 2)]
    for name, value in result.items():
        torch.testing.assert_close(value, (by_hand[0][name] + by_hand[1][name]) / 2)


def test_empirical_on_integer_targets():
    model, data = linear_problem()
    result = fisher_information(model, data, [4], "empirical", generator())
    x, y = data[4]
    slope = functional.one_hot(torch.tensor(y), 3) - model(x).softmax(0).detach()
    torch.testing.assert_close(result["weight"], torch.outer(slope, x) ** 2)
    torch.testing.assert_close(result["bias"], slope**2)


@pytest.mark.parametrize("kind", ["sampled", "empirical"])
def test_ignored_pixels_contribute_nothing(kind):
    model, data = dense_problem()
    model = nn.Conv2d(1, 2, 1)  # pixels do not see each other
    image, target = data[0]
    masked = target.clone()
    masked[0] = IGNORED
    changed = image.clone()
    changed[:, 0] = 100.0
    first, second = (
        fisher_information(model, [(x, masked)], [0], kind, generator()) for x in (image, changed)
    )
    assert all(torch.equal(first[n], second[n]) for n in first)
    nothing = torch.full_like(target, IGNORED)
    empty = fisher_information(model, [(image, nothing)], [0], kind, generator())
    assert all((v == 0).all() for v in empty.values())


def test_grows_with_the_number_of_pixels():
    """Pixels add up: the likelihood of an image is a sum, not a mean."""
    model = nn.Conv2d(1, 2, 1)
    exact = []
    for side in (2, 4):
        image, target = torch.zeros(1, side, side), torch.ones(side, side, dtype=torch.int64)
        exact.append(fisher_information(model, [(image, target)], [0], "empirical", generator()))
    torch.testing.assert_close(exact[1]["bias"], exact[0]["bias"] * 4**2)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["sampled", "batch"])
def test_the_model_is_left_as_it_was(kind, training):
    model, data = dense_problem()
    model.train(training)
    model[2].eval()
    if kind == "batch":
        model[1].train(not training)
    modes = [m.training for m in model.modules()]
    state = {k: v.clone() for k, v in model.state_dict().items()}
    noise = torch.get_rng_state()
    if kind == "batch":
        batch_fisher(model, data, dice_cross_entropy, 2)
    else:
        sampled(model, data, 1)
        assert torch.equal(torch.get_rng_state(), noise)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_frozen_parameters_have_none():
    model, data = dense_problem()
    model[0].requires_grad_(False)
    names = set(sampled(model, data, 1))
    assert names == {n for n, _ in model.named_parameters() if not n.startswith("0.")}


def test_unused_parameters_are_zero():
    model, data = dense_problem()
    model.spare = nn.Identity()
    model.spare.weight = nn.Parameter(torch.ones(3))
    model.forward = lambda x: model[4](model[0](x))
    assert (sampled(model, data, 1)["spare.weight"] == 0).all()


def test_batch_fisher_by_hand():
    model, data = dense_problem(count=5)
    result = batch_fisher(model, data, dice_cross_entropy, 2)
    model.eval()
    total = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
    for start in (0, 2, 4):
        images, targets = zip(*data[start : start + 2], strict=True)
        loss = dice_cross_entropy(model(torch.stack(images)), torch.stack(targets))
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        for name, gradient in zip(total, gradients, strict=True):
            total[name] += gradient**2 / 3
    for name, value in result.items():
        torch.testing.assert_close(value, total[name])


def test_drawn_labels_follow_the_softmax():
    logits = torch.tensor([0.3, -1.0, 1.2, -40.0]).view(1, 4, 1, 1).expand(1, 4, 200, 200)
    labels = _sample_labels(logits, generator())
    assert labels.shape == (1, 200, 200)
    observed = torch.bincount(labels.flatten(), minlength=4) / labels.numel()
    torch.testing.assert_close(observed, logits[0, :, 0, 0].softmax(0), atol=0.01, rtol=0)
    assert observed[3] == 0
    assert torch.equal(labels, _sample_labels(logits, generator()))
