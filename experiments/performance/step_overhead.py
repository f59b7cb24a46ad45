"""Cost of a training step in cl_seg against the same step in a bare PyTorch loop.

Both do the same arithmetic on the same batches: fetch by index, augment, forward, Dice plus
cross-entropy, backward, clip, AdamW, one-cycle schedule. Blocks of steps of the two loops alternate
in one process, so that other load on the machine affects both equally.

    python experiments/performance/step_overhead.py [--rounds 12] [--steps 6] [--size 64]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cl_seg.runtime import torch_setup  # isort: skip
import numpy as np
import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.losses import dice_cross_entropy
from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS, OF_THE_STUDY
from cl_seg.scans.store import Grid, SliceRow, SliceStore, create_store
from cl_seg.training.augmentation import Augmentation, AugmentationConfig
from cl_seg.training.loop import DenseTraining, LoopSettings

BATCH = 8
CPU = torch.device("cpu")
AUGMENTATION = AugmentationConfig(rotate_degrees=10, scale=0.1, flip=False, shift=0)


def main() -> None:
    """Print median seconds per step and the ratio, per network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    torch_setup.make_deterministic(threads=1)
    with tempfile.TemporaryDirectory() as folder:
        slices = random_slices(Path(folder) / "random.store", options.size)
        print(f"{'network':12} {'bare ms':>9} {'cl_seg ms':>10} {'ratio':>7}   its quartiles")
        for name in OF_THE_STUDY:
            model = build_model(name, "small", {}, 3, options.size)
            bare = bare_loop(model, slices, options.steps)
            ours = our_loop(model, slices, options.steps)
            alternate(bare, ours, 0)
            pairs = [alternate(bare, ours, i) for i in range(options.rounds)]
            low, middle, high = statistics.quantiles([b / a for a, b in pairs], n=4)
            sides = zip(*pairs, strict=True)
            a, b = (1000 * statistics.median(side) / options.steps for side in sides)
            title = NETWORKS[name].title
            print(f"{title:12} {a:9.1f} {b:10.1f} {middle:7.3f}   {low:.3f} to {high:.3f}")


def alternate(
    bare: Callable[[], None], ours: Callable[[], None], round_number: int
) -> tuple[float, float]:
    """Time one block of each; which goes first alternates."""
    order = (bare, ours) if round_number % 2 else (ours, bare)
    seconds = {}
    for block in order:
        started = time.perf_counter()
        block()
        seconds[block] = time.perf_counter() - started
    return seconds[bare], seconds[ours]


def bare_loop(model: nn.Module, slices: SliceDataset, steps: int) -> Callable[[], None]:
    """A block of steps in plain PyTorch."""

    def block() -> None:
        augment = Augmentation(AUGMENTATION, torch.Generator().manual_seed(0))
        optimizer = AdamW(model.parameters(), lr=1e-4, fused=True)
        schedule = OneCycleLR(optimizer, 1e-4, steps)
        order = torch.randperm(len(slices))
        model.train()
        for step in range(steps):
            images, masks = slices.batch(order[step * BATCH : (step + 1) * BATCH])
            moves = augment(images)
            images, masks = moves.images(images), moves.masks(masks)
            optimizer.zero_grad()
            loss = dice_cross_entropy(model(images), masks)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()

    return block


def our_loop(
    model: nn.Module,
    slices: SliceDataset,
    steps: int,
    batch: int = BATCH,
    autocast: bool = False,
    augmentation: AugmentationConfig = AUGMENTATION,
) -> Callable[[], None]:
    """A block of steps through Avalanche, as `cl-seg run` does them."""
    benchmark = dense_benchmark(slices.images, {"train": [slices.rows]})
    settings = LoopSettings(steps, batch, learning_rate=1e-4, gradient_clip=1.0, autocast=autocast)

    def block() -> None:
        loop = DenseTraining(
            model=model,
            settings=settings,
            generator=torch.Generator().manual_seed(0),
            augment=Augmentation(augmentation, torch.Generator().manual_seed(0)),
            device=slices.images.device,
        )
        loop.train(benchmark.train_stream[0], eval_streams=[])

    return block


def random_slices(
    folder: Path, size: int, device: torch.device = CPU, count: int = 256
) -> SliceDataset:
    """Slices of noise; the default is as many as a block needs several times over."""
    random = np.random.default_rng(0)
    rows = [
        SliceRow(str(i), "noise", str(i), str(i), "", 0.0, 1.0, 1.0, 120.0, "", "muscle,liver")
        for i in range(count)
    ]
    with create_store(folder, ["muscle", "liver"], Grid(size, 1.0), {"kind": "simulated"}) as store:
        hu = random.integers(-200, 300, (count, size, size)).astype(np.int16)
        labels = random.integers(0, 3, (count, size, size)).astype(np.uint8)
        store.add_scanner("noise", "noise", rows, hu, labels)
    store = SliceStore(folder)
    task = Task(("muscle", "liver"), size, (-160, 240))
    return SliceDataset(TaskImages(store, task, device), store.slices)


if __name__ == "__main__":
    main()
