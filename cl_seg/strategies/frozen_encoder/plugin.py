"""Training of the decoder or head alone."""

from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.frozen_encoder import FrozenEncoderSettings
from cl_seg.strategies.shared.frozen_parameters import FrozenParameters


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
        self.encoder = FrozenParameters(self.settings.frozen_names)

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network of which no parameter is the encoder's, or all are."""
        self.encoder.require_network(model)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Freeze, from the second experience on.

        Raises:
            InputError: no parameter is the encoder's, or all are.
        """
        if strategy.clock.train_exp_counter > 0:
            self.encoder.freeze(strategy.model)

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the running statistics from moving, from the second experience on."""
        if strategy.clock.train_exp_counter > 0:
            self.encoder.hold_statistics()
