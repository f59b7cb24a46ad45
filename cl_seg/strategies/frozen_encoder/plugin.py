"""Training of the decoder or head alone."""

import re
from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.frozen_encoder import FrozenEncoderSettings
from cl_seg.strategies.shared.batch_norm import BATCH_NORM


class FrozenEncoder(SupervisedPlugin):  # type: ignore[misc]
    """Trains no parameter of the encoder from the second experience on.

    Its running statistics of batch norm stay too.

    Args:
        trains: the ``decoder``, or of it the ``head`` alone.
        encoder: regular expression of the beginning of the names of the parameters that stay; the
            default is right for the networks of the registry.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self, *, trains: Literal["decoder", "head"] = "decoder", encoder: str = "", seed: int = 0
    ) -> None:
        super().__init__()
        self.settings = FrozenEncoderSettings.of_keywords(trains=trains, encoder=encoder)
        self._statistics: list[nn.Module] = []

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network of which no parameter is the encoder's, or all are.

        Raises:
            InputError: naming the expression.
        """
        names = [name for name, _ in model.named_parameters()]
        frozen = sum(map(self.is_frozen, names))
        if frozen in {0, len(names)}:
            raise InputError(
                f"`encoder: {self.settings.frozen_names}` is the beginning of "
                f"{frozen} of {len(names)} names of parameters, it must be that of some"
            )

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Freeze, from the second experience on.

        Raises:
            InputError: no parameter is the encoder's, or all are.
        """
        self._statistics = []
        if strategy.clock.train_exp_counter == 0:
            return
        self.require_network(strategy.model)
        for name, parameter in strategy.model.named_parameters():
            if self.is_frozen(name):
                parameter.requires_grad_(False)
        self._statistics = [
            module
            for name, module in strategy.model.named_modules()
            if isinstance(module, BATCH_NORM) and self.is_frozen(name)
        ]

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the running statistics from moving."""
        for module in self._statistics:
            module.eval()

    def is_frozen(self, name: str) -> bool:
        """Whether the parameter of a name stays as it is."""
        return re.match(self.settings.frozen_names, name) is not None
