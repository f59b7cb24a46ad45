"""Contours of a level of a body: muscular wall and skin, with the areas the body was drawn with.

Contours are radii over the angle from the anterior midline, so that areas of muscle and fat can be
laid out exactly (A = ½∫R²dφ).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import OUTLINE_SHARE, Body
from cl_seg.phantom.anatomy.field import Floats
from cl_seg.phantom.anatomy.shapes import Rng

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


@dataclass(frozen=True)
class Contours:
    """Contours of a slice as radii over ``ANGLES``, and where the spine lies.

    Attributes:
        wall: the outside of the muscular wall.
        thickness: of the wall's muscles.
        skin: the outside of the skin.
        spine_y: y of the middle of the vertebral body.
    """

    wall: Curve
    thickness: Curve
    skin: Curve
    spine_y: float


LEVEL_LAYOUTS = {
    "L3": LevelLayout(261, 1.0, 1.0, 0.42, 1.0, 0.66, 70),
    "liver": LevelLayout(385, 0.45, 0.62, 0.34, 0.72, 0.71, 60),
}


def area_cm2(radius: Curve) -> float:
    """Area inside a contour of radii in mm."""
    return float(np.trapezoid(radius**2, np.deg2rad(ANGLES)) / 200)


def curves_at(degrees: Floats, *curves: Curve) -> list[Floats]:
    """Curves over ``ANGLES`` at angles of any shape, interpolated linearly."""
    place = (degrees - np.float32(ANGLES[0])) / np.float32(ANGLES[1] - ANGLES[0])
    before = place.astype(np.intp)
    beyond = place - before.astype(np.float32)
    values = []
    for curve in curves:
        single = curve.astype(np.float32)
        step = np.diff(single, append=single[-1])
        values.append(single.take(before) + step.take(before) * beyond)
    return values


def contour_distance(radius: Floats, degrees: Floats, contour: Curve) -> Floats:
    """Signed distance in mm to a contour, negative inside, to first order.

    Args:
        radius: of each pixel in mm.
        degrees: its angle from the anterior midline.
        contour: radii over ``ANGLES``.
    """
    slope = np.gradient(contour, np.deg2rad(ANGLES)) / contour
    edge, steep = curves_at(degrees, contour, np.sqrt(1 + slope**2))
    distance: Floats = (radius - edge) / steep
    return distance


def bump(centre: float, width: float) -> Curve:
    """A bell about an angle on both sides of the body, 1 at its middle."""
    curve: Curve = np.exp(-(((ABS_ANGLES - centre) / width) ** 2))
    return curve


def harmonics(rng: Rng, size: float, orders: tuple[int, ...]) -> Curve:
    """Smooth unevenness about one, the same at both ends."""
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    heights = size * rng.standard_normal(len(orders)) / np.array(orders)
    waves = np.cos(np.outer(np.deg2rad(ANGLES), orders) + phases) @ heights
    uneven: Curve = 1 + waves
    return uneven


def level_contours(body: Body, level: str, rng: Rng) -> Contours:
    """Contours of "L3" or "liver"."""
    layout = LEVEL_LAYOUTS[level]
    wall = wall_contour(body, layout, level, rng)
    thickness = wall_thickness(body, layout, level, wall, rng)
    skin = wall + fat_thickness(body, layout, level, wall, rng)
    return Contours(wall, thickness, skin, spine_y(body, layout.spine_mm, wall))


def spine_y(body: Body, spine_mm: float, wall: Curve) -> float:
    """The middle of the vertebral body, as far before the back as the muscles there are thick."""
    return float(wall[0]) - spine_mm * (0.35 * body.scale + 0.65 * body.muscle_scale)


def wall_contour(body: Body, layout: LevelLayout, level: str, rng: Rng) -> Curve:
    """Radii of the outside of the muscular wall, whose area holds organs, fat and muscles."""
    organs = layout.organs_cm2 * body.scale**2.4 * np.exp(rng.normal(0, 0.04))
    inside = organs + layout.visceral * body.vat_cm2 + layout.muscle_share * 1.1 * body.muscle_cm2
    rounder = 0.0004 * (body.vat_cm2 - 120)  # visceral fat pushes the front out
    flat = layout.flatness + rounder + rng.normal(0, 0.015)
    power = rng.normal(2.3, 0.06)
    x, y = np.sin(np.deg2rad(ANGLES)), np.cos(np.deg2rad(ANGLES)) / flat
    contour = (np.abs(x) ** power + np.abs(y) ** power) ** (-1 / power)
    # Flanks run into the fascia of the back, and the back has a furrow between its muscles.
    flank = 0.15 if level == "L3" else 0.03
    contour *= 1 - flank * bump(126, 20) - 0.05 * bump(180, 7)
    contour *= harmonics(rng, 0.008, (1, 2, 3))
    wall: Curve = contour * np.sqrt(inside / area_cm2(contour))
    return wall


def wall_thickness(body: Body, layout: LevelLayout, level: str, wall: Curve, rng: Rng) -> Curve:
    """Thickness of the wall's muscles; their area is their share of the body's muscle."""
    profile = WALL_PROFILES[level] * (1 + 0.04 * rng.normal() * np.sign(ANGLES))
    return muscle_along(wall, profile, layout.wall_share, body.muscle_cm2)


def muscle_along(wall: Curve, profile: Curve, share: float, area_cm2: float) -> Curve:
    """Thickness of muscle along a contour: a share of an area, in proportion to a profile."""
    arc = np.trapezoid(profile * wall, np.deg2rad(ANGLES)) / 100
    return profile * share * OUTLINE_SHARE * area_cm2 / arc + 1.2


def _lumbar_wall() -> Curve:
    """Relative thickness: recti as lenses in front, three lateral layers, tapering behind."""
    lens = np.sqrt(np.clip(1 - ((ABS_ANGLES - 15.5) / 13.5) ** 2, 0, 1))
    lateral = (
        bump(84, 40) * np.clip((ABS_ANGLES - 31) / 9, 0, 1) * np.clip((127 - ABS_ANGLES) / 24, 0, 1)
    )
    return 0.55 * lens + lateral


def _thoracic_wall() -> Curve:
    """Relative thickness: recti, oblique and intercostal muscles, latissimus behind."""
    lens = np.sqrt(np.clip(1 - ((ABS_ANGLES - 13) / 12) ** 2, 0, 1))
    sides = 0.9 * bump(65, 35) + 1.0 * bump(122, 28)
    return (0.6 * lens + sides + 0.25) * np.clip((150 - ABS_ANGLES) / 10, 0, 1)


# Engineering values, after atlases of axial anatomy.
WALL_PROFILES = {"L3": _lumbar_wall(), "liver": _thoracic_wall()}


def fat_thickness(body: Body, layout: LevelLayout, level: str, wall: Curve, rng: Rng) -> Curve:
    """Thickness of skin and subcutaneous fat; its area is that the body was drawn with."""
    profile = 0.95 - 0.2 * bump(85, 35) + 0.45 * bump(128, 22) - 0.45 * bump(180, 8)
    if level == "L3" and rng.random() < 0.6:
        profile = profile * (1 - rng.uniform(0.1, 0.45) * bump(0, 2.0))  # the navel
    profile = np.clip(profile * harmonics(rng, 0.12, (1, 2, 3, 4)), 0.15, None)
    return layer_about(wall, profile, layout.subcutaneous, body.sat_cm2)


def layer_about(wall: Curve, profile: Curve, share: float, area_cm2: float) -> Curve:
    """Thickness of skin and fat about a contour: a share of an area, in proportion to a profile."""
    area = 97 * share * area_cm2  # in mm²; the fascia and the skin add to it
    step = np.deg2rad(ANGLES)
    quadratic = np.trapezoid(profile**2, step) / 2
    linear = np.trapezoid(profile * wall, step)
    # Solves ½∫(R+ts)² − ½∫R² = A for the scale s.
    scale = (np.sqrt(linear**2 + 4 * quadratic * area) - linear) / (2 * quadratic)
    return profile * scale + 1.6
