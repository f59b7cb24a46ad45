"""Heights along the trunk, named by the vertebra they lie at."""

import numpy as np
import numpy.typing as npt

# Middles of the vertebral bodies in mm above that of L3, for the average man.
VERTEBRAE = {
    "S2": -132.0,
    "S1": -105.0,
    "L5": -70.0,
    "L4": -35.0,
    "L3": 0.0,
    "L2": 35.0,
    "L1": 68.0,
    "T12": 98.0,
    "T11": 126.0,
    "T10": 152.0,
    "T9": 177.0,
    "T8": 202.0,
}
LOWEST, HIGHEST = -120.0, 200.0  # of a slice: from the sacrum to above the dome of the liver
DISC_MM = 9.0  # height of a disc


def disc_depth(height: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Distance in mm to the nearest disc, negative inside it; the sacrum has none."""
    middles = np.array(sorted(VERTEBRAE.values()))[1:]
    discs = (middles[:-1] + middles[1:]) / 2
    distance = np.abs(np.asarray(height, np.float64)[..., None] - discs).min(axis=-1)
    return np.asarray(distance - DISC_MM / 2)


def draw_heights(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """Random heights, one in each of equal parts of the trunk, from below."""
    share = (np.arange(count) + rng.random(count)) / count
    return LOWEST + share * (HIGHEST - LOWEST)


def even_heights(count: int) -> npt.NDArray[np.float64]:
    """The middles of equal parts of the trunk, from below."""
    return LOWEST + (np.arange(count) + 0.5) / count * (HIGHEST - LOWEST)


def along(height: npt.ArrayLike, table: dict[str, float]) -> npt.NDArray[np.float64]:
    """Values at heights, interpolated between those of vertebrae; the ends go on unchanged."""
    places = sorted((VERTEBRAE[name], value) for name, value in table.items())
    heights, values = zip(*places, strict=True)
    return np.asarray(np.interp(np.asarray(height, np.float64), heights, values))
