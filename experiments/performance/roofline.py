"""Arithmetic of a training step against the limit of this machine's matrix products.

Floating-point operations are those of forward and backward of one batch, as
``torch.utils.flop_counter`` counts them: convolutions, matrix products and attention, a
multiplication and an addition as two; norms, activations, the loss, augmentation and the optimiser
count as none. Seconds are those of a whole training step of `cl-seg run`: all of that, and fetching
the batch. The limit is the best of several large matrix products in the same precision, measured
in turn with the steps. Every time is the shortest of several, which other load on the machine
disturbs least.

    python -m experiments.performance.roofline [--networks vnet unet] [--sizes 64 128 256]
        [--preset large] [--batch 8] [--precision bfloat16] [--device cuda] [--threads 1]

Prints a Markdown table.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.losses import dice_cross_entropy
from cl_seg.models.build import build_model
from cl_seg.models.layers.linear import product
from cl_seg.models.registry import NETWORKS, OF_THE_STUDY
from experiments.performance.step_overhead import our_loop, random_slices

PRECISIONS = ("float32", "tf32", "bfloat16")
LIMIT_SIZES = {"cpu": (1024, 1536, 2048), "cuda": (4096, 8192, 12288)}
"""Rows and columns of the square matrices whose product sets the limit."""


@dataclass(frozen=True)
class Step:
    """A training step that is measured.

    Attributes:
        network: name in the registry.
        preset: its size.
        size: height and width of the images.
        batch: images per step.
        precision: ``float32``, ``tf32`` (float32 in tensor cores, 10 bits of fraction) or
            ``bfloat16`` (autocast).
        device: where it is computed.
    """

    network: str
    preset: str
    size: int
    batch: int
    precision: str
    device: torch.device

    @property
    def autocast(self) -> bool:
        """True where the forward pass is in bfloat16."""
        return self.precision == "bfloat16"

    def model(self) -> nn.Module:
        """The network with the same weights every time."""
        torch.manual_seed(0)
        return build_model(self.network, self.preset, {}, 3, self.size).to(self.device)


@dataclass(frozen=True)
class Measured:
    """Measurements of a step.

    Attributes:
        flop: floating-point operations of its forward and backward.
        seconds: of the step.
        limit: floating-point operations a second of large matrix products.
    """

    flop: int
    seconds: float
    limit: float

    @property
    def rate(self) -> float:
        """Floating-point operations a second."""
        return self.flop / self.seconds

    @property
    def share(self) -> float:
        """Part of the limit that is reached."""
        return self.rate / self.limit


def main() -> None:
    """Print a row per network and size."""
    options = _options()
    torch_setup.make_deterministic(options.threads)
    torch_setup.keep_freed_memory()
    device = torch_setup.pick_device(options.device)
    print(
        f"{options.precision}, preset {options.preset}, batch {options.batch}, "
        f"threads {options.threads}\n\n"
        "| network | size | GFLOP a step | s a step | GFLOP/s | of matrix products | share |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    for size in options.sizes:
        with noise(size, options.batch, device) as slices:
            for name in options.networks:
                step = Step(name, options.preset, size, options.batch, options.precision, device)
                found = measure(step, slices, options.steps)
                print(
                    f"| {NETWORKS[name].title} | {size}² | {found.flop / 1e9:,.1f} "
                    f"| {found.seconds:.4f} | {found.rate / 1e9:,.0f} "
                    f"| {found.limit / 1e9:,.0f} | {found.share:.2f} |",
                    flush=True,
                )


def measure(step: Step, slices: SliceDataset, steps: int = 4, rounds: int = 4) -> Measured:
    """Operations and seconds of a step, and the limit of its precision.

    Args:
        step: that is measured.
        slices: of its size, on its device.
        steps: timed together.
        rounds: of which the fastest counts.
    """
    sizes = LIMIT_SIZES[step.device.type]
    blocks: list[Callable[[], object]] = [
        our_loop(step.model(), slices, steps, step.batch, step.autocast)
    ]
    blocks += [matrix_product(size, step) for size in sizes]
    with precision_of_products(step.precision):
        of_steps, *of_products = shortest(blocks, step.device, rounds)
    rates = [2 * n**3 / seconds for n, seconds in zip(sizes, of_products, strict=True)]
    return Measured(step_flop(step), of_steps / steps, max(rates))


def step_flop(step: Step) -> int:
    """Floating-point operations of forward and backward of one batch."""
    model = step.model()
    images = torch.rand(step.batch, 1, step.size, step.size, device=step.device)
    masks = torch.zeros(images[:, 0].shape, dtype=torch.int64, device=step.device)
    own = {torch.ops.mkldnn._linear_pointwise: _linear_flop}
    with FlopCounterMode(display=False, custom_mapping=own) as counter:
        dice_cross_entropy(model(images), masks).backward()
    return counter.get_total_flops()


def _linear_flop(x: torch.Size, weight: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * math.prod(x) * weight[0]


def matrix_product(size: int, step: Step) -> Callable[[], object]:
    """The product of two square matrices in the precision of a step; 2 size³ operations."""
    kind = torch.bfloat16 if step.autocast else torch.float32
    a, b = (torch.rand(size, size, device=step.device).to(kind) for _ in range(2))
    # On a CPU, float32 is oneDNN's as in the networks: MKL's reaches half of it on AMD processors.
    if step.device.type == "cpu" and kind == torch.float32:
        return lambda: product(a, b)
    return lambda: a @ b


def shortest(
    blocks: Sequence[Callable[[], object]], device: torch.device, rounds: int
) -> list[float]:
    """Seconds of the fastest call of each block, called in turn; the first round is not counted."""
    times = [[seconds_of(block, device) for block in blocks] for _ in range(rounds + 1)]
    return [min(each) for each in zip(*times[1:], strict=True)]


def seconds_of(block: Callable[[], object], device: torch.device) -> float:
    """Seconds that a block takes, all it has begun on the device included."""
    started = time.perf_counter()
    block()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


@contextmanager
def precision_of_products(precision: str) -> Iterator[None]:
    """Products and convolutions of float32 by TF32 where that is the precision, else by float32."""
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    for backend in backends:
        backend.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        for backend, was in zip(backends, before, strict=True):
            backend.allow_tf32 = was


@contextmanager
def noise(size: int, batch: int, device: torch.device) -> Iterator[SliceDataset]:
    """Slices of noise for a few batches."""
    with tempfile.TemporaryDirectory() as folder:
        yield random_slices(Path(folder) / "random.store", size, device, count=4 * batch)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=OF_THE_STUDY)
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--preset", choices=["small", "large"], default="small")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4, help="timed together")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
