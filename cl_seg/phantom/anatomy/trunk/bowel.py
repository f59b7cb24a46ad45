"""Colon along the trunk, and what lies in the pelvis."""

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.bowel import COLON, TRANSVERSE
from cl_seg.phantom.anatomy.loops import FillingShares, draw_filling, paint_bowel
from cl_seg.phantom.anatomy.shapes import Rng, wobble
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, curved, cut, cut_tube


def colon(trunk: Trunk, rng: Rng) -> None:
    """From the caecum to the rectum, with haustra; every part has a filling of its own."""
    canvas, textures = trunk.canvas, (trunk.canvas.field(rng, 3.5), trunk.canvas.field(rng, 1.5))
    haustra = 1.3 * canvas.field(rng, 7)
    for path, shares in _colon_paths(trunk, rng):
        (own,) = trunk.streams(rng, 1)
        filling = draw_filling(own, shares)
        for tube in cut_tube(trunk, path):
            loop = tube.grown(haustra).within(trunk.cavity_distance + 2).within(trunk.below + 3)
            free = canvas.place(loop, {"adipose": 1.0}, 0, 0.8)
            paint_bowel(trunk, own, free, filling, textures)


def _colon_paths(trunk: Trunk, rng: Rng) -> list[tuple[npt.NDArray[np.float64], FillingShares]]:
    k, edge, middle = trunk.body.scale, trunk.wall_half_width, trunk.middle
    right, left, front = 34 * k - edge + 16, edge - 32 * k, trunk.top + 36 * k
    sag, wide = rng.normal(8, 18), rng.uniform(0.8, 1.25)
    parts = (
        ([(right + 16, middle - 4, -104.0, 25.0), (right, middle + 16, -60, 26),
          (right, middle + 18, 0, 23), (right + 8, middle + 8, 36, 22)], COLON),
        ([(right + 10, middle - 14, 38.0, 20.0), (0.55 * right, front + 14, 24 + sag, 17),
          (0, front, sag, 16), (0.5 * left, front + 8, 36 + sag / 2, 16),
          (left - 16, middle - 40, 92, 16), (left - 2, middle - 4, 118, 17)], TRANSVERSE),
        ([(left, middle + 2, 114.0, 15.0), (left, middle + 24, 60, 14),
          (left, middle + 20, -30, 13), (left - 6, middle + 2, -72, 13)], COLON),
        ([(left - 10, middle - 4, -80.0, 13.0), (0.5 * left, middle - 20, -112, 14),
          (0.1 * left, middle - 6, -92, 15), (-0.15 * left, middle + 10, -118, 15),
          (6, trunk.spine_y - 38 * k, -126, 15), (4, trunk.spine_y - 34 * k, -160, 17)], COLON),
    )  # fmt: skip
    paths = []
    for points, shares in parts:
        path = curved(points, 14)
        path[:, :2] += rng.normal(0, 3.5, (len(path), 2))
        path[:, 3] *= wide * k * (1 + 0.1 * rng.standard_normal(len(path)))
        paths.append((path, shares))
    return paths


def bladder_and_uterus(trunk: Trunk, rng: Rng) -> None:
    """The top of a full bladder, and in many women the uterus behind it."""
    canvas, k = trunk.canvas, trunk.body.scale
    top, y = rng.normal(-128, 16), trunk.top + rng.normal(52, 6) * k
    bladder = Solid(
        (rng.normal(0, 6), y), (44 * k, 34 * k), top - 42, 42, 0, 2.2, wobble(rng, 0.05)
    )
    uterus = Solid((rng.normal(0, 8), y + 42 * k), (34 * k, 26 * k), top - 22, 44, 0, 2,
                   wobble(rng, 0.06))  # fmt: skip
    if not trunk.body.male and rng.random() < 0.8:
        free = canvas.place(cut(trunk, uterus), {"bowel_wall": 0.8, "muscle": 0.2}, 0, 1.0)
        canvas.paint(free.grown(-13), {"bowel_wall": 0.4, "fluid": 0.6})
    free = canvas.place(cut(trunk, bladder), {"bowel_wall": 1.0}, 0, 1.0)
    canvas.paint(free.grown(-2.5), {"fluid": 1.0})
