"""Whether series of CT look like those a model was trained on; needs no labels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt

from cl_seg.inference.dice_calibration import DiceCalibration, read_calibration
from cl_seg.inference.training_features import TrainingFeatures, read_training_features
from cl_seg.metrics.conformal import conformal_quantile
from cl_seg.metrics.feature_distance import mahalanobis

LEVEL = 0.95
"""Share of series like the training scanner's held-out ones that are within the limit."""
DRAWS = 999  # of as many held-out series as are judged together
UNLIKE = "unlike anything seen in training: check"
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """How far series are from the nearest training scanner.

    Attributes:
        nearest: display name of that scanner.
        distance: Mahalanobis distance of the series' mean features from its mean.
        limit: distance that held-out series of this scanner stay within.
    """

    nearest: str
    distance: float
    limit: float

    @property
    def unlike(self) -> bool:
        """Whether the series are farther than held-out ones of the nearest scanner."""
        return self.distance > self.limit

    def __str__(self) -> str:
        return UNLIKE if self.unlike else f"like {self.nearest}"


@dataclass(frozen=True)
class Observation:
    """What a model shows of a series besides its labels.

    Attributes:
        features: (D,), averaged over slices.
        agreement: class → agreement, averaged over slices; NaN without augmentation.
    """

    features: Values
    agreement: Mapping[str, float]


@dataclass(frozen=True)
class Monitor:
    """Judges the observations of a model.

    Attributes:
        features: of its training scanners.
        calibration: of its Dice, None without.
    """

    features: TrainingFeatures
    calibration: DiceCalibration | None = None

    def row(self, observation: Observation, augmentations: int) -> dict[str, Any]:
        """Verdict and, where it is calibrated, estimated Dice of a series, as columns.

        Args:
            observation: of the series.
            augmentations: that its agreement is of.
        """
        row = verdict_row(judge(self.features, observation.features[None]))
        if self.calibration is None or self.calibration.augmentations != augmentations:
            return row
        return row | _rounded(self.calibration.estimate(observation.agreement))


def read_monitor(folder: Path, weights_sha256: str) -> Monitor | None:
    """Monitor of a model folder; None where the model was saved without features.

    Raises:
        InputError: a file of it is damaged, or of other weights.
    """
    features = read_training_features(folder, weights_sha256)
    calibration = read_calibration(folder, weights_sha256)
    return None if features is None else Monitor(features, calibration)


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """A verdict as columns of a table."""
    numbers = _rounded({"distance": verdict.distance, "limit": verdict.limit})
    return {"verdict": str(verdict), "nearest": verdict.nearest, **numbers}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def judge(features: TrainingFeatures, series: Values) -> Verdict:
    """Judge one series, or several of one scanner together.

    The distance is √((x − μ)ᵀ Σ⁻¹ (x − μ)) with the mean μ of the nearest scanner and the
    covariance Σ all scanners share (Lee et al. 2018, arXiv 1807.03888; for segmentation of CT
    Gonzalez et al. 2021, arXiv 2107.05975), and x the mean features of the series. The limit is
    that of :func:`limit`.

    Args:
        features: of the training scanners.
        series: (n, D) features of the series.
    """
    centre = series.mean(axis=0, keepdims=True)
    distances = mahalanobis(centre, features.means, features.covariance)[0]
    nearest = int(distances.argmin())
    return Verdict(
        features.names[nearest],
        float(distances[nearest]),
        limit(features, nearest, len(series)),
    )


def limit(features: TrainingFeatures, scanner: int, count: int) -> float:
    """Distance that ``count`` held-out series of a training scanner stay within together.

    For one series the conformal quantile of the distances of all held-out ones, and the largest of
    fewer than 19; for several, of the distances of means of so many drawn with replacement.

    Args:
        features: of the training scanners.
        scanner: index of the scanner.
        count: series that are judged together.
    """
    held_out = features.held_out[scanner]
    if count > 1:
        random = np.random.default_rng(0)
        held_out = held_out[random.integers(len(held_out), size=(DRAWS, count))].mean(axis=1)
    mean = features.means[[scanner]]
    distances = mahalanobis(held_out, mean, features.covariance)[:, 0]
    found = conformal_quantile(distances, LEVEL)
    return found if math.isfinite(found) else float(distances.max())
