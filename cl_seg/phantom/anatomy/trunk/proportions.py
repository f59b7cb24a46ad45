"""Areas and proportions of the trunk by height; engineering values after atlases of axial anatomy.

Above the pelvis muscle is largest at L3 (doi 10.1038/s41598-018-29825-5); at T10 it is 0.57 and at
T8 0.65 of that in women (doi 10.1097/RLI.0000000000001012). In the pelvis gluteal muscles add to
it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cl_seg.phantom.anatomy.contours import ABS_ANGLES, WALL_PROFILES, Curve, bump
from cl_seg.phantom.anatomy.trunk.positions import VERTEBRAE, along


@dataclass(frozen=True)
class Proportions:
    """Areas and proportions at one height.

    Attributes:
        organs_cm2: area inside the wall taken by organs and bones, for the average man.
        visceral: share of the visceral fat of L3 found here.
        subcutaneous: share of the subcutaneous fat of L3.
        wall_share: share of the muscle area of L3 that lies in the wall, with the gluteal muscles.
        muscle_share: share of the muscle area of L3 found here.
        flatness: depth over width inside the wall.
        spine_mm: from the back of the wall to the middle of the vertebral body, average man.
        flank: depth of the hollow of the flanks relative to the radius.
        furrow: likewise of the midline of the back.
        belly: more fat under the skin in front.
        seat: more fat under the skin behind.
    """

    organs_cm2: float
    visceral: float
    subcutaneous: float
    wall_share: float
    muscle_share: float
    flatness: float
    spine_mm: float
    flank: float
    furrow: float
    belly: float
    seat: float


# One row per vertebra, in the order of the fields of ``Proportions``.
LAYOUTS = {
    "S2": (305, 0.45, 1.25, 1.05, 1.40, 0.66, 52, 0.00, 0.04, 0.10, 0.60),
    "S1": (290, 0.55, 1.25, 0.82, 1.25, 0.65, 66, 0.00, 0.03, 0.15, 0.45),
    "L5": (248, 0.80, 1.15, 0.45, 1.02, 0.65, 71, 0.07, 0.05, 0.20, 0.30),
    "L4": (238, 0.95, 1.08, 0.41, 0.99, 0.65, 71, 0.13, 0.05, 0.12, 0.05),
    "L3": (261, 1.00, 1.00, 0.42, 1.00, 0.66, 70, 0.15, 0.05, 0.00, 0.00),
    "L2": (300, 0.85, 0.85, 0.40, 0.92, 0.68, 66, 0.11, 0.05, 0.00, 0.00),
    "L1": (345, 0.62, 0.72, 0.44, 0.82, 0.70, 62, 0.06, 0.05, 0.00, 0.00),
    "T12": (385, 0.45, 0.62, 0.43, 0.74, 0.71, 60, 0.03, 0.05, 0.00, 0.00),
    "T11": (415, 0.28, 0.57, 0.48, 0.72, 0.72, 60, 0.01, 0.05, -0.05, 0.00),
    "T10": (440, 0.16, 0.55, 0.55, 0.74, 0.72, 60, 0.00, 0.05, -0.05, 0.00),
    "T9": (455, 0.10, 0.56, 0.67, 0.80, 0.72, 60, 0.00, 0.05, 0.00, 0.00),
    "T8": (460, 0.08, 0.58, 0.75, 0.85, 0.71, 60, 0.00, 0.05, 0.10, 0.00),
}

# Half axes of the muscles of the back on each side, average man: across, and from front to back.
BACK_SIZE = (
    {"S2": 20.0, "S1": 27, "L5": 34, "L4": 38, "L3": 39, "L2": 38, "L1": 36, "T12": 33, "T11": 30,
     "T10": 29, "T9": 28, "T8": 27},
    {"S2": 8.0, "S1": 13, "L5": 21, "L4": 25, "L3": 26, "L2": 26, "L1": 24, "T12": 20, "T11": 17,
     "T10": 17, "T9": 17, "T8": 16},
)  # fmt: skip


def proportions_at(height: float) -> Proportions:
    """Proportions at a height, interpolated between vertebrae."""
    columns = zip(*LAYOUTS.values(), strict=True)
    tables = (dict(zip(LAYOUTS, column, strict=True)) for column in columns)
    return Proportions(*(float(along(height, table)) for table in tables))


def wall_profile(height: float) -> Curve:
    """Relative thickness of the wall's muscles at a height."""
    levels, curves = _profiles()
    share = np.array([np.interp(height, levels, row) for row in np.eye(len(levels))])
    profile: Curve = share @ curves
    return profile


def _lens(middle: float, width: float) -> Curve:
    lens: Curve = np.sqrt(np.clip(1 - ((ABS_ANGLES - middle) / width) ** 2, 0, 1))
    return lens


def _ramp(start: float, width: float) -> Curve:
    """From 0 at an angle to 1, over a width that may be negative."""
    ramp: Curve = np.clip((ABS_ANGLES - start) / width, 0, 1)
    return ramp


@lru_cache
def _profiles() -> tuple[list[float], Curve]:
    """Heights, upwards, and profiles there (heights, 721), all of the same mean."""
    oblique = bump(62, 26) * _ramp(30, 9) * _ramp(88, -16)
    gluteal = bump(120, 34) * _ramp(72, 16) * _ramp(174, -16)
    chest = 0.25 * _lens(12, 11) + 0.75 * bump(82, 32) + 1.15 * bump(128, 24) + 0.3
    curves = {
        "S2": 0.55 * _lens(13, 11.5) + 0.45 * oblique + 2.4 * gluteal,
        "S1": 0.55 * _lens(14, 12) + 0.75 * oblique + 1.8 * gluteal,
        "L5": 0.6 * _lens(15, 13) + bump(80, 36) * _ramp(31, 9) * _ramp(124, -22) + 0.25 * gluteal,
        "L4": 0.57 * _lens(15.5, 13.5) + bump(83, 40) * _ramp(31, 9) * _ramp(127, -24),
        "L3": WALL_PROFILES["L3"],
        "T12": WALL_PROFILES["liver"],
        "T9": chest * _ramp(174, -10),
        "T8": (chest + 0.25 * bump(20, 22)) * _ramp(174, -10),
    }
    levels = [VERTEBRAE[name] for name in curves]
    return levels, np.stack([curve / curve.mean() for curve in curves.values()])
