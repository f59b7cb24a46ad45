"""The layout of one level of a body: contours of skin and muscular wall, and reference points.

Contours are radii over the angle from the anterior midline, so that the areas of muscle and fat a
body was drawn with can be laid out exactly (A = ½∫R²dφ).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import OUTLINE_SHARE, Body, Preparation
from cl_seg.phantom.anatomy.canvas import Canvas, Mix
from cl_seg.phantom.anatomy.shapes import Field, Rng, Shape
from cl_seg.scans.store import Grid

MUSCLE, LIVER = 1, 2  # values of labels
SUBCUTANEOUS, VISCERAL = 1, 2  # values of regions

DEFAULT_PREPARATION = Preparation()

Curve = npt.NDArray[np.float64]  # (721,) a value per angle of ANGLES
ANGLES = np.linspace(-180, 180, 721)  # degrees from the anterior midline, positive to the right
ABS_ANGLES = np.abs(ANGLES)


@dataclass(frozen=True)
class LevelLayout:
    """Areas and proportions of one level; engineering values after atlases of axial anatomy.

    Attributes:
        organs_cm2: area inside the wall taken by organs and bones, for the average man.
        visceral: share of the visceral fat of L3 found here.
        subcutaneous: share of the subcutaneous fat of L3.
        wall_share: share of the muscle area of L3 that lies in the wall here.
        muscle_share: share of the muscle area of L3 found here.
        flatness: depth over width inside the wall.
        spine_mm: from the back of the wall to the middle of the vertebral body, average man.
    """

    organs_cm2: float
    visceral: float
    subcutaneous: float
    wall_share: float
    muscle_share: float
    flatness: float
    spine_mm: float


LEVEL_LAYOUTS = {
    "L3": LevelLayout(261, 1.0, 1.0, 0.42, 1.0, 0.66, 70),
    "liver": LevelLayout(385, 0.45, 0.62, 0.34, 0.72, 0.71, 60),
}


@dataclass(frozen=True)
class Torso:
    """One level of a body on a canvas; lengths in mm.

    Attributes:
        canvas: what is painted on.
        body: whose torso.
        level: "L3" or "liver".
        preparation: how they come to the scanner.
        skin: shape of the whole body.
        skin_distance: (N, N) signed distance to the surface of the body, negative inside.
        wall_distance: (N, N) the same to the outside of the muscular wall.
        cavity_distance: (N, N) the same to the inside of the muscular wall.
        degrees: (N, N) angle from the anterior midline, −180 to 180, positive to the right.
        wall_mm: (N, N) thickness of the wall.
        wall_radius: (721,) the outside of the wall over ``ANGLES``.
        trunk_half_width: half of the width of the trunk.
        wall_half_width: half of the width of the muscular wall.
        top: y of the front of the wall.
        bottom: y of its back.
        spine_y: y of the middle of the vertebral body.
        muscle: tissue fractions of muscle, with its fat.
        fatty_muscle: the same for the muscles of the back, which hold more fat.
    """

    canvas: Canvas
    body: Body
    level: str
    preparation: Preparation
    skin: Shape
    skin_distance: Field
    wall_distance: Field
    cavity_distance: Field
    degrees: Field
    wall_mm: Field
    wall_radius: Curve
    trunk_half_width: float
    wall_half_width: float
    top: float
    bottom: float
    spine_y: float
    muscle: Mix
    fatty_muscle: Mix

    def regions(self) -> npt.NDArray[np.uint8]:
        """``SUBCUTANEOUS`` outside the wall, ``VISCERAL`` inside it and in front of the back."""
        inside = (self.cavity_distance < 0) & (self.canvas.y < self.spine_y + 15)
        regions = np.where(self.wall_distance > 0, SUBCUTANEOUS, VISCERAL * inside)
        return np.where(self.skin_distance < 0, regions, 0).astype(np.uint8)

    def wall_point(self, degrees: float, depth_mm: float) -> tuple[float, float]:
        """The point (x, y) at an angle and a depth below the outside of the wall, in mm."""
        radius = float(np.interp(degrees, ANGLES, self.wall_radius)) - depth_mm
        angle = np.deg2rad(degrees)
        return radius * float(np.sin(angle)), -radius * float(np.cos(angle))

    @property
    def middle(self) -> float:
        """y of the middle of the wall."""
        return (self.top + self.bottom) / 2


def area_cm2(radius: Curve) -> float:
    """Area inside a contour."""
    return float(np.trapezoid(radius**2, np.deg2rad(ANGLES)) / 200)


def lay_out(
    body: Body,
    level: str,
    grid: Grid,
    z_mm: float = 0.0,
    preparation: Preparation = DEFAULT_PREPARATION,
) -> Torso:
    """Draw the contours of a level ("L3" or "liver") on an empty canvas at one height."""
    canvas = Canvas(grid, body.stream(level, "warp"), z_mm)
    rng = body.stream(level, "outline")
    layout = LEVEL_LAYOUTS[level]
    wall = _wall_contour(body, layout, level, rng)
    thickness = _wall_thickness(body, layout, level, wall, rng)
    skin = wall + _fat_thickness(body, layout, level, wall, rng)
    radius = np.hypot(canvas.x, canvas.y)
    degrees = np.rad2deg(np.arctan2(canvas.x, -canvas.y))
    wall_distance = _distance(radius, degrees, wall)
    top, bottom = -float(wall[360]), float(wall[0])
    wall_mm = np.interp(degrees, ANGLES, thickness).astype(np.float32)
    wall_mm *= 1 + np.float32(0.05) * canvas.field(rng, 22)
    lying = canvas.y - np.float32(skin[40] * 0.985 - 4)  # the back rests on the table
    skin_distance = np.maximum(_distance(radius, degrees, skin), lying)
    muscle, fatty = _muscle_mixes(body, canvas, body.stream(level, "muscle fat"))
    return Torso(
        canvas=canvas,
        body=body,
        level=level,
        preparation=preparation,
        skin=canvas.shape(skin_distance),
        skin_distance=skin_distance,
        wall_distance=wall_distance,
        cavity_distance=wall_distance + wall_mm + np.float32(0.8) * (1 + canvas.field(rng, 6)),
        degrees=degrees,
        wall_mm=wall_mm,
        wall_radius=wall,
        trunk_half_width=float(np.interp(90, ANGLES, skin)),
        wall_half_width=float(np.interp(90, ANGLES, wall)),
        top=top,
        bottom=bottom,
        spine_y=bottom - layout.spine_mm * (0.35 * body.scale + 0.65 * body.muscle_scale),
        muscle=muscle,
        fatty_muscle=fatty,
    )


def _distance(radius: Field, degrees: Field, contour: Curve) -> Field:
    """First-order signed distance to a contour."""
    slope = np.gradient(contour, np.deg2rad(ANGLES)) / contour
    steep = np.interp(degrees, ANGLES, np.sqrt(1 + slope**2)).astype(np.float32)
    edge = np.interp(degrees, ANGLES, contour).astype(np.float32)
    distance: Field = (radius - edge) / steep
    return distance


def _bump(centre: float, width: float) -> Curve:
    bump: Curve = np.exp(-(((ABS_ANGLES - centre) / width) ** 2))
    return bump


def _harmonics(rng: Rng, size: float, orders: tuple[int, ...]) -> Curve:
    """Smooth unevenness about one, the same at both ends."""
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    heights = size * rng.standard_normal(len(orders)) / np.array(orders)
    waves = np.cos(np.outer(np.deg2rad(ANGLES), orders) + phases) @ heights
    uneven: Curve = 1 + waves
    return uneven


def _wall_contour(body: Body, layout: LevelLayout, level: str, rng: Rng) -> Curve:
    """Outside of the muscular wall, of the area that holds what lies inside."""
    organs = layout.organs_cm2 * body.scale**2.4 * np.exp(rng.normal(0, 0.04))
    inside = organs + layout.visceral * body.vat_cm2 + layout.muscle_share * 1.1 * body.muscle_cm2
    rounder = 0.0004 * (body.vat_cm2 - 120)  # visceral fat pushes the front out
    flat = layout.flatness + rounder + rng.normal(0, 0.015)
    power = rng.normal(2.3, 0.06)
    x, y = np.sin(np.deg2rad(ANGLES)), np.cos(np.deg2rad(ANGLES)) / flat
    contour = (np.abs(x) ** power + np.abs(y) ** power) ** (-1 / power)
    # Flanks run into the fascia of the back, and the back has a furrow between its muscles.
    flank = 0.15 if level == "L3" else 0.03
    contour *= 1 - flank * _bump(126, 20) - 0.05 * _bump(180, 7)
    contour *= _harmonics(rng, 0.008, (1, 2, 3))
    wall: Curve = contour * np.sqrt(inside / area_cm2(contour))
    return wall


def _wall_thickness(body: Body, layout: LevelLayout, level: str, wall: Curve, rng: Rng) -> Curve:
    """Thickness of the wall's muscles, of the area that is their share."""
    profile = WALL_PROFILES[level] * (1 + 0.04 * rng.normal() * np.sign(ANGLES))
    arc = np.trapezoid(profile * wall, np.deg2rad(ANGLES)) / 100
    return profile * layout.wall_share * OUTLINE_SHARE * body.muscle_cm2 / arc + 1.2


def _lumbar_wall() -> Curve:
    """Relative thickness: recti as lenses in front, three lateral layers, tapering behind."""
    lens = np.sqrt(np.clip(1 - ((ABS_ANGLES - 15.5) / 13.5) ** 2, 0, 1))
    lateral = (
        _bump(84, 40)
        * np.clip((ABS_ANGLES - 31) / 9, 0, 1)
        * np.clip((127 - ABS_ANGLES) / 24, 0, 1)
    )
    return 0.55 * lens + lateral


def _thoracic_wall() -> Curve:
    """Relative thickness: recti, oblique and intercostal muscles, latissimus behind."""
    lens = np.sqrt(np.clip(1 - ((ABS_ANGLES - 13) / 12) ** 2, 0, 1))
    sides = 0.9 * _bump(65, 35) + 1.0 * _bump(122, 28)
    return (0.6 * lens + sides + 0.25) * np.clip((150 - ABS_ANGLES) / 10, 0, 1)


# Engineering values, after atlases of axial anatomy.
WALL_PROFILES = {"L3": _lumbar_wall(), "liver": _thoracic_wall()}


def _fat_thickness(body: Body, layout: LevelLayout, level: str, wall: Curve, rng: Rng) -> Curve:
    """Thickness of skin and subcutaneous fat, of the area the body was drawn with."""
    profile = 0.95 - 0.2 * _bump(85, 35) + 0.45 * _bump(128, 22) - 0.45 * _bump(180, 8)
    if level == "L3" and rng.random() < 0.6:
        profile = profile * (1 - rng.uniform(0.1, 0.45) * _bump(0, 2.0))  # the navel
    profile = np.clip(profile * _harmonics(rng, 0.12, (1, 2, 3, 4)), 0.15, None)
    area = 97 * layout.subcutaneous * body.sat_cm2  # in mm²; the fascia and the skin add to it
    step = np.deg2rad(ANGLES)
    quadratic = np.trapezoid(profile**2, step) / 2
    linear = np.trapezoid(profile * wall, step)
    # Solves ½∫(R+ts)² − ½∫R² = A for the scale s.
    scale = (np.sqrt(linear**2 + 4 * quadratic * area) - linear) / (2 * quadratic)
    return profile * scale + 1.6


def _muscle_mixes(body: Body, canvas: Canvas, rng: Rng) -> tuple[Mix, Mix]:
    """Muscle with fat between its fibres: log-normal patches and streaks."""
    fine = 0.5 * canvas.field(rng, 1.5) + 0.6 * canvas.field(rng, 3.5)
    texture = fine + 0.5 * canvas.field(rng, 12)
    streaks = canvas.streaks(rng, 3.2, 0.05, 1.0)
    mixes = []
    for more in (0.75, 1.3):
        mean = more * body.muscle_fat
        fat = mean * (0.35 + 0.55 * np.exp(0.8 * texture)) + min(4 * mean, 0.7) * streaks
        fat = np.clip(fat, 0, 0.95).astype(np.float32)
        mixes.append({"muscle": 1 - fat, "adipose": fat})
    return mixes[0], mixes[1]
