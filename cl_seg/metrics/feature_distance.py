"""Mahalanobis distance of features from groups that share a covariance."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

Values = npt.NDArray[np.float64]


def shrunk_covariance(residuals: Values) -> Values:
    """Covariance that can be inverted where there are more features than samples.

    (1 − ρ) S + ρ m I with S = XᵀX / N, m = tr S / D and ρ = min(1, b² / d²), where
    d² = ‖S − m I‖² and b² = Σ_n ‖x_n x_nᵀ − S‖² / N² (Ledoit & Wolf 2004, J. Multivar. Anal. 88).
    Features are divided by their standard deviation before, and multiplied by it afterwards, so
    that none counts more for its unit.

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
    scaled = residuals / spread
    count, size = scaled.shape
    sample = scaled.T @ scaled / count
    target = np.trace(sample) / size * np.eye(size)
    distance = float(np.square(sample - target).sum())
    noise = (np.square(scaled).sum(axis=1) ** 2).sum() - count * np.square(sample).sum()
    share = min(1.0, noise / count**2 / distance) if distance > 0 else 1.0
    shrunk: Values = ((1 - share) * sample + share * target) * np.outer(spread, spread)
    return shrunk


def mahalanobis(points: Values, means: Values, covariance: Values) -> Values:
    """√((x − μ)ᵀ Σ⁻¹ (x − μ)) of every point and mean.

    Args:
        points: (N, D).
        means: (K, D), of groups with the covariance in common.
        covariance: (D, D), positive definite.

    Returns:
        (N, K).
    """
    root = cholesky(covariance, lower=True)
    whitened, centres = (solve_triangular(root, x.T, lower=True).T for x in (points, means))
    distances: Values = np.linalg.norm(whitened[:, None] - centres, axis=2)
    return distances
