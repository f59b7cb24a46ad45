"""Mahalanobis distance of features from groups that share a covariance."""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf

Values = npt.NDArray[np.float64]


def shrunk_covariance(residuals: Values) -> Values:
    """Covariance that can be inverted where there are more features than samples.

    That of Ledoit & Wolf 2004 (J. Multivar. Anal. 88). Features are divided by their standard
    deviation before, and multiplied by it afterwards, so that none counts more for its unit.

    Args:
        residuals: (N, D), each sample less the mean of its group.

    Returns:
        (D, D).

    Raises:
        ValueError: the residuals are all zero.
    """
    spread = residuals.std(axis=0)
    if not spread.any():
        raise ValueError("the features do not vary")
    spread = np.where(spread > 0, spread, 1.0)
    shrunk, _ = ledoit_wolf(residuals / spread, assume_centered=True)
    covariance: Values = shrunk * np.outer(spread, spread)
    return covariance


def mahalanobis(points: Values, means: Values, covariance: Values) -> Values:
    """√((x − μ)ᵀ Σ⁻¹ (x − μ)) of every point and mean.

    Args:
        points: (N, D).
        means: (K, D), of groups with the covariance in common.
        covariance: (D, D), positive definite.

    Returns:
        (N, K).
    """
    distances: Values = cdist(points, means, "mahalanobis", VI=np.linalg.inv(covariance))
    return distances
