"""The layout of one level of a body: distances and angles all organs are placed by."""

from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.anatomy.body import Body
from cl_seg.phantom.anatomy.canvas import Canvas, Ellipse, Field, Mix, Rng, intersection, wobble
from cl_seg.scans.store import Grid

MUSCLE, LIVER = 1, 2


@dataclass(frozen=True)
class Torso:
    """One level of a body on a canvas; lengths in mm.

    Attributes:
        canvas: what is painted on.
        body: whose torso.
        skin: signed distance to the surface of the body.
        wall: signed distance to the outside of the abdominal wall.
        cavity: signed distance to the inside of the abdominal wall.
        degrees: (N, N) angle from the anterior midline, 0 to 180.
        wall_mm: (N, N) thickness of the muscles of the wall.
        half_width: of the abdominal wall.
        top: y of the front of the wall.
        bottom: y of its back.
        spine_y: y of the middle of the vertebral body.
        muscle_mix: tissue fractions of muscle with its fat.
    """

    canvas: Canvas
    body: Body
    skin: Field
    wall: Field
    cavity: Field
    degrees: Field
    wall_mm: Field
    half_width: float
    top: float
    bottom: float
    spine_y: float
    muscle_mix: Mix

    @property
    def middle(self) -> float:
        """y of the middle of the wall."""
        return (self.top + self.bottom) / 2


def lay_out(body: Body, level: str, grid: Grid) -> Torso:
    """Draw the outline of a level ("L3" or "liver") on an empty canvas."""
    canvas = Canvas(grid, body.stream(level, "warp"))
    rng = body.stream(level, "outline")
    half_width, half_depth = body.width_mm / 2, body.depth_mm / 2
    round_skin = Ellipse((0, 0), (half_width, half_depth), power=2.3, wobble=wobble(rng, 0.010))
    flat_back = canvas.y - (half_depth - 7)
    half_width -= 0.8 * body.fat_mm
    top, bottom = body.fat_mm - half_depth, half_depth - (0.9 * body.fat_mm + 4)
    middle, wall_depth = (top + bottom) / 2, (bottom - top) / 2
    wall = canvas.shape(Ellipse((0, middle), (half_width, wall_depth), 0, 2.25, wobble(rng, 0.008)))
    angle = np.abs(np.arctan2(canvas.x / body.width_mm, -canvas.y / body.depth_mm))
    degrees = np.rad2deg(angle)
    wall_mm = WALL_PROFILES[level](degrees) * body.muscle * _unevenness(canvas, rng)
    return Torso(
        canvas=canvas,
        body=body,
        skin=intersection(canvas.shape(round_skin), flat_back),
        wall=wall,
        cavity=wall + np.maximum(wall_mm, 2) + 1.2,
        degrees=degrees,
        wall_mm=wall_mm,
        half_width=half_width,
        top=top,
        bottom=bottom,
        spine_y=bottom - (68 if body.male else 62),
        muscle_mix=_muscle_mix(body, canvas, body.stream(level, "muscle fat")),
    )


def _unevenness(canvas: Canvas, rng: Rng) -> Field:
    """Relative thickness of the wall: patches, and one side stronger than the other."""
    return 1 + 0.06 * canvas.field(rng, 30) + 0.04 * rng.normal() * np.sign(canvas.x)


def _bump(degrees: Field, centre: float, width: float) -> Field:
    bump: Field = np.exp(-(((degrees - centre) / width) ** 2))
    return bump


def _lumbar_wall(degrees: Field) -> Field:
    """Thickness in mm: recti in front, three lateral layers, tapering behind."""
    rectus = 11 * np.clip(1 - np.maximum(degrees - 24, 0) / 9, 0, 1)
    lateral = 19 * _bump(degrees, 80, 36) * np.clip((degrees - 30) / 8, 0, 1)
    thickness: Field = (rectus + lateral + 2) * np.clip((132 - degrees) / 14, 0, 1)
    return thickness


def _thoracic_wall(degrees: Field) -> Field:
    """Thickness in mm: recti, oblique and intercostal muscles, diaphragm."""
    rectus = 8 * np.clip(1 - np.maximum(degrees - 22, 0) / 10, 0, 1)
    sides = 10 * _bump(degrees, 60, 40) + 8 * _bump(degrees, 120, 35)
    thickness: Field = (rectus + sides + 2) * np.clip((150 - degrees) / 8, 0, 1)
    return thickness


# Engineering values, after atlases of axial anatomy.
WALL_PROFILES = {"L3": _lumbar_wall, "liver": _thoracic_wall}


def _muscle_mix(body: Body, canvas: Canvas, rng: Rng) -> Mix:
    """Muscle with fat between its fibres: log-normal patches and a few streaks."""
    texture = (
        0.5 * canvas.field(rng, 1.6) + 0.7 * canvas.field(rng, 4) + 0.4 * canvas.field(rng, 14)
    )
    fat = body.muscle_fat * (0.45 + 0.55 * np.exp(0.9 * texture)) - 0.02
    fat += canvas.streaks(rng, 3, 0.04, min(0.3, 3 * body.muscle_fat))
    fat = np.clip(fat, 0, 0.9).astype(np.float32)
    return {"muscle": 1 - fat, "adipose": fat}
