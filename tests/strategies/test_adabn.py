"""Statistics of a scanner's images, for scoring alone; per case with a prior."""

import copy
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from avalanche.training import Naive
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.build import build_plugin

from ..conftest import tiny_network
from ..training.conftest import tagged_benchmark

IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) + 2


def adapted(name: str, **settings: Any) -> nn.Module:
    model: nn.Module = tiny_network()
    build_plugin(name, settings, seed=0).prepare_scoring(model, 0, IMAGES.split(4))
    return model


@pytest.mark.parametrize("name", ["adabn", "test_statistics"])
def test_statistics_are_mean_and_variance_of_the_input(name: str) -> None:
    model = adapted(name)
    inputs = model[0](IMAGES).detach().double().numpy()
    np.testing.assert_allclose(model[1].running_mean, inputs.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(model[1].running_var, inputs.var((0, 2, 3)), rtol=1e-5)


def test_a_prior_mixes_the_statistics_of_training_in() -> None:
    case, mixed = adapted("test_statistics"), adapted("test_statistics", prior=18.0)
    expected = (18 * tiny_network()[1].running_mean + 6 * case[1].running_mean) / 24
    torch.testing.assert_close(mixed[1].running_mean, expected)


@pytest.mark.parametrize("name", ["adabn", "test_statistics"])
def test_refused_without_batch_norm_before_it_is_trained(name: str) -> None:
    class Loop:
        model = nn.Conv2d(1, 3, 1)

    with pytest.raises(InputError, match="no batch norm"):
        build_plugin(name, {}, seed=0).before_training_exp(Loop())


class Statistics(SupervisedPlugin):  # type: ignore[misc]
    """Means of batch norm while each experience is scored."""

    def __init__(self) -> None:
        super().__init__()
        self.means: list[torch.Tensor] = []

    def before_eval_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Keep them."""
        self.means.append(strategy.model[1].running_mean.clone())


def test_avalanches_evaluation_adapts_and_puts_back() -> None:
    model, seen = tiny_network(), Statistics()
    trained = copy.deepcopy(model.state_dict())
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        criterion=nn.CrossEntropyLoss(),
        eval_mb_size=8,
        plugins=[build_plugin("adabn", {}, seed=0), seen],
        evaluator=None,
    )
    stream = tagged_benchmark([5, 5]).train_stream
    strategy.eval(stream)
    for experience, mean in zip(stream, seen.means, strict=True):
        images = torch.stack([x for x, *_ in experience.dataset])
        torch.testing.assert_close(mean, model[0](images).mean((0, 2, 3)).detach())
    assert all(torch.equal(tensor, trained[n]) for n, tensor in model.state_dict().items())
