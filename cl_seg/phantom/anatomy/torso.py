"""One level of a body laid out on a canvas: distances to skin and wall, and reference points."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Body, Preparation
from cl_seg.phantom.anatomy.canvas import Canvas
from cl_seg.phantom.anatomy.contours import (
    ANGLES,
    Contours,
    Curve,
    contour_distance,
    curves_at,
    level_contours,
)
from cl_seg.phantom.anatomy.field import Computed, Field, PerHeight, Samples, largest
from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Rng, Shape
from cl_seg.scans.store import Grid

MUSCLE, LIVER = 1, 2  # values of labels
SUBCUTANEOUS, VISCERAL = 1, 2  # values of regions

DEFAULT_PREPARATION = Preparation()
SPINOUS_MM = 82.0  # from the middle of a vertebral body to behind its spinous process, at most
ARMS_MM = (150.0, 140.0)  # how far arms reach beside the trunk, and to the front and the back


@dataclass(frozen=True)
class Patient:
    """Whose torso it is.

    Attributes:
        body: the person.
        level: "L3" or "liver", the nearer of both.
        preparation: how they come to the scanner.
    """

    body: Body
    level: str
    preparation: Preparation


@dataclass(frozen=True)
class Torso:
    """One level of a body on a canvas; lengths in mm.

    Attributes:
        canvas: what is painted on.
        body: whose torso.
        level: "L3" or "liver".
        preparation: how they come to the scanner.
        skin: shape of the trunk.
        skin_distance: signed distance to the skin of the trunk, negative inside.
        surface: the same to the skin of trunk and arms; arms are added when they are painted.
        wall_distance: the same to the outside of the muscular wall.
        cavity_distance: the same to the inside of the muscular wall.
        degrees: angle from the anterior midline, −180 to 180, positive to the right.
        wall_mm: thickness of the wall.
        grid_wall_mm: the same, to be read on the whole grid.
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
    surface: Samples
    wall_distance: Field
    cavity_distance: Field
    degrees: Field
    wall_mm: Field
    grid_wall_mm: Field
    wall_radius: Curve
    trunk_half_width: float
    wall_half_width: float
    top: float
    bottom: float
    spine_y: float
    muscle: Mix
    fatty_muscle: Mix

    def regions(self) -> npt.NDArray[np.uint8]:
        """``SUBCUTANEOUS`` outside the wall, ``VISCERAL`` inside it and in front of the back.

        Returns:
            (R, C) over the window of the canvas, at the middle height.
        """
        read = (self.cavity_distance, self.canvas.y, self.wall_distance, self.surface)
        everywhere, middle = self.canvas.everywhere, len(self.canvas.z_mm) // 2
        cavity, y, wall, surface = (field.on(everywhere)[middle] for field in read)
        inside = (cavity < 0) & (y < self.spine_y + 15)
        regions = np.where(wall > 0, SUBCUTANEOUS, VISCERAL * inside)
        return np.where(surface < 0, regions, 0).astype(np.uint8)

    def wall_point(self, degrees: PerHeight, depth_mm: float) -> tuple[PerHeight, PerHeight]:
        """The point (x, y) at an angle and a depth below the outside of the wall, in mm."""
        radius = np.interp(degrees, ANGLES, self.wall_radius) - depth_mm
        angle = np.deg2rad(degrees)
        return radius * np.sin(angle), -radius * np.cos(angle)

    @property
    def middle(self) -> float:
        """y of the middle of the wall."""
        return (self.top + self.bottom) / 2


def lay_out(
    body: Body,
    level: str,
    grid: Grid,
    z_mm: float | npt.ArrayLike = 0.0,
    preparation: Preparation = DEFAULT_PREPARATION,
) -> Torso:
    """Draw the contours of a level ("L3" or "liver") on an empty canvas.

    Args:
        body: whose.
        level: one of ``contours.LEVEL_LAYOUTS``.
        grid: of the canvas.
        z_mm: above the middle of the level, one height or several.
        preparation: of the patient.
    """
    rng = body.random_generator(level, "outline")
    contours = level_contours(body, level, rng)
    reach = reach_mm(body, contours, preparation)
    canvas = Canvas(grid, body.random_generator(level, "warp"), z_mm, reach)
    muscle_fat = body.random_generator(level, "muscle fat")
    return torso_within(contours, canvas, Patient(body, level, preparation), rng, muscle_fat)


def torso_within(
    contours: Contours, canvas: Canvas, patient: Patient, rng: Rng, muscle_fat: Rng
) -> Torso:
    """A torso with these contours on a canvas.

    Args:
        contours: of the slice.
        canvas: empty.
        patient: whose torso.
        rng: of the unevenness of the wall.
        muscle_fat: of the fat in muscles.
    """
    body, wall, skin, thickness = patient.body, contours.wall, contours.skin, contours.thickness
    x, y = canvas.x, canvas.y
    angle = Computed(np.arctan2, x, -y) * float(np.rad2deg(1))
    degrees, radius = canvas.sampled(angle), canvas.sampled((x * x + y * y) ** 0.5)
    wall_distance = canvas.sampled(_contour_field(wall, radius, degrees))
    # The back rests on the table.
    lying = canvas.gravity_y - (skin[40] * 0.985 - 4)
    skin_distance = canvas.sampled(largest(_contour_field(skin, radius, degrees), lying))
    uneven = 1 + 0.05 * canvas.field(rng, 22)
    wall_mm = canvas.sampled(_curve_field(thickness, degrees) * uneven)
    cavity_distance = wall_distance + wall_mm + 0.8 * (1 + canvas.field(rng, 6))
    muscle, fatty = _muscle_mixes(body, canvas, muscle_fat)
    return Torso(
        canvas=canvas,
        body=body,
        level=patient.level,
        preparation=patient.preparation,
        skin=canvas.shape(skin_distance),
        skin_distance=skin_distance,
        surface=Samples(skin_distance.values.copy()),
        wall_distance=wall_distance,
        cavity_distance=canvas.sampled(cavity_distance),
        degrees=degrees,
        wall_mm=wall_mm,
        grid_wall_mm=_curve_field(thickness, angle) * uneven,
        wall_radius=wall,
        trunk_half_width=float(np.interp(90, ANGLES, skin)),
        wall_half_width=float(np.interp(90, ANGLES, wall)),
        top=-float(wall[360]),
        bottom=float(wall[0]),
        spine_y=contours.spine_y,
        muscle=muscle,
        fatty_muscle=fatty,
    )


def _curve_field(curve: Curve, degrees: Field) -> Field:
    return Computed(lambda degrees: curves_at(degrees, curve)[0], degrees)


def _contour_field(contour: Curve, radius: Field, degrees: Field) -> Field:
    return Computed(partial(contour_distance, contour=contour), radius, degrees)


def reach_mm(body: Body, contours: Contours, preparation: Preparation) -> tuple[float, float]:
    """Largest |x| and |y| in mm at which anything of a body is painted."""
    angles, skin = np.deg2rad(ANGLES), contours.skin
    x, y = (float(np.abs(skin * place).max()) + 4 for place in (np.sin(angles), np.cos(angles)))
    y = max(y, contours.spine_y + SPINOUS_MM * body.scale)
    if preparation.arms_lowered:
        x, y = x + ARMS_MM[0], max(y, ARMS_MM[1])
    return x, y


def _muscle_mixes(body: Body, canvas: Canvas, rng: Rng) -> tuple[Mix, Mix]:
    """Muscle with fat between its fibres: log-normal patches and streaks."""
    fine = 0.5 * canvas.field(rng, 1.5) + 0.6 * canvas.field(rng, 3.5)
    texture = fine + 0.5 * canvas.field(rng, 12)
    streaks = canvas.streaks(rng, 3.2, 0.05, 1.0)
    mixes = []
    for more in (0.75, 1.3):
        mean = more * body.muscle_fat
        fat = mean * (0.35 + 0.55 * np.exp(0.8 * texture)) + min(4 * mean, 0.7) * streaks
        fat = np.clip(fat, 0, 0.95)
        mixes.append({"muscle": 1 - fat, "adipose": fat})
    return mixes[0], mixes[1]
