"""RWalk is the equations of the paper, written out, on the batches of a real training."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.strategies.rwalk.plugin import RWalk

from .conftest import Batches, digits_network, flat, train_on_digits

RATE, MOMENTUM = 0.05, 0.9


def written_out(batches, strength, share, every, damping):
    """Weights and importance of RWalk by its equations, parameter by parameter."""
    model = digits_network()
    named = dict(model.named_parameters())
    velocity = {n: torch.zeros_like(p) for n, p in named.items()}
    fisher, score, importance, centre = None, None, None, None
    for k in sorted(batches):
        gained = {n: torch.zeros_like(p) for n, p in named.items()}
        walked = {n: torch.zeros_like(p) for n, p in named.items()}
        last = {n: p.detach().clone() for n, p in named.items()}
        for t, (x, y) in enumerate(batches[k], start=1):
            loss = nn.functional.cross_entropy(model(x), y)
            slopes = torch.autograd.grad(loss, list(named.values()))
            gradients = dict(zip(named, slopes, strict=True))
            if fisher is None:
                fisher = {n: g**2 for n, g in gradients.items()}
            else:
                fisher = {n: share * g**2 + (1 - share) * fisher[n] for n, g in gradients.items()}
            for n, p in named.items():
                total = gradients[n]
                if importance is not None:
                    total = total + strength * importance[n] * (p.detach() - centre[n])
                velocity[n] = MOMENTUM * velocity[n] + total
                before = p.detach().clone()
                p.data -= RATE * velocity[n]
                gained[n] -= gradients[n] * (p.detach() - before)
                if t % every == 0 or t == len(batches[k]):
                    way = p.detach() - last[n]
                    walked[n] += gained[n] / (0.5 * fisher[n] * way**2 + damping)
                    gained[n] = torch.zeros_like(p)
                    last[n] = p.detach().clone()
        new = {n: w.clamp(min=0) for n, w in walked.items()}
        score = new if score is None else {n: (score[n] + new[n]) / 2 for n in new}
        tops = [max(float(v.max()) for v in part.values()) for part in (fisher, score)]
        importance = {n: fisher[n] / tops[0] + score[n] / tops[1] for n in score}
        centre = {n: p.detach().clone() for n, p in named.items()}
    return model, importance


@pytest.mark.parametrize("damping", [2.0**-23, 1e-10])
@pytest.mark.parametrize("every", [3, 1000])
def test_is_the_written_out_reference(damping, every):
    plugin = RWalk(rwalk_lambda=2.0, fisher_share=0.3, every=every, damping=damping)
    batches = Batches()
    model = train_on_digits([plugin, batches], 3)
    reference, importance = written_out(batches.seen, 2.0, 0.3, every, damping)
    torch.testing.assert_close(flat(model), flat(reference), rtol=1e-3, atol=1e-4)
    for name, value in importance.items():
        torch.testing.assert_close(plugin.importance[name], value, rtol=1e-2, atol=1e-3)
    naive = train_on_digits([], 3)
    assert (flat(model) - flat(naive)).norm() > 0.01 * flat(naive).norm()


def test_first_experience_is_plain_training():
    ours = train_on_digits([RWalk(rwalk_lambda=50)], 1)
    assert torch.equal(flat(ours), flat(train_on_digits([], 1)))


def test_importance_is_scaled():
    plugin = RWalk()
    train_on_digits([plugin], 2)
    values = torch.cat([v.flatten() for v in plugin.importance.values()])
    assert values.min() >= 0 and 1 <= values.max() <= 2
