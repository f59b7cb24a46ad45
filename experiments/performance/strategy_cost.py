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
from contest import BOUNDS, OURS, RATE, Contest, Setting, ratio, times_in_turn
from rectangles import write_store
from torch.optim import AdamW
from torch.utils.data import TensorDataset

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.losses import dice_cross_entropy
from cl_seg.messages.errors import InputError
from cl_seg.strategies.build import build_plugin
from cl_seg.suite.peak_memory import begin_peak, peak_bytes
from cl_seg.suite.stages.plugin_state import tensor_size_bytes

SLOW = {"si"}  # stock, up to 40 times slower: one epoch tells what a step costs
STOCK_BOUNDS = {"naive": 1.05, "replay": 1.05, "agem": 1.05, "ewc batch": 1.05, "si": 0.25}


def stock_plugins(name: str, batch: int) -> tuple[list[Any], int]:
    """Avalanche's plugins for the same job, and the slices of a batch that are new."""
    half = batch // 2
    return {
        "naive": ([], batch),
        "replay": ([ReplayPlugin(mem_size=8, batch_size=half, batch_size_mem=half)], half),
        "agem": ([AGEMPlugin(patterns_per_experience=8, sample_size=half)], half),
        "ewc batch": ([EWCPlugin(0.005)], batch),
        "si": ([SynapticIntelligencePlugin(1.0)], batch),
    }[name]


class StockContest(Contest):
    """A contest with strategies of stock Avalanche besides."""

    def __init__(self, store: Path, setting: Setting, experiences: int) -> None:
        super().__init__(store, setting, experiences)
        count = setting.slices
        tensors = [SliceDataset(self.images, p).batch(torch.arange(count)) for p in self.parts]
        self.stock = benchmark_from_datasets(
            train=[
                AvalancheDataset(
                    [TensorDataset(*pair)],
                    data_attributes=[TaskLabels(ConstantSequence(0, count))],
                )
                for pair in tensors
            ]
        ).train_stream

    def train_stock(self, name: str) -> float:
        """Seconds per optimiser step of stock Avalanche."""
        batch = self.setting.batch
        plugins, new = stock_plugins(name, batch)
        model = self.model()
        started = time.perf_counter()
        strategy = Naive(
            model=model,
            optimizer=AdamW(model.parameters(), lr=RATE),
            criterion=dice_cross_entropy,
            plugins=plugins,
            evaluator=None,
        )
        epochs = 1 if name in SLOW else self.setting.epochs
        for position, experience in enumerate(self.stock):
            # As ours, a whole batch is new while there is no memory; equal steps and slices.
            strategy.train_mb_size = batch if position == 0 else new
            strategy.train_epochs = max(1, epochs * strategy.train_mb_size // batch)
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
        store = write_store(Path(folder) / "rectangles.store", scanners=5)
        for network in options.network or ["vnet", "unet"]:
            setting = Setting(network, epochs=options.epochs)
            found[network] = {
                "ratios": ratios(StockContest(store, setting, 2), options.rounds, ours, stock),
                "ewc over five experiences": ewc_memory(Contest(store, setting, 5)),
            }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def ratios(
    contest: StockContest, rounds: int, ours: list[str], stock: list[str]
) -> dict[str, dict[str, float]]:
    """Median ratios to fine-tuning and to stock, with their quartiles."""
    ours = [name for name in ours if has_effect(name, contest.model())]
    contenders: dict[str, Callable[[], float]] = {
        **{f"ours {n}": (lambda n=n: contest.train_ours(n)) for n in ours},
        **{f"stock {n}": (lambda n=n: contest.train_stock(n)) for n in stock},
    }
    times = times_in_turn(contenders, rounds)
    pairs = {
        f"{n} / naive": (f"ours {n}", "ours naive", BOUNDS.get(n)) for n in ours if n != "naive"
    }
    pairs |= {f"{n} / stock": (f"ours {n}", f"stock {n}", STOCK_BOUNDS[n]) for n in stock}
    if "si" in stock:
        pairs["stock si / naive"] = ("stock si", "ours naive", None)
    step = 1000 * statistics.median(times["ours naive"])
    print(f"{contest.setting.network}, fine-tuning {step:.1f} ms a step", flush=True)
    result = {}
    for label, (above, below, bound) in pairs.items():
        found = result[label] = ratio(times[above], times[below])
        limit = "" if bound is None else f"   bound {bound}"
        middle, low, high = found["median"], found["low"], found["high"]
        print(f"  {label:20} {middle:6.3f}   {low:.3f} to {high:.3f}{limit}", flush=True)
    return result


def has_effect(name: str, model: torch.nn.Module) -> bool:
    """False for a strategy that refuses the network."""
    strategy, settings = OURS[name]
    refuse = getattr(build_plugin(strategy, settings, 0), "require_network", lambda model: None)
    try:
        refuse(model)
    except InputError as error:
        print(f"{name} is left out: {error}")
        return False
    return True


def ewc_memory(contest: Contest) -> list[dict[str, float]]:
    """Megabytes kept, and the largest memory of the process, in each of five experiences."""
    model, plugin, rows = contest.model(), build_plugin("ewc", {}, 0), []
    device = contest.setting.device
    for position, experience in enumerate(contest.ours):
        begin_peak(device)
        contest.loop(model, plugin, position).train(experience, eval_streams=[])
        kept, peak = tensor_size_bytes(plugin.state_dict()) / 1e6, (peak_bytes(device) or 0) / 1e6
        rows.append({"experience": position + 1, "kept_mb": kept, "peak_mb": peak})
        print(f"  EWC after experience {position + 1}: keeps {kept:.1f} MB, peak {peak:.0f} MB")
    return rows


if __name__ == "__main__":
    main()
