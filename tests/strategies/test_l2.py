"""The plain pull towards the weights an experience starts from."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.strategies.l2.plugin import L2
from cl_seg.strategies.shared.quadratic_penalty import add_penalty

from .conftest import flat, train_on_digits


def test_gradient_is_that_of_the_penalty():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    model[1].bias.grad = None
    before = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    before = {n: g.clone() for n, g in before.items()}
    centre = {n: torch.randn_like(p) for n, p in model.named_parameters()}
    importance = {n: torch.rand_like(p) for n, p in model.named_parameters()}
    penalty = sum((importance[n] * (p - centre[n]) ** 2).sum() for n, p in model.named_parameters())
    expected = torch.autograd.grad(3.0 / 2 * penalty, list(model.parameters()))
    add_penalty(dict(model.named_parameters()), centre, 3.0, importance)
    for (n, p), extra in zip(model.named_parameters(), expected, strict=True):
        if n == "1.bias":
            assert p.grad is None
        else:
            torch.testing.assert_close(p.grad, before[n] + extra)


def test_acts_from_the_second_experience_on():
    assert torch.equal(flat(train_on_digits([L2(l2_lambda=9)], 1)), flat(train_on_digits([], 1)))
    start = flat(train_on_digits([], 1))
    ways = [
        float((flat(train_on_digits([L2(l2_lambda=strength)], 2)) - start).norm())
        for strength in (0, 0.1, 1.0)
    ]
    assert ways[0] > ways[1] > ways[2] > 0
