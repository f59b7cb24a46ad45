"""A slice of the trunk at its height."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.contours import ANGLES, Contours
from cl_seg.phantom.anatomy.field import Field
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng
from cl_seg.phantom.anatomy.torso import Torso
from cl_seg.phantom.anatomy.trunk.habitus import Habitus
from cl_seg.phantom.anatomy.trunk.positions import along
from cl_seg.phantom.anatomy.trunk.proportions import BACK_SIZE

Point = tuple[float, float]

RIBS_MM = 8.0  # thickness of the ribs behind the lungs
GUTTER_MM = 14.0  # over which the ribs bend from the side to the back


@dataclass(frozen=True)
class Trunk(Torso):
    """A slice of the trunk; its cavity is that inside the muscles of the wall and of the back.

    Attributes:
        contours: of the middle of the slice.
        habitus: what is the body's own along the whole trunk.
        height: of the middle of the slice, in mm of the average man above the middle of L3.
        heights: (heights, 1, 1) of all its cuts, likewise.
        below: signed distance to the part of the cavity below the diaphragm.
    """

    contours: Contours
    habitus: Habitus
    height: float
    heights: npt.NDArray[np.float64]
    below: Field

    def along(self, table: dict[str, float]) -> float:
        """The value at the height of this slice of a table by vertebra."""
        return float(along(self.height, table))

    def inside_wall(self, degrees: float, depth_mm: float) -> Point:
        """The point (x, y) at an angle and a depth below the inside of the wall, in mm."""
        thickness = float(np.interp(degrees, ANGLES, self.contours.thickness))
        x, y = self.wall_point(degrees, thickness + depth_mm)
        return float(x), float(y)

    @property
    def back(self) -> Ellipse:
        """What holds the muscles of the back, and in the chest the ribs before them."""
        size = self.body.muscle_scale
        width, depth = (size * self.along(table) for table in BACK_SIZE)
        ribs = RIBS_MM * self.body.scale * float(np.clip((self.height - 50) / 30, 0, 1))
        return Ellipse((0.0, self.bottom), (2.2 * width, 2.0 * depth + 3 + ribs), power=2.3)

    def inside_cavity(self, degrees: float, depth_mm: float) -> Point:
        """The point at an angle and a depth below the inside of wall and back, in mm."""
        x, y = self.inside_wall(degrees, 0)
        radii = np.linspace(0, np.hypot(x, y), 400)
        turn = np.deg2rad(degrees)
        (a, b), power = self.back.radii, self.back.power
        across, down = radii * np.sin(turn) / a, (-radii * np.cos(turn) - self.bottom) / b
        behind = np.flatnonzero(np.abs(across) ** power + np.abs(down) ** power < 1)
        wall = radii[-1]
        back = radii[behind[0]] if len(behind) else wall + 2 * GUTTER_MM
        edge = (wall + back - np.hypot(wall - back, GUTTER_MM)) / 2  # as the cavity's
        radius = float(edge) - depth_mm
        return radius * float(np.sin(turn)), -radius * float(np.cos(turn))

    def streams(self, rng: Rng, count: int) -> list[Rng]:
        """Generators of parts, so that a part seen at one height moves no other part."""
        return [np.random.default_rng(key) for key in rng.integers(2**62, size=count)]
