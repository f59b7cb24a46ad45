"""EWC's penalty is the written-out sum of quadratics, and Avalanche's where both agree."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training import Naive
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin
from torch import nn

from cl_seg.losses import dice_cross_entropy
from cl_seg.strategies.der.plugin import DER
from cl_seg.strategies.ewc.plugin import EWC
from cl_seg.strategies.mas.plugin import MAS
from cl_seg.strategies.shared.fisher import fisher_information

from .conftest import Slices, augmented_benchmark, digits_benchmark


def dense_data(seed, count=3):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 1, 4, 4, generator=generator)
    return list(zip(images, (images[:, 0] > 0).long(), strict=True))


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 2, 1))


def learn(plugin, model, experiences):
    """Let the plugin see experiences, with other weights after each; give those weights."""
    optima = []
    for k in experiences:
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(k)))
        experience = SimpleNamespace(dataset=Slices(dense_data(k)), current_experience=k)
        plugin.after_training_exp(SimpleNamespace(model=model, experience=experience))
        optima.append({n: p.detach().clone() for n, p in model.named_parameters()})
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1)
    return optima


def fishers(optima, kind="empirical"):
    """Each experience's Fisher at its optimum, on its own."""
    result = []
    for k, optimum in enumerate(optima):
        model = network()
        model.load_state_dict(optimum)
        images = list(range(3))
        result.append(fisher_information(model, dense_data(k), images, kind, torch.Generator()))
    return result


def gradient(value, model):
    return torch.cat([g.flatten() for g in torch.autograd.grad(value, list(model.parameters()))])


def added(plugin, model):
    """What the plugin adds to the gradients."""
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    strategy = SimpleNamespace(model=model)
    plugin.before_training_exp(strategy)
    plugin.after_backward(strategy)
    return torch.cat([p.grad.flatten() for p in model.parameters()])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_added_is_the_gradient_of_half_lambda_times_the_quadratics(count):
    plugin, model = EWC(ewc_lambda=6.0, fisher="empirical"), network()
    optima = learn(plugin, model, range(count))
    by_hand = sum(
        (fisher[n] * (p - optimum[n]) ** 2).sum()
        for fisher, optimum in zip(fishers(optima), optima, strict=True)
        for n, p in model.named_parameters()
    )
    torch.testing.assert_close(added(plugin, model), gradient(6 / 2 * by_hand, model))


def in_mode(mode):
    return EWC(mode=mode, decay=0.9 if mode == "online" else None, seed=4)


def test_online_penalty_decays_and_moves():
    plugin = EWC(ewc_lambda=2.0, fisher="empirical", mode="online", decay=0.5)
    model = network()
    optima = learn(plugin, model, range(3))
    first, second, third = fishers(optima)
    by_hand = sum(
        ((0.25 * first[n] + 0.5 * second[n] + third[n]) * (p - optima[2][n]) ** 2).sum()
        for n, p in model.named_parameters()
    )
    torch.testing.assert_close(added(plugin, model), gradient(by_hand, model))


def test_nothing_is_added_before_something_is_learned():
    plugin, model = EWC(), network()
    assert not added(plugin, model).any()
    learn(plugin, model, range(2))
    assert added(plugin, model).any()


def test_no_penalty_at_the_single_optimum():
    plugin, model = EWC(), network()
    (optimum,) = learn(plugin, model, [0])
    model.load_state_dict(optimum)
    assert not added(plugin, model).any()


def test_parameters_of_no_importance_stay_defined():
    plugin, model = EWC(), network()
    nothing = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
    for _ in range(3):
        plugin._add_importance(dict(nothing), dict(model.named_parameters()))
    assert not added(plugin, model).any()
    assert all(torch.isfinite(m).all() for m in plugin.centre.values())


def tensors(state):
    return [t for part in ("fisher", "mean") for t in state[part].values()]


@pytest.mark.parametrize("mode", ["summed", "online"])
def test_memory_is_two_copies_of_the_parameters(mode):
    plugin, model = in_mode(mode), network()
    parameters = sum(p.numel() for p in model.parameters())
    for k in range(4):
        learn(plugin, model, [k])
        assert sum(t.numel() for t in tensors(plugin.state_dict())) == 2 * parameters


def test_memory_does_not_follow_the_weights():
    plugin, model = EWC(), network()
    learn(plugin, model, [0])
    state = plugin.state_dict()
    kept = [t.clone() for t in tensors(state)]
    assert not any(t.requires_grad for t in kept)
    learn(plugin, model, [1])
    assert all(torch.equal(a, b) for a, b in zip(kept, tensors(state), strict=True))


@pytest.mark.parametrize("mode", ["summed", "online"])
def test_state_survives_a_file(tmp_path, mode):
    plugin, model = in_mode(mode), network()
    learn(plugin, model, range(2))
    torch.save(plugin.state_dict(), tmp_path / "ewc.pt")
    restored = in_mode(mode)
    restored.load_state_dict(torch.load(tmp_path / "ewc.pt", weights_only=True))
    assert torch.equal(added(restored, model), added(plugin, model))
    twin = network()
    twin.load_state_dict(model.state_dict())
    learn(plugin, model, [2])
    learn(restored, twin, [2])
    assert torch.equal(added(restored, model), added(plugin, model))


def test_images_are_drawn_by_seed_and_experience(monkeypatch):
    drawn = []

    def remember(model, dataset, images, kind, generator):
        drawn.append(images)
        return {}

    monkeypatch.setattr("cl_seg.strategies.ewc.plugin.fisher_information", remember)
    for seed, k in [(0, 0), (0, 0), (0, 1), (5, 0)]:
        experience = SimpleNamespace(dataset=Slices(range(20)), current_experience=k)
        plugin = EWC(fisher_images=6, seed=seed)
        plugin.after_training_exp(SimpleNamespace(model=network(), experience=experience))
    assert drawn[0] == drawn[1] and drawn[0] != drawn[2] and drawn[0] != drawn[3]
    assert all(len(set(images)) == 6 and set(images) <= set(range(20)) for images in drawn)


def test_seed_and_experience_are_not_exchangeable(monkeypatch):
    """Run 0 after its second scanner and run 1 after its first must not share their draws."""
    drawn = []
    monkeypatch.setattr(
        "cl_seg.strategies.ewc.plugin.fisher_information",
        lambda _m, _d, images, *_: drawn.append(images) or {},
    )
    for seed, k in [(0, 1), (1, 0)]:
        experience = SimpleNamespace(dataset=Slices(range(50)), current_experience=k)
        EWC(seed=seed).after_training_exp(SimpleNamespace(model=network(), experience=experience))
    assert drawn[0] != drawn[1]


def train_on_digits(plugin, experiences):
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=16,
        train_epochs=2,
        plugins=[plugin],
        evaluator=None,
    )
    for experience in digits_benchmark(experiences).train_stream:
        strategy.train(experience)
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("mode", ["summed", "online"])
@pytest.mark.parametrize("experiences", [2, 4])
def test_batch_kind_is_avalanches_ewc(mode, experiences):
    """Bit for bit over two experiences and online; else the sums are only ordered differently.

    λ is a power of two, so that it does not matter when it is multiplied with.
    """
    online = mode == "online"
    decay = 0.7 if online else None
    ours = EWC(ewc_lambda=2 * 32.0, fisher="batch", mode=mode, decay=decay)
    theirs = EWCPlugin(32.0, "online" if online else "separate", 0.7 if online else None)
    our_weights = train_on_digits(ours, experiences)
    their_weights = train_on_digits(theirs, experiences)
    naive_weights = train_on_digits(EWC(ewc_lambda=0, fisher="batch"), experiences)
    assert (our_weights - naive_weights).norm() > 0.01 * naive_weights.norm()
    for name, importance in ours.fisher.items():
        last = theirs.importances[experiences - 1][name].data
        if not online:
            last = sum(theirs.importances[k][name].data for k in range(experiences))
        if online or experiences == 2:
            assert torch.equal(importance, last)
        else:
            torch.testing.assert_close(importance, last, rtol=1e-3, atol=1e-9)
    if online or experiences == 2:
        assert torch.equal(our_weights, their_weights)
    else:
        assert (our_weights - their_weights).norm() < 1e-5 * their_weights.norm()


@pytest.mark.parametrize(
    "make",
    [
        lambda: EWC(fisher="empirical"),
        lambda: EWC(fisher="batch"),
        MAS,
        lambda: DER(budget=4),
    ],
    ids=["ewc", "ewc batch", "mas", "der"],
)
def test_what_is_kept_is_of_images_without_augmentation(make):
    model, seen = network(), []
    model.register_forward_pre_hook(
        lambda module, inputs: None if module.training else seen.append(inputs[0].max().item())
    )
    loop = Naive(
        model=model, optimizer=torch.optim.SGD(model.parameters(), 0.01), train_mb_size=4,
        criterion=dice_cross_entropy, plugins=[make()], evaluator=EvaluationPlugin(),
    )  # fmt: skip
    loop.train(augmented_benchmark().train_stream[0], eval_streams=[])
    assert seen and max(seen) <= 1
