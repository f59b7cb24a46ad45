"""A part of a network that is trained no more, its running statistics of batch norm included."""

import re

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.shared.batch_norm import BATCH_NORM


class FrozenParameters:
    """The parameters whose names begin with an expression, once they are frozen.

    Args:
        names: regular expression of the beginning of their names.
    """

    def __init__(self, names: str) -> None:
        self.names = names
        self._batch_norms: list[nn.Module] = []

    def is_frozen(self, name: str) -> bool:
        """Whether the parameter of a name stays as it is."""
        return re.match(self.names, name) is not None

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network of which no parameter would be frozen, or all.

        Raises:
            InputError: naming the expression.
        """
        names = [name for name, _ in model.named_parameters()]
        frozen = sum(map(self.is_frozen, names))
        if frozen in {0, len(names)}:
            raise InputError(
                f"`encoder: {self.names}` is the beginning of {frozen} of {len(names)} names of "
                "parameters, it must be that of some"
            )

    def freeze(self, model: nn.Module) -> None:
        """Train these parameters no more.

        Raises:
            InputError: there are none, or no others.
        """
        self.require_network(model)
        for name, parameter in model.named_parameters():
            if self.is_frozen(name):
                parameter.requires_grad_(False)
        self._batch_norms = [
            module
            for name, module in model.named_modules()
            if isinstance(module, BATCH_NORM) and self.is_frozen(name)
        ]

    def hold_statistics(self) -> None:
        """Keep the running statistics of the frozen part from moving in the next forward pass."""
        for module in self._batch_norms:
            module.eval()
