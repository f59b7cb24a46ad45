"""Follows which module of a network torch is computing, forward or backward."""

from typing import Any
from weakref import WeakKeyDictionary

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook


class CalledModules:
    """While it is active, knows the innermost module that an operator is called for.

    In a backward pass that is the module whose forward pass made the node of autograd that is
    computed: nodes are numbered in the order in which they are made.
    """

    def __init__(self) -> None:
        self._paths: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
        self._open: list[str] = []
        self._of_node: dict[int, str] = {}
        self._hooks: list[Any] = []

    def __enter__(self) -> "CalledModules":
        self._hooks = [
            register_module_forward_pre_hook(self._begin),
            register_module_forward_hook(self._end, always_call=True),
        ]
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def now(self) -> tuple[str, bool]:
        """Path of the module, "" outside of one, and whether this is a backward pass.

        To be asked at every operator, or else the backward pass knows no modules.
        """
        node = torch._C._current_autograd_node()
        if node is not None:
            return self._of_node.get(node._sequence_nr(), ""), True
        path = self._open[-1] if self._open else ""
        # The first operator after a node was made is its own; one without gradient makes none.
        self._of_node.setdefault(torch._C._autograd._get_sequence_nr() - 1, path)
        return path, False

    def _begin(self, module: nn.Module, _: Any) -> None:
        if module not in self._paths:
            root = type(module).__name__
            for name, inner in module.named_modules():
                self._paths[inner] = f"{root}.{name}" if name else root
        self._open.append(self._paths[module])

    def _end(self, *_: Any) -> None:
        self._open.pop()
