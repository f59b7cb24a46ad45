"""Finds the first kernel that gives other bits in a repeat of the same work."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from experiments.gpu.called_modules import CalledModules

NOT_DETERMINISTIC = re.compile(r"^(\S+) does not have a deterministic implementation")
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Bytes of a number → integers of the same size."""
CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@dataclass(frozen=True)
class Kernel:
    """One call of a kernel.

    Attributes:
        name: of torch's operator, such as ``aten.convolution_backward.default``.
        module: path of the innermost module it was called for, "" outside of one.
        backward: True in a backward pass.
        digest: of all floating-point numbers it gave or changed.
    """

    name: str
    module: str
    backward: bool
    digest: list[int]

    def __str__(self) -> str:
        place = f" in {self.module}" if self.module else ""
        return f"{self.name}{place}{', backward' if self.backward else ''}"


class KernelTrace(TorchDispatchMode):
    """Notes every operator that torch calls while it is active, with what it gave.

    Attributes:
        kernels: in the order of their calls.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernels: list[Kernel] = []
        self._modules = CalledModules()

    def __enter__(self) -> "KernelTrace":
        self._modules.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._modules.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call an operator and note it."""
        kwargs = kwargs or {}
        given = func(*args, **kwargs)
        module, backward = self._modules.now()
        changed = _written(func, args, kwargs)
        self.kernels.append(Kernel(str(func), module, backward, digest([given, changed])))
        return given


def digest(values: Any) -> list[int]:
    """Sums of the bits of floating-point tensors in nested lists, plain and weighted by place.

    Sums of integers are the same in any order, and are made where the tensor is.
    """
    sums = []
    for value in tree_leaves(values):
        if isinstance(value, Tensor) and value.is_floating_point():
            plain = value.detach().reshape(-1).contiguous()
            bits = plain.view(INTEGERS[value.element_size()]).long()
            place = torch.arange(1, len(bits) + 1, device=bits.device)
            sums += [int(bits.sum()), int((bits * place).sum())]
    return sums


def first_difference(one: Sequence[Kernel], other: Sequence[Kernel]) -> Kernel | None:
    """The first call that differs between two traces of the same work; None for no such call."""
    for a, b in zip_longest(one, other):
        if a != b:
            found: Kernel = a or b
            return found
    return None


def differing_kernel(work: Callable[[], object], repeats: int = 3) -> str:
    """Name the first kernel that does not repeat, in words.

    Args:
        work: begins from the same seeds and weights at every call.
        repeats: of the traced work; a rare difference may show in none of them.
    """
    first = traced(work)
    for _ in range(repeats):
        kernel = first_difference(first, traced(work))
        if kernel is not None:
            return f"the first kernel to give other bits is {kernel}"
    return f"every kernel gave the same bits in {repeats} further, shorter repeats"


def traced(work: Callable[[], object]) -> list[Kernel]:
    """The kernels that some work calls."""
    with filled_memory(), KernelTrace() as trace:
        work()
    return trace.kernels


@contextmanager
def filled_memory() -> Iterator[None]:
    """Have torch fill new memory, which otherwise holds other numbers in every repeat."""
    torch.utils.deterministic.fill_uninitialized_memory = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


@contextmanager
def noted_kernels() -> Iterator[set[str]]:
    """Collect the names of kernels that torch warns of as not deterministic."""
    names: set[str] = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield names
    for warning in caught:
        text = str(warning.message)
        if found := NOT_DETERMINISTIC.match(text):
            names.add(found[1])
        elif CUBLAS in text:
            names.add(f"cuBLAS without {CUBLAS}")


def _written(func: Any, args: Any, kwargs: Any) -> list[Any]:
    """The arguments that an operator changes in place."""
    changed = []
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            changed.append(kwargs.get(argument.name, args[place] if place < len(args) else None))
    return changed
