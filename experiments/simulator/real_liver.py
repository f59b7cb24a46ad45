"""Dice on real liver slices of a network that was trained on simulated ones only.

Trains one network on the liver level of every scanner of a simulated store, with the liver as its
only class, and prints its Dice on unseen simulated bodies and on real slices.

    cl-seg phantom simulate simulated.store --scanner siemens_like --scanner ge_like …
    python experiments/simulator/real_liver.py simulated.store real.csv --label 5

The manifest lists real CT with liver labels as `cl-seg ingest` reads it.
"""

import argparse
import json
import tempfile
from pathlib import Path

from cl_seg.runtime import torch_setup  # isort: skip
import numpy as np
import pandas as pd
import torch
from torch import nn

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.predict import predict
from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.scans.ingest import write_store_from_scans
from cl_seg.scans.labels.label_map import parse_label_map
from cl_seg.scans.store import SliceStore
from cl_seg.spec.settings import Training
from cl_seg.training.experience import (
    augmentation_config,
    experience_loop,
    loop_settings,
    train_experience,
)
from cl_seg.training.seeds import derive_seeds

WINDOW_HU = (-160.0, 240.0)
DEVICE = torch.device("cpu")


def main() -> None:
    """Print mean Dice per network and seed, on simulated and on real liver slices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulated", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--label", default="5", help="value of the liver in the real label files")
    parser.add_argument("--networks", nargs="+", default=["unet", "vnet"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    torch_setup.make_deterministic(1)
    task = Task(("liver",), options.size, WINDOW_HU)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "real.store"
        labels = parse_label_map([f"liver={options.label}"], "background")
        write_store_from_scans(options.real, store, labels=labels)
        real = TaskImages(SliceStore(store), task, DEVICE)
        simulated = TaskImages(SliceStore(options.simulated), task, DEVICE)
        for network in options.networks:
            for seed in options.seeds:
                model = train(simulated, network, seed, options.steps)
                found = {
                    "network": network,
                    "seed": seed,
                    "steps": options.steps,
                    "pixels": options.size,
                    "simulated": dice(model, simulated, test_rows(simulated)),
                    "real": dice(model, real, real.store.slices),
                }
                print(json.dumps(found), flush=True)


def liver_level(images: TaskImages) -> pd.DataFrame:
    """The rows of a simulated store at the level of the liver."""
    slices = images.store.slices
    return slices[slices["slice_id"].str.contains("-liver-")]


def test_rows(images: TaskImages) -> pd.DataFrame:
    """Bodies that all scanners have scanned."""
    rows = liver_level(images)
    return rows[rows["body"].str.startswith("shared-")]


def train(images: TaskImages, network: str, seed: int, steps: int) -> nn.Module:
    """A network trained on the bodies only one scanner has scanned, of all scanners together."""
    rows = liver_level(images)
    own = rows[~rows["body"].str.startswith("shared-")]
    torch.manual_seed(seed)
    model = build_model(network, "small", {}, 2, images.task.image_size)
    rate = NETWORKS[network].presets["small"].learning_rate
    training = Training(steps=steps, batch_size=8)
    loop = experience_loop(
        model,
        derive_seeds(seed, 1, "all scanners"),
        loop_settings(training, rate, [steps]),
        augmentation_config(training, WINDOW_HU),
        [],
    )
    train_experience(loop, dense_benchmark(images, {"train": [own]}).train_stream[0])
    return model


def dice(model: nn.Module, images: TaskImages, rows: pd.DataFrame) -> float:
    """Mean Dice of the liver over cases that have it."""
    rows = rows.reset_index(drop=True)
    prediction, truth = predict(model, SliceDataset(images, rows))
    scores = case_scores(
        prediction, truth, list(rows["case"]), ["liver"], images.store.header.grid.spacing_mm
    )
    return float(np.mean([score["dice"] for score in scores if score["true"]]))


if __name__ == "__main__":
    main()
