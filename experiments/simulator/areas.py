"""How well resampling keeps the area of structures from true labels to a score, without a network.

Bodies are simulated on some scanners. Their true labels go into a store and to the size of a
network. In place of the prediction of an error-free network, they then go back to the pixels of
the store (as suites score it) and to those of the series (as `cl-seg predict` measures it). Printed
are the differences of mean areas from the drawn areas, and the Dice of such a network. The last
column is the area if the largest fraction wins in every resampling instead::

    python experiments/simulator/areas.py
    python experiments/simulator/areas.py --bodies 2 --sizes 64 128 --scanners ge_like
"""

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.evaluation.predict import predict
from cl_seg.inference.predict import predict_slices
from cl_seg.metrics.segmentation import dice
from cl_seg.phantom.anatomy.slices import CLASSES, LEVELS
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.series import SimulatedSeries, simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.records.model_card import Input
from cl_seg.scans.resample import centre_grid, resample_image, resample_labels
from cl_seg.scans.store import Grid, SliceStore, create_store

WINDOW = (-160.0, 240.0)
CPU = torch.device("cpu")
COLUMNS = [
    *("scanner", "class", "size", "painted cm²", "store %", "suite %", "predict %", "Dice"),
    "largest %",
]
HEAD = "{:<20}{:<8}{:>5}{:>13}{:>9}{:>9}{:>11}{:>7}{:>11}".format(*COLUMNS)


class Perfect(nn.Module):
    """Predicts given labels (N, S, S), whatever it sees, slice after slice."""

    def __init__(self, labels: Tensor) -> None:
        super().__init__()
        self.labels, self.at = labels.long(), 0

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the next slices."""
        labels = self.labels[self.at : self.at + len(images)]
        self.at += len(images)
        return 20 * functional.one_hot(labels, len(CLASSES) + 1).movedim(-1, 1).float()


def main() -> None:
    """Print a row per scanner, class and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--scanners", nargs="+", default=["siemens_like", "stress_native", "ge_like"]
    )
    parser.add_argument("--bodies", type=int, default=14)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument(
        "--grid", type=int, default=320, help="pixels of 1.6 mm per side of the store"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(HEAD)
    for scanner in options.scanners:
        profile = load_profile(scanner)
        series = [
            simulate_series(
                SimulatedScan(f"shared-body-{i:04d}", scanner, profile, options.seed), level
            )
            for i in range(options.bodies)
            for level in LEVELS
        ]
        for size in options.sizes:
            report(scanner, size, areas(series, Grid(options.grid, 1.6), size))


def report(scanner: str, size: int, found: dict[str, np.ndarray]) -> None:
    """A row per class: the painted mean area, and what of it is too much or lost."""
    painted = found["painted"]
    for index, name in enumerate(CLASSES):
        off = {
            way: 100 * (found[way][:, index].mean() / painted[:, index].mean() - 1)
            for way in ("store", "suite", "predict", "plain")
        }
        print(
            f"{scanner:<20}{name:<8}{size:>5}{painted[:, index].mean() / 100:>13.1f}"
            f"{off['store']:>+9.2f}{off['suite']:>+9.2f}{off['predict']:>+11.2f}"
            f"{np.nanmean(found['dice'][:, index]):>7.3f}{off['plain']:>+11.1f}"
        )


def areas(series: list[SimulatedSeries], grid: Grid, size: int) -> dict[str, np.ndarray]:
    """(slices, classes) areas in mm²: as painted, in a store, scored by a suite, and by predict.

    With them the Dice that the suite gives, and areas by the plain rule.
    """
    found = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        store = stored(Path(folder) / "x.store", series, grid)
        images = TaskImages(store, Task(tuple(CLASSES), size, WINDOW), CPU)
        seen = images.images_and_masks(series[0].rows[0].scanner)[1]
        prediction, truth = predict(Perfect(seen), SliceDataset(images, store.slices))
        masks = iter(seen)
        for one in series:
            perfect = Perfect(torch.stack([next(masks) for _ in one.rows]))
            card = Input(
                grid_size=grid.size, spacing_mm=grid.spacing_mm, size=size, window_hu=WINDOW
            )
            pixel = float(np.prod(one.volume.spacing_mm))
            for anatomy, labels in zip(
                one.anatomies, predict_slices([perfect], card, one.volume), strict=True
            ):
                painted = anatomy.lean_labels()
                found["painted"].append(counted(painted, anatomy.grid.spacing_mm**2))
                found["predict"].append(counted(labels.labels, pixel))
        by_share = by_largest_share(torch.from_numpy(truth), size)
        for name, labels in (("store", truth), ("suite", prediction), ("plain", by_share)):
            found[name] = [counted(one, grid.spacing_mm**2) for one in labels]
        found["dice"] = [
            [dice(one == label, true == label) for label in range(1, len(CLASSES) + 1)]
            for one, true in zip(prediction, truth, strict=True)
        ]
    return {name: np.array(rows) for name, rows in found.items()}


def by_largest_share(labels: Tensor, size: int) -> np.ndarray:
    """Labels at a network's size and back, the largest share or probability deciding each time."""
    shares = functional.one_hot(labels.long(), len(CLASSES) + 1).movedim(-1, 1).float()
    small = functional.adaptive_avg_pool2d(shares, size).argmax(dim=1)
    shares = functional.one_hot(small, len(CLASSES) + 1).movedim(-1, 1).float()
    return functional.interpolate(shares, labels.shape[-1], mode="bilinear").argmax(1).numpy()


def stored(folder: Path, series: list[SimulatedSeries], grid: Grid) -> SliceStore:
    """The series in a store, as `cl-seg phantom simulate` writes them."""
    hu, labels, rows = [], [], []
    for one in series:
        placement = centre_grid(one.volume, grid)
        for row, image, mask in zip(one.rows, one.volume.hu, one.labels, strict=True):
            rows.append(row)
            hu.append(resample_image(image, one.volume, placement, grid))
            labels.append(resample_labels(mask, one.volume, placement, grid))
    with create_store(folder, list(CLASSES), grid, {"kind": "simulated"}) as writer:
        writer.add_scanner(rows[0].scanner, "scanner", rows, np.stack(hu), np.stack(labels))
    return SliceStore(folder)


def counted(labels: np.ndarray, pixel_mm2: float) -> list[float]:
    """Area of every class in mm²."""
    return [float((labels == label).sum()) * pixel_mm2 for label in range(1, len(CLASSES) + 1)]


if __name__ == "__main__":
    main()
