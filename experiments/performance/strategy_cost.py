"""Cost of strategies, as a ratio to fine-tuning and to the same strategy of stock Avalanche.

Every contender trains the same network on two experiences, ten epochs each (stock SI one, being
up to 40 times slower), from the same weights and on the same slices, not augmented. In every round
all contenders run once, in an order that changes from round to round, in one process; a ratio is
the median over rounds of the ratio within a round. Time is per optimiser step, including
the work of a strategy after an experience.

A second part trains EWC over five experiences and prints, for each, the size of its stored state
and the largest memory of the process.

    python experiments/performance/strategy_cost.py [--rounds 20] [--network unet] [--epochs 10]
        [--only ewc si] [--no-stock]
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.data_attribute import TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from avalanche.training import Naive
from avalanche.training.plugins import (
    AGEMPlugin,
    EWCPlugin,
    ReplayPlugin,
    SynapticIntelligencePlugin,
)
from rectangles import write_store
from torch.optim import AdamW
from torch.utils.data import TensorDataset

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.losses import dice_cross_entropy
from cl_seg.models.build import build_model
from cl_seg.scans.store import SliceStore
from cl_seg.strategies.build import build_plugin
from cl_seg.suite.peak_memory import begin_peak, peak_bytes
from cl_seg.suite.stages.plugin_state import tensor_size_bytes
from cl_seg.training.loop import DenseTraining, LoopSettings

SIZE, BATCH, SLICES, RATE = 64, 4, 16, 1e-3
CPU = torch.device("cpu")
BOUNDS = {"replay": 1.10, "ewc": 1.25, "si": 1.10, "mas": 1.25, "lwf": 1.5}
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "naive": ("naive", {}),
    "replay": ("replay", {"budget": 8}),
    "ewc": ("ewc", {}),
    "ewc batch": ("ewc", {"fisher": "batch"}),
    "si": ("si", {}),
    "mas": ("mas", {}),
    "lwf": ("lwf", {}),
    "rwalk": ("rwalk", {}),
    "agem": ("agem", {"budget": 8}),
    "der": ("der", {"budget": 8}),
}
SLOW = {"si"}  # stock, up to 40 times slower: one epoch tells what a step costs
STOCK_BOUNDS = {"naive": 1.05, "replay": 1.05, "agem": 1.05, "ewc batch": 1.05, "si": 0.25}


def stock_plugins(name: str) -> tuple[list[Any], int]:
    """Avalanche's plugins for the same job, and the slices of a batch that are new."""
    half = BATCH // 2
    return {
        "naive": ([], BATCH),
        "replay": ([ReplayPlugin(mem_size=8, batch_size=half, batch_size_mem=half)], half),
        "agem": ([AGEMPlugin(patterns_per_experience=8, sample_size=half)], half),
        "ewc batch": ([EWCPlugin(0.005)], BATCH),
        "si": ([SynapticIntelligencePlugin(1.0)], BATCH),
    }[name]


class Contest:
    """The slices of some experiences, and what is trained on them."""

    def __init__(self, store: Path, network: str, experiences: int, epochs: int) -> None:
        task = Task(("muscle", "liver"), SIZE, (-160.0, 240.0))
        images = TaskImages(SliceStore(store), task, CPU)
        rows = images.store.slices
        scanners = images.store.scanners[:experiences]
        parts = [rows[rows["scanner"] == s].iloc[:SLICES] for s in scanners]
        self.network, self.epochs = network, epochs
        self.steps = epochs * SLICES // BATCH
        self.ours = dense_benchmark(images, {"train": parts}).train_stream
        tensors = [SliceDataset(images, part).batch(torch.arange(SLICES)) for part in parts]
        self.stock = benchmark_from_datasets(
            train=[
                AvalancheDataset(
                    [TensorDataset(*pair)],
                    data_attributes=[TaskLabels(ConstantSequence(0, SLICES))],
                )
                for pair in tensors
            ]
        ).train_stream

    def model(self) -> torch.nn.Module:
        """The untrained network."""
        torch.manual_seed(0)
        return build_model(self.network, "small", {}, 3, SIZE)

    def train_ours(self, name: str) -> float:
        """Seconds per optimiser step."""
        strategy, settings = OURS[name]
        model, plugin = self.model(), build_plugin(strategy, settings, 0)
        started = time.perf_counter()
        for position, experience in enumerate(self.ours):
            self.loop(model, plugin, position).train(experience, eval_streams=[])
        return (time.perf_counter() - started) / (self.steps * len(self.ours))

    def loop(self, model: torch.nn.Module, plugin: Any, position: int) -> DenseTraining:
        """Our loop of one experience."""
        loop = DenseTraining(
            model=model,
            settings=LoopSettings(self.steps, BATCH, RATE),
            generator=torch.Generator().manual_seed(position),
            plugins=[plugin] if plugin else [],
        )
        loop.clock.train_exp_counter = position
        return loop

    def train_stock(self, name: str) -> float:
        """Seconds per optimiser step of stock Avalanche."""
        plugins, new = stock_plugins(name)
        model = self.model()
        started = time.perf_counter()
        strategy = Naive(
            model=model,
            optimizer=AdamW(model.parameters(), lr=RATE),
            criterion=dice_cross_entropy,
            plugins=plugins,
            evaluator=None,
        )
        epochs = 1 if name in SLOW else self.epochs
        for position, experience in enumerate(self.stock):
            # As ours, a whole batch is new while there is no memory; equal steps and slices.
            strategy.train_mb_size = BATCH if position == 0 else new
            strategy.train_epochs = max(1, epochs * strategy.train_mb_size // BATCH)
            strategy.train(experience)
        steps = strategy.clock.train_iterations
        return (time.perf_counter() - started) / steps


def main() -> None:
    """Print and return all ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--network", action="append")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--only", choices=list(OURS), nargs="+", default=list(OURS))
    parser.add_argument("--no-stock", action="store_true", help="leave stock Avalanche out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ours = list(dict.fromkeys(["naive", *options.only]))
    stock = [] if options.no_stock else [name for name in STOCK_BOUNDS if name in ours]
    torch_setup.make_deterministic(threads=1)
    torch_setup.keep_freed_memory()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = write_store(Path(folder) / "rectangles.store", scanners=5, size=SIZE)
        for network in options.network or ["vnet", "unet"]:
            contest = Contest(store, network, 2, options.epochs)
            found[network] = {
                "ratios": ratios(contest, options.rounds, ours, stock),
                "ewc over five experiences": ewc_memory(Contest(store, network, 5, options.epochs)),
            }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def ratios(
    contest: Contest, rounds: int, ours: list[str], stock: list[str]
) -> dict[str, dict[str, float]]:
    """Median ratios to fine-tuning and to stock, with their quartiles."""
    contenders: dict[str, Callable[[], float]] = {
        **{f"ours {n}": (lambda n=n: contest.train_ours(n)) for n in ours},
        **{f"stock {n}": (lambda n=n: contest.train_stock(n)) for n in stock},
    }
    for train in contenders.values():
        train()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    shuffle = random.Random(0)
    for _ in range(rounds):
        for name in shuffle.sample(list(contenders), len(contenders)):
            times[name].append(contenders[name]())
    pairs = {
        f"{n} / naive": (f"ours {n}", "ours naive", BOUNDS.get(n)) for n in ours if n != "naive"
    }
    pairs |= {f"{n} / stock": (f"ours {n}", f"stock {n}", STOCK_BOUNDS[n]) for n in stock}
    if "si" in stock:
        pairs["stock si / naive"] = ("stock si", "ours naive", None)
    step = 1000 * statistics.median(times["ours naive"])
    print(f"{contest.network}, fine-tuning {step:.1f} ms a step", flush=True)
    result = {}
    for label, (above, below, bound) in pairs.items():
        each = [a / b for a, b in zip(times[above], times[below], strict=True)]
        low, middle, high = statistics.quantiles(each, n=4)
        limit = "" if bound is None else f"   bound {bound}"
        print(f"  {label:20} {middle:6.3f}   {low:.3f} to {high:.3f}{limit}", flush=True)
        result[label] = {"median": middle, "low": low, "high": high}
    return result


def ewc_memory(contest: Contest) -> list[dict[str, float]]:
    """Megabytes kept, and the largest memory of the process, in each of five experiences."""
    model, plugin, rows = contest.model(), build_plugin("ewc", {}, 0), []
    for position, experience in enumerate(contest.ours):
        begin_peak(CPU)
        contest.loop(model, plugin, position).train(experience, eval_streams=[])
        kept, peak = tensor_size_bytes(plugin.state_dict()) / 1e6, (peak_bytes(CPU) or 0) / 1e6
        rows.append({"experience": position + 1, "kept_mb": kept, "peak_mb": peak})
        print(f"  EWC after experience {position + 1}: keeps {kept:.1f} MB, peak {peak:.0f} MB")
    return rows


if __name__ == "__main__":
    main()
