"""A tiny store of three scanners, its benchmark, and networks that train in milliseconds."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from cl_seg.scans.splits import Fractions, split_by_patient, usable_slices
from cl_seg.scans.store import Grid, SliceRow, SliceStore, create_store

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is first imported
# No test fails because a machine is busy.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

SIZE, SPACING = 32, 2.0
SCANNERS = ("alpha", "beta", "gamma")
CLASSES = ("muscle", "liver")
WINDOW = (-160.0, 240.0)
SLICES = 3
HU = {0: -150, 1: 20, 2: 180}


def draw_slice(rng: np.random.Generator, shift_hu: float) -> tuple[np.ndarray, np.ndarray]:
    """(SIZE, SIZE) int16 HU and uint8 labels: a muscle and a liver rectangle, told apart by HU."""
    labels = np.zeros((SIZE, SIZE), np.uint8)
    y, x = rng.integers(2, 8, 2)
    labels[y : y + 20, x : x + 10] = 1
    labels[y : y + 12, x + 12 : x + 20] = 2
    hu = np.vectorize(HU.get)(labels) + rng.normal(shift_hu, 10, labels.shape)
    return hu.round().astype(np.int16), labels


def write_store(folder: Path) -> Path:
    """Three scanners with four patients of their own and two shared ones, three slices each.

    The first row of the second slice of every case is unlabelled; the last slice of the first
    patient of each scanner is labelled for liver alone.
    """
    rng = np.random.default_rng(7)
    with create_store(folder, list(CLASSES), Grid(SIZE, SPACING), {"kind": "simulated"}) as writer:
        for k, scanner in enumerate(SCANNERS):
            rows, hu, labels = [], [], []
            for patient in [f"{scanner}{i}" for i in range(4)] + ["shared0", "shared1"]:
                for z in range(SLICES):
                    image, mask = draw_slice(rng, 40.0 * k)
                    if z == 1:
                        mask[0] = 255
                    partly = patient == f"{scanner}0" and z == SLICES - 1
                    case = f"{patient}-{scanner}"
                    rows.append(
                        SliceRow(
                            slice_id=f"{case}-{z}",
                            scanner=scanner,
                            case=case,
                            patient=patient,
                            series=case,
                            z_mm=5.0 * z,
                            spacing_mm=0.8,
                            thickness_mm=5.0,
                            kvp=120.0,
                            kernel="",
                            labelled="liver" if partly else "muscle,liver",
                        )
                    )
                    hu.append(image)
                    labels.append(mask)
            writer.add_scanner(scanner, scanner.title(), rows, np.stack(hu), np.stack(labels))
    return folder


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> SliceStore:
    """The tiny store, opened."""
    return SliceStore(write_store(tmp_path_factory.mktemp("data") / "tiny.store"))


@pytest.fixture(scope="session")
def parts(store: SliceStore) -> Any:
    """The usable slices of the tiny store with their ``part``."""
    usable = usable_slices(store.slices, CLASSES)
    return split_by_patient(usable, Fractions(test=0.34, validation=0.17), seed=0)


@pytest.fixture(scope="session")
def images(store: SliceStore) -> Any:
    """The tiny store as a task of both classes sees it."""
    import torch

    from cl_seg.benchmark.task_images import Task, TaskImages

    return TaskImages(store, Task(CLASSES, SIZE, WINDOW), torch.device("cpu"))


@pytest.fixture(scope="session")
def benchmark(images: Any, parts: Any) -> Any:
    """An Avalanche benchmark of the three scanners in order."""
    from cl_seg.benchmark.experiences import dense_benchmark

    own = dict(list(parts.groupby(["part", "scanner"])))
    streams = ("train", "validation", "test")
    return dense_benchmark(images, {name: [own[name, s] for s in SCANNERS] for name in streams})


def tiny_network(seed: int = 0, classes: int = 3) -> Any:
    """Two convolutions with batch norm and dropout between, so that modes and noise matter."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Dropout2d(0.1),
        nn.Conv2d(6, classes, 1),
    )


def weights(model: Any) -> Any:
    """All parameters and buffers of a model in one float64 vector."""
    import torch

    return torch.cat([v.detach().double().flatten() for v in model.state_dict().values()])
