"""Low-rank adapters of every scanner's own."""

from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import torch
from torch import nn

from cl_seg.strategies.adapters import AdaptersSettings
from cl_seg.strategies.shared.low_rank import (
    adaptable_layers,
    attach,
    detach,
    folded,
    load_adapters,
)
from cl_seg.strategies.shared.normalisation import normalisation_tensors
from cl_seg.strategies.shared.scanner_scoring import ScannerScoring, Tensors


class Adapters(ScannerScoring):
    """Residual adapters (Rebuffi et al. 2017, arXiv 1705.08045) of low rank, as LoRA's.

    From the second experience on, A_s and B_s of ``W_s = W + B_s A_s`` are trained in all
    convolutions and linear layers, and the normalisation layers. After the training B_s A_s is
    folded into the weights, so that names and shapes of the network's tensors stay; W is kept
    beside it. A scanner that returns starts from its own adapters, the first one from W. Before a
    case is scored, the parameters of the scanner that ``route`` chooses are folded in.

    Args:
        rank: rank of B_s A_s, at most that of the weight.
        route: ``known`` or ``nearest``.
        seed: of A_s before the training.

    Raises:
        InputError: naming a wrong argument.

    Attributes:
        shared: name of a weight → W.
    """

    def __init__(
        self, *, rank: int = 4, route: Literal["known", "nearest"] = "known", seed: int = 0
    ) -> None:
        self.settings = AdaptersSettings.of_keywords(rank=rank, route=route)
        super().__init__(self.settings.route)
        self.seed = seed
        self.shared: Tensors = {}

    def before_train_dataset_adaptation(self, strategy: Any, **kwargs: Any) -> None:
        """Put adapters beside the first scanner's weights, from the second experience on.

        Called before the optimiser is made, which thus trains them.
        """
        if strategy.clock.train_exp_counter == 0:
            return
        own = normalisation_tensors(strategy.model)
        for name, parameter in strategy.model.named_parameters():
            if name not in own:
                # What is left of an earlier gradient would be clipped with those of this training.
                parameter.requires_grad_(False).grad = None
        strategy.model.load_state_dict(self.shared, strict=False)
        entropy = (self.seed, strategy.experience.current_experience)
        words = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(words[0]))
        layers = adaptable_layers(strategy.model)
        attach(layers, self.settings.rank, generator)
        load_adapters(layers, self.take_up(strategy))

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Fold the adapters into the weights, and keep them."""
        layers = adaptable_layers(strategy.model)
        adapters = detach(layers)
        if not self.shared:
            weights = {name: layer.get_parameter("weight") for name, layer in layers.items()}
            self.shared = {name: weight.detach().clone() for name, weight in weights.items()}
        own = normalisation_tensors(strategy.model)
        self.keep(strategy, {name: tensor.clone() for name, tensor in own.items()} | adapters)

    def load(self, model: nn.Module, parameters: Tensors) -> None:
        """Fold the adapters of one scanner into the shared weights, in place."""
        weights = {
            name: folded(weight, parameters[f"{name}.b"], parameters[f"{name}.a"])
            if f"{name}.b" in parameters
            else weight
            for name, weight in self.shared.items()
        }
        model.load_state_dict({**parameters, **weights}, strict=False)

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores what is kept of every scanner."""
        return {**super().state_dict(), "shared": dict(self.shared)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what is kept of every scanner."""
        super().load_state_dict(state)
        self.shared = dict(state["shared"])
