"""Training on SEED images labelled for one of two classes: its effect on the other class.

A UNet of muscle and liver is trained on one simulated scanner and then on slices of another scanner
that are labelled for one class alone. Their background counts as background, is ignored, or is
completed by the network itself (``cl_seg/training/pseudo_labels.py``). Prints Dice on other
patients::

    python experiments/simulator/partly_labelled.py --labelled liver
"""

import argparse
import copy
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
from cl_seg.evaluation.predict import predict
from cl_seg.models.build import build_model
from cl_seg.phantom.simulate import write_simulated_store
from cl_seg.scans.store import UNLABELLED, SliceStore
from cl_seg.spec.settings import Training
from cl_seg.training.experience import (
    augmentation_config,
    experience_loop,
    loop_settings,
    train_experience,
)
from cl_seg.training.pseudo_labels import with_pseudo_labels
from cl_seg.training.seeds import derive_seeds

WINDOW_HU = (-160.0, 240.0)
TASK = Task(("muscle", "liver"), 64, WINDOW_HU)
RATE = 1e-2
DEVICE = torch.device("cpu")


def main() -> None:
    """Print Dice of muscle and liver before and after each way of training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labelled", default="liver", choices=TASK.classes)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    torch_setup.make_deterministic(1)
    with tempfile.TemporaryDirectory() as folder:
        write_simulated_store(
            Path(folder) / "two.store",
            scanners=["siemens_like", "stress_native"],
            own_bodies=10,
            shared_bodies=0,
            size=128,
            spacing_mm=4.0,
            seed=5,
        )
        store = SliceStore(Path(folder) / "two.store")
        for seed in options.seeds:
            compare(store, options.labelled, options.steps, seed)


def compare(store: SliceStore, labelled: str, steps: int, seed: int) -> None:
    """Train the network and go on with four patients of the other scanner in each way."""
    images = TaskImages(store, TASK, DEVICE)
    old, new = (store.slices[store.slices["scanner"] == name] for name in store.scanners)
    first = new["patient"].isin(pd.unique(new["patient"])[:4])
    given, others = new[first].assign(labelled=labelled), new[~first]
    torch.manual_seed(seed)
    base = trained(build_model("unet", "small", {}, 3, 64), images, old, 400, seed)
    print(seed, "before", dice(base, images, others), flush=True)
    alone = with_masks(images, store.scanners[1], labelled, 0)
    ways = {
        "all labelled": (images, given),
        "background": (alone, given),
        "ignored": (with_masks(images, store.scanners[1], labelled, UNLABELLED), given),
        "completed": with_pseudo_labels(alone, given, base),
    }
    for way, (seen, rows) in ways.items():
        model = trained(copy.deepcopy(base), seen, rows, steps, seed)
        print(seed, way, dice(model, images, others), flush=True)


def with_masks(images: TaskImages, scanner: str, labelled: str, rest: int) -> TaskImages:
    """Images of a scanner of whose labels one class is left, all else being ``rest``."""
    seen = copy.copy(images)
    hu, masks = images.images_and_masks(scanner)
    label = TASK.classes.index(labelled) + 1
    seen._kept = {scanner: (hu, torch.where(masks == label, label, rest).to(torch.uint8))}
    return seen


def trained(
    model: nn.Module, images: TaskImages, rows: pd.DataFrame, steps: int, seed: int
) -> nn.Module:
    """The model after a stage."""
    training = Training(steps=steps, batch_size=8)
    loop = experience_loop(
        model,
        derive_seeds(seed, 1, "seed images"),
        loop_settings(training, RATE, [steps]),
        augmentation_config(training, WINDOW_HU),
        [],
    )
    train_experience(loop, dense_benchmark(images, {"train": [rows]}).train_stream[0])
    model = loop.model
    return model


def dice(model: nn.Module, images: TaskImages, rows: pd.DataFrame) -> dict[str, float]:
    """Dice of each class over all slices."""
    found, truth = predict(model, SliceDataset(images, rows))
    return {
        name: round(float(2 * np.sum((found == label) & (truth == label))
                          / np.sum((found == label).astype(int) + (truth == label))), 3)
        for label, name in enumerate(TASK.classes, start=1)
    }  # fmt: skip


if __name__ == "__main__":
    main()
