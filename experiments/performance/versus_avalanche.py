"""The quick grid with `cl-seg run`, against the same grid as a script of stock Avalanche and MONAI.

The script is what a careful researcher writes: MONAI's dictionary transforms with the deterministic
ones cached, torch's DataLoader, Avalanche's Naive with ReplayPlugin and EWCPlugin, MONAI's
DiceMetric on every scanner after every experience, one run after the other on torch's default
threads. Networks, learning rates, loss, optimiser, one-cycle schedule, batch size, optimiser steps,
gradient clip, augmentation, split and float32 are the same on both sides, and curves while training
are off. The script takes AdamW as it comes; cl_seg takes torch's fused one.
Both sides start as new processes from the same store on disk; the ACC printed beside their times is
computed in the same way for both, outside the clock.

    python experiments/performance/versus_avalanche.py [--network unet] [--steps 50] [--rectangles]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import torch
import yaml
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.data_attribute import TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from avalanche.core import SupervisedPlugin
from avalanche.training import Naive
from avalanche.training.plugins import EWCPlugin, ReplayPlugin
from edited_quick_suite import QUICK, edited_quick_suite
from monai.data import CacheDataset
from monai.losses import DiceCELoss
from monai.metrics import DiceMetric
from monai.networks import one_hot
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    RandAffined,
    Resized,
    ScaleIntensityRanged,
)
from rectangles import write_store
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.predict import predicted_labels
from cl_seg.models import monai_networks
from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.checked_suite import parse_suite
from cl_seg.planning.data import open_store
from cl_seg.planning.split import split_slices
from cl_seg.scans.store import SliceStore
from cl_seg.spec.suite import StreamSuite

STOCK_EWC_LAMBDA = 1e4
"""Our setting: stock squares gradients of a mean over pixels, so its λ is on another scale."""


def main() -> None:
    """Print ACC of every run on both sides, both wall times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--network", action="append")
    parser.add_argument("--rectangles", action="store_true", help="instead of simulated bodies")
    parser.add_argument("--script", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.script:
        run_script(*options.script)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = quick_suite(folder, options)
        here = [sys.executable, str(Path(__file__).resolve())]
        command = Path(sys.executable).with_name("cl-seg")
        ours = seconds(folder, [str(command), "run", str(suite), "--workers", str(os.cpu_count())])
        stock = seconds(folder, [*here, "--script", str(suite), "stock.json"])
        scripted = json.loads((folder / "stock.json").read_text(encoding="utf-8"))
        runs = pd.read_csv(folder / "results/quick/runs.csv")
    print(f"{'network':12} {'strategy':10} {'ACC cl_seg':>10} {'ACC script':>10} {'script s':>9}")
    for run in scripted:
        same = (runs["model"] == run["model"]) & (runs["strategy"].str.lower() == run["strategy"])
        run["ours"] = float(runs.loc[same, "ACC"].item())
        both = f"{run['ours']:10.3f} {run['ACC']:10.3f} {run['seconds']:9.1f}"
        print(f"{run['model']:12} {run['strategy']:10} {both}")
    means = [float(np.mean([run[side] for run in scripted])) for side in ("ours", "ACC")]
    print(f"mean ACC: cl_seg {means[0]:.3f}, script {means[1]:.3f}")
    print(f"wall time: cl_seg {ours:.1f} s, script {stock:.1f} s: ratio {stock / ours:.2f}")


def quick_suite(folder: Path, options: argparse.Namespace) -> Path:
    """The quick suite on a store that exists, without curves, as a file in ``folder``."""
    if options.rectangles:
        store = write_store(folder / "rectangles.store", scanners=3)
    else:
        store = open_store(parse_suite(QUICK).data, workers=os.cpu_count() or 1).folder
    training = {"curve_every": 0, "device": "cpu", "precision": "float32"}
    spec = edited_quick_suite(store, training, options.network, options.steps)
    file = folder / "quick.yaml"
    file.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return file


def seconds(folder: Path, command: Sequence[str]) -> float:
    """Wall time of a command that must succeed; what it prints goes to standard error."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "WANDB_MODE": "disabled", "PYTHONPATH": root}
    environment.pop("OMP_NUM_THREADS", None)
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
    return time.perf_counter() - started


# From here on: the script.


def run_script(file: Path, out: Path) -> None:
    """The whole grid, one run after the other, on networks with MONAI's own layers."""
    monai_networks.use_faster_layers = lambda network: network
    suite = parse_suite(file)
    assert isinstance(suite, StreamSuite) and suite.data.store
    script = Script(suite, SliceStore(suite.data.store))
    runs = [
        {"model": NETWORKS[m.name].title, "strategy": s.name, **script.run(m.name, s.name)}
        for m in suite.models
        for s in suite.strategies
    ]
    out.write_text(json.dumps(runs), encoding="utf-8")


class Pairs(Dataset[tuple[Any, Any]]):
    """Images and masks out of MONAI's dictionaries."""

    def __init__(self, items: Dataset[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        item = self.items[index]
        return item["image"].as_tensor(), item["mask"].as_tensor()[0].long()


class FixedSteps(SupervisedPlugin):  # type: ignore[misc]
    """A fresh optimiser and one-cycle schedule per experience, clipped gradients, a step budget."""

    def __init__(self, suite: StreamSuite, rate: float, steps: int) -> None:
        super().__init__()
        self.training, self.rate, self.steps, self.done = suite.training, rate, steps, 0

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Begin anew."""
        decay = self.training.weight_decay
        strategy.optimizer = AdamW(strategy.model.parameters(), lr=self.rate, weight_decay=decay)
        warmup = self.training.warmup
        self.schedule = OneCycleLR(strategy.optimizer, self.rate, self.steps, pct_start=warmup)
        self.done = 0

    def before_update(self, strategy: Any, **kwargs: Any) -> None:
        """Clip."""
        nn.utils.clip_grad_norm_(strategy.model.parameters(), self.training.gradient_clip)

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Count, and stop when the steps are done."""
        self.schedule.step()
        self.done += 1
        if self.done == self.steps:
            strategy.stop_training()


class Script:
    """Data of every scanner, and one run."""

    def __init__(self, suite: StreamSuite, store: SliceStore) -> None:
        self.suite, self.store = suite, store
        self.slices = split_slices(store.slices, suite.classes, suite.split, store.scanners)
        self.train = [self.pairs(self.rows(s, "train"), augment=True) for s in store.scanners]
        self.test = [self.pairs(self.rows(s, "test"), augment=False) for s in store.scanners]
        dice = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)
        self.loss = lambda logits, masks: dice(logits, masks.unsqueeze(1))

    def rows(self, scanner: str, part: str) -> pd.DataFrame:
        """Slices of a part of a scanner."""
        return self.slices[(self.slices["scanner"] == scanner) & (self.slices["part"] == part)]

    def pairs(self, rows: pd.DataFrame, augment: bool) -> Pairs:
        """Slices behind MONAI's transforms."""
        (scanner,) = rows["scanner"].unique()
        hu, labels = self.store.hu(scanner), self.store.labels(scanner)
        items = [
            {"image": np.asarray(hu[row], np.float32), "mask": np.asarray(labels[row], np.float32)}
            for row in rows["row"]
        ]
        size, (low, high) = self.suite.image.size, self.suite.image.window_hu
        training, keys = self.suite.training, ["image", "mask"]
        steps: list[Any] = [
            EnsureChannelFirstd(keys, channel_dim="no_channel"),
            Resized(keys, (size, size), mode=("area", "nearest")),
            ScaleIntensityRanged("image", low, high, 0.0, 1.0, clip=True),
        ]
        if augment:
            angle = np.deg2rad(training.rotate_degrees)
            moved = {"rotate_range": angle, "scale_range": [(-training.scale, training.scale)] * 2}
            modes = {"mode": ("bilinear", "nearest"), "padding_mode": "zeros"}
            steps.append(RandAffined(keys, prob=1.0, **moved, **modes))
        return Pairs(CacheDataset(items, Compose(steps), progress=False))

    def run(self, network: str, strategy: str) -> dict[str, float]:
        """ACC and seconds of one run."""
        started = time.perf_counter()
        torch.manual_seed(0)
        training = self.suite.training
        classes = 1 + len(self.suite.classes)
        model = build_model(network, "small", {}, classes, self.suite.image.size)
        parts = [ConcatDataset(self.train)] if strategy == "joint" else self.train
        steps = training.steps * (len(self.train) if strategy == "joint" else 1)
        plugins, new = self.plugins(strategy)
        rate = NETWORKS[network].presets["small"].learning_rate
        learner = Naive(
            model=model,
            optimizer=AdamW(model.parameters()),
            criterion=self.loss,
            train_mb_size=new,
            train_epochs=steps,
            plugins=[*plugins, FixedSteps(self.suite, rate, steps)],
            evaluator=None,
        )
        for experience in self.stream(parts):
            learner.train(experience)
            for scanner in self.test:
                self.score(model, scanner)
        passed = time.perf_counter() - started
        assert learner.clock.train_iterations == steps * len(parts), "steps differ"
        return {"ACC": self.accuracy(model), "seconds": passed}

    def plugins(self, strategy: str) -> tuple[list[Any], int]:
        """Stock plugins, and the slices of a batch that are new."""
        settings = {choice.name: choice.settings for choice in self.suite.strategies}
        batch = self.suite.training.batch_size
        if strategy == "replay":
            half = batch // 2
            budget = settings["replay"]["budget"]
            return [ReplayPlugin(mem_size=budget, batch_size=half, batch_size_mem=half)], half
        return ([EWCPlugin(STOCK_EWC_LAMBDA)] if strategy == "ewc" else []), batch

    def stream(self, parts: Sequence[Dataset[Any]]) -> Any:
        """Avalanche experiences of dense targets."""
        datasets = [
            AvalancheDataset([p], data_attributes=[TaskLabels(ConstantSequence(0, len(p)))])  # type: ignore[arg-type]
            for p in parts
        ]
        return benchmark_from_datasets(train=datasets).train_stream

    def score(self, model: nn.Module, pairs: Pairs) -> list[float]:
        """MONAI's Dice of every class on one scanner."""
        metric = DiceMetric(include_background=False, reduction="mean_batch")
        classes = 1 + len(self.suite.classes)
        for images, masks in DataLoader(pairs, batch_size=16):
            found = predicted(model, images).unsqueeze(1)
            metric(one_hot(found, classes), one_hot(masks.unsqueeze(1), classes))
        dice: list[float] = metric.aggregate().tolist()
        return dice

    def accuracy(self, model: nn.Module) -> float:
        """ACC as cl_seg defines it, to compare like with like."""
        scores = []
        for scanner, pairs in zip(self.store.scanners, self.test, strict=True):
            images, _ = next(iter(DataLoader(pairs, batch_size=len(pairs))))
            model.eval()
            with torch.no_grad():
                shares = model(images).softmax(dim=1)
            rows = self.rows(scanner, "test")
            truth = np.stack([self.store.labels(scanner)[row] for row in rows["row"]])
            found = predicted_labels(shares, truth.shape[-1])
            table = pd.DataFrame(
                case_scores(found, truth, list(rows["case"]), self.suite.classes, 1.0)
            )
            scores.append(table[table["true"] > 0].groupby("class")["dice"].mean().mean())
        return float(np.mean(scores))


def predicted(model: nn.Module, images: Tensor) -> Tensor:
    """(B, H, W) labels of (B, 1, H, W) images."""
    model.eval()
    with torch.no_grad():
        labels: Tensor = model(images).argmax(1)
    return labels


if __name__ == "__main__":
    main()
