"""Features of the scanners a model was trained on, a file of its folder: ``features.safetensors``.

It holds means, a covariance and one vector per held-out series; no names, hashes or images.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import nn

from cl_seg.active_learning.embedding import coarsest_layer, embed
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import TaskImages
from cl_seg.messages.errors import InputError, one_line
from cl_seg.metrics.feature_distance import shrunk_covariance
from cl_seg.runtime.eval_mode import eval_mode

FEATURES = "features.safetensors"
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrainingFeatures:
    """Gaussians of the features of training scanners, and features of held-out series.

    The feature vector of a series is that of its slices
    (:func:`cl_seg.active_learning.embedding.embed`), averaged.

    Attributes:
        layer: module of the network whose feature map is pooled.
        names: display name of each of K scanners.
        means: (K, D), over the series each was trained on.
        covariance: (D, D), of these series around the mean of their scanner.
        held_out: K arrays (H, D), of series of patients it was not trained on.
    """

    layer: str
    names: list[str]
    means: Values
    covariance: Values
    held_out: list[Values]

    def to_bytes(self, weights_sha256: str) -> bytes:
        """Content of the file, for a model with these weights."""
        counts = [len(own) for own in self.held_out]
        about = {"layer": self.layer, "names": self.names, "held_out": counts}
        tensors = {
            "means": self.means,
            "covariance": self.covariance,
            "held_out": np.concatenate(self.held_out),
        }
        # safetensors writes the bytes as they lie, whatever the order of axes.
        ordered = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
        return save(ordered, {"about": json.dumps(about), "weights_sha256": weights_sha256})


def read_training_features(folder: Path, weights_sha256: str) -> TrainingFeatures | None:
    """Features of a model folder; None where it was saved without.

    Raises:
        InputError: the file is damaged, or of other weights.
    """
    path = folder / FEATURES
    if not path.is_file():
        return None
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata()
            about = json.loads(metadata["about"])
            means, covariance, held_out = map(file.get_tensor, ("means", "covariance", "held_out"))
        parts = np.split(held_out, np.cumsum(about["held_out"])[:-1])
        found = TrainingFeatures(about["layer"], about["names"], means, covariance, parts)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged ({one_line(error)}): save the model again") from error
    if metadata["weights_sha256"] != weights_sha256:
        raise InputError(f"{path} is of other weights than {folder}: save the model again")
    return found


def measure_training_features(
    model: nn.Module, images: TaskImages, parts: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]
) -> TrainingFeatures:
    """Measure the features of a trained network on the scanners it was trained on.

    Args:
        model: the network.
        images: the store as it sees it.
        parts: scanner → rows of the store that it was trained on, and rows that were held out.

    Raises:
        InputError: the network has no feature map, or no scanner has two training series.
    """
    names = images.store.header.scanners
    first = SliceDataset(images, next(iter(parts.values()))[0])
    with eval_mode(model):
        layer = coarsest_layer(model, first[0][0][None].to(images.device))
    trained, held_out = (
        [series_features(model, images, rows[part], layer) for rows in parts.values()]
        for part in (0, 1)
    )
    residuals = np.concatenate([own - own.mean(axis=0) for own in trained])
    try:
        covariance = shrunk_covariance(residuals)
    except ValueError as error:
        raise InputError(f"{error}: no scanner has two different training series") from None
    means = np.stack([own.mean(axis=0) for own in trained])
    return TrainingFeatures(layer, [names[name] for name in parts], means, covariance, held_out)


def series_features(model: nn.Module, images: TaskImages, rows: pd.DataFrame, layer: str) -> Values:
    """Features of every series, in the order of the rows.

    Args:
        model: the network.
        images: the store as it sees it.
        rows: of the store.
        layer: module whose feature map is pooled.

    Returns:
        (series, D).
    """
    features, _ = embed(model, SliceDataset(images, rows), layer)
    series = rows.groupby(["case", "series"], sort=False).ngroup().to_numpy()
    found: Values = pd.DataFrame(features).groupby(series).mean().to_numpy()
    return found
