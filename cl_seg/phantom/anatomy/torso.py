"""One level of a body laid out on a canvas: distances to skin and wall, and reference points."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Body, Preparation
from cl_seg.phantom.anatomy.canvas import Canvas, Mix
from cl_seg.phantom.anatomy.contours import (
    ANGLES,
    LEVEL_LAYOUTS,
    Curve,
    contour_distance,
    fat_thickness,
    wall_contour,
    wall_thickness,
)
from cl_seg.phantom.anatomy.shapes import Field, Rng, Shape
from cl_seg.scans.store import Grid

MUSCLE, LIVER = 1, 2  # values of labels
SUBCUTANEOUS, VISCERAL = 1, 2  # values of regions

DEFAULT_PREPARATION = Preparation()


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


def lay_out(
    body: Body,
    level: str,
    grid: Grid,
    z_mm: float = 0.0,
    preparation: Preparation = DEFAULT_PREPARATION,
) -> Torso:
    """Draw the contours of a level ("L3" or "liver") on an empty canvas at one height."""
    canvas = Canvas(grid, body.random_generator(level, "warp"), z_mm)
    rng = body.random_generator(level, "outline")
    layout = LEVEL_LAYOUTS[level]
    wall = wall_contour(body, layout, level, rng)
    thickness = wall_thickness(body, layout, level, wall, rng)
    skin = wall + fat_thickness(body, layout, level, wall, rng)
    radius = np.hypot(canvas.x, canvas.y)
    degrees = np.rad2deg(np.arctan2(canvas.x, -canvas.y))
    wall_distance = contour_distance(radius, degrees, wall)
    top, bottom = -float(wall[360]), float(wall[0])
    wall_mm = np.interp(degrees, ANGLES, thickness).astype(np.float32)
    wall_mm *= 1 + np.float32(0.05) * canvas.field(rng, 22)
    lying = canvas.y - np.float32(skin[40] * 0.985 - 4)  # the back rests on the table
    skin_distance = np.maximum(contour_distance(radius, degrees, skin), lying)
    muscle, fatty = _muscle_mixes(body, canvas, body.random_generator(level, "muscle fat"))
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
