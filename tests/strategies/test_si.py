"""SI is the equations of the paper, written out, on the batches of a real training."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training import Naive
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.strategies.si.plugin import SI

from .conftest import Batches, digits_network, flat, plain_benchmark, train_on_digits

RATE, MOMENTUM = 0.05, 0.9


class Clip(SupervisedPlugin):
    """Clips gradients in place before the step, as training loops do."""

    def after_backward(self, strategy, **kwargs):
        nn.utils.clip_grad_norm_(strategy.model.parameters(), LARGEST)


LARGEST = 0.3


def written_out(batches, strength, damping, clipped):
    """Weights and importance of SI by its equations, parameter by parameter."""
    model = digits_network()
    named = dict(model.named_parameters())
    velocity = {n: torch.zeros_like(p) for n, p in named.items()}
    importance = {n: torch.zeros_like(p) for n, p in named.items()}
    centre = None
    for k in sorted(batches):
        start = {n: p.detach().clone() for n, p in named.items()}
        path = {n: torch.zeros_like(p) for n, p in named.items()}
        velocity = {n: torch.zeros_like(p) for n, p in named.items()} if not k else velocity
        for x, y in batches[k]:
            loss = nn.functional.cross_entropy(model(x), y)
            slopes = torch.autograd.grad(loss, list(named.values()))
            gradients = dict(zip(named, slopes, strict=True))
            totals = dict(gradients)
            if centre is not None:
                for n, p in named.items():
                    totals[n] = totals[n] + strength * importance[n] * (p.detach() - centre[n])
            norm = torch.stack([total.norm() for total in totals.values()]).norm()
            share = min(1.0, LARGEST / (float(norm) + 1e-6)) if clipped else 1.0
            for n, p in named.items():
                velocity[n] = MOMENTUM * velocity[n] + share * totals[n]
                before = p.detach().clone()
                p.data -= RATE * velocity[n]
                path[n] -= gradients[n] * (p.detach() - before)
        for n, p in named.items():
            way = p.detach() - start[n]
            importance[n] = importance[n] + (path[n] / (way**2 + damping)).clamp(min=0)
        centre = {n: p.detach().clone() for n, p in named.items()}
    return model, importance


@pytest.mark.parametrize("clipped", [False, True])
def test_is_the_written_out_reference(clipped):
    plugin, batches = SI(si_lambda=30.0, damping=0.01), Batches()
    model = train_on_digits([plugin, batches, *[Clip()] * clipped], 3)
    reference, importance = written_out(batches.seen, 30.0, 0.01, clipped)
    torch.testing.assert_close(flat(model), flat(reference), rtol=1e-4, atol=1e-5)
    for name, value in importance.items():
        torch.testing.assert_close(plugin.importance[name], value, rtol=1e-3, atol=1e-4)
    naive = train_on_digits([Clip()] * clipped, 3)
    assert (flat(model) - flat(naive)).norm() > 0.01 * flat(naive).norm()


def test_first_experience_is_plain_training():
    assert torch.equal(flat(train_on_digits([SI(si_lambda=50)], 1)),
                       flat(train_on_digits([], 1)))  # fmt: skip


@pytest.mark.parametrize("rate", [1e-3, 1e-4])
def test_path_adds_up_to_the_loss_that_was_gained(rate):
    """Closed form: for small full-batch steps Σ_k ω_k is the fall of the loss."""
    torch.manual_seed(0)
    x, y = torch.randn(20, 3), torch.randint(0, 2, (20,))
    model = nn.Linear(3, 2)
    losses = [nn.functional.cross_entropy(model(x), y).item()]
    plugin, paths = SI(damping=1e-3), []

    class Keep(SI):
        def after_training_exp(self, strategy, **kwargs):
            paths.append(sum(float(p.sum()) for p in self.path.omega.values()))

    plugin = Keep()
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=rate),
        train_mb_size=20,
        train_epochs=200,
        plugins=[plugin],
        evaluator=None,
    )
    strategy.train(plain_benchmark([(x, y)]).train_stream[0])
    losses.append(nn.functional.cross_entropy(model(x), y).item())
    assert paths[0] == pytest.approx(losses[0] - losses[1], rel=20 * rate)


def test_state_is_a_copy():
    plugin = SI()
    train_on_digits([plugin], 1)
    state = plugin.state_dict()
    kept = {n: t.clone() for n, t in state["importance"].items()}
    plugin.importance[next(iter(kept))] += 1
    assert all(torch.equal(state["importance"][n], t) for n, t in kept.items())
