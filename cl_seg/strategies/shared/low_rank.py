"""Low-rank adapters of a network's weights, which fold into them."""

import math
from collections.abc import Mapping

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import parametrize

Layers = dict[str, nn.Module]


class LowRank(nn.Module):
    """W → W + B A, W being a matrix of a row per entry of its first dimension.

    B is zero at first and A uniform within 1 / √(columns of A), as of LoRA (Hu et al. 2021,
    arXiv 2106.09685), so that the training starts from W.

    Args:
        weight: W.
        rank: of B A, at most that of W.
        generator: of A, on the CPU.
    """

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        rank = min(rank, rows, columns)
        drawn = nn.init.kaiming_uniform_(
            torch.empty(rank, columns), a=math.sqrt(5), generator=generator
        )
        self.a = nn.Parameter(drawn.to(weight))
        self.b = nn.Parameter(weight.new_zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """W → W + B A."""
        return folded(weight, self.b, self.a)


def folded(weight: Tensor, b: Tensor, a: Tensor) -> Tensor:
    """W + B A in full precision, under autocast too.

    Args:
        weight: (rows, …), whose other dimensions have ``columns`` entries in all.
        b: (rows, rank).
        a: (rank, columns).
    """
    with torch.autocast(weight.device.type, enabled=False):
        return weight + (b @ a).view_as(weight)


def adaptable_layers(model: nn.Module) -> Layers:
    """Convolutions and linear layers of a network, by the names of their weights."""
    kinds = (_ConvNd, nn.Linear)
    return {f"{n}.weight": m for n, m in model.named_modules() if isinstance(m, kinds)}


def attach(layers: Layers, rank: int, generator: torch.Generator) -> None:
    """Give the weights of layers an adapter each; the weights themselves are no longer trained."""
    for layer in layers.values():
        weight = layer.get_parameter("weight").requires_grad_(False)
        parametrize.register_parametrization(layer, "weight", LowRank(weight, rank, generator))


@torch.no_grad()
def load_adapters(layers: Layers, adapters: Mapping[str, Tensor]) -> None:
    """Give layers the adapters that :func:`detach` returned of them; others keep theirs."""
    for name, layer in layers.items():
        if f"{name}.b" in adapters:
            adapter = layer.get_submodule("parametrizations.weight.0")
            adapter.load_state_dict({part: adapters[f"{name}.{part}"] for part in ("a", "b")})


@torch.no_grad()
def detach(layers: Layers) -> dict[str, Tensor]:
    """Fold the adapters of layers into their weights.

    Returns:
        ``<name of the weight>.a`` and ``.b`` → tensor; empty where the layers have no adapters.
    """
    adapters: dict[str, Tensor] = {}
    for name, layer in layers.items():
        if parametrize.is_parametrized(layer, "weight"):
            own = layer.get_submodule("parametrizations.weight.0").state_dict().items()
            adapters |= {f"{name}.{part}": tensor.clone() for part, tensor in own}
            parametrize.remove_parametrizations(layer, "weight")
    return adapters
