"""Loops of small bowel, packed once into the space of a body and cut at the heights of a slice."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Body
from cl_seg.phantom.anatomy.bowel import SMALL
from cl_seg.phantom.anatomy.loops import Filling, draw_filling, paint_bowel
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import cut_tube

# The room for loops in mm of the average man: across, from front to back, and along the spine.
ROOM = ((-118.0, 118.0), (0.0, 112.0), (-160.0, 100.0))
HALF_WIDTH = 160.0  # of the wall about that room
VOXEL_MM = 5.0
APART_MM = 17.5  # between the middles of two loops
RADII = (8.0, 12.5)
TRIES = 420
LEFT = 20.0  # height from which loops lie more and more to the left, below the stomach

Path = npt.NDArray[np.float64]  # (points, 4) of x, y, height and radius


def small_bowel(trunk: Trunk, rng: Rng) -> None:
    """Loops of jejunum and ileum; in some bodies most of them are full of fluid."""
    canvas = trunk.canvas
    textures, wet = (canvas.field(rng, 3.5), canvas.field(rng, 1.4)), rng.random() < 0.15
    loops = packed_loops(trunk.body)
    for path, own in zip(loops, trunk.streams(rng, len(loops)), strict=True):
        filling, gap = _filling(trunk, own, wet), own.choice([0.2, 0.8, 1.5])
        if np.abs(path[:, 2] - trunk.height).min() > 20:
            continue
        for tube in cut_tube(trunk, _in_place(trunk, path)):
            loop = tube.grown(textures[0]).within(trunk.cavity_distance + 3)
            free = canvas.place(loop.within(trunk.below + 4), {"adipose": 1.0}, 0, gap)
            paint_bowel(trunk, own, free, filling, textures)


def _filling(trunk: Trunk, rng: Rng, wet: bool) -> Filling:
    filling = draw_filling(rng, SMALL)
    if filling == "fluid" and trunk.preparation.oral_contrast:
        return "oral_contrast"
    return "fluid" if filling == "collapsed" and wet else filling


def _in_place(trunk: Trunk, path: Path) -> Path:
    """A path of the room in the cavity as it is at this height."""
    k, (start, end) = trunk.body.scale, ROOM[1]
    front, back = trunk.top + 26, trunk.spine_y - 34 * k
    x = path[:, 0] * trunk.wall_half_width / HALF_WIDTH
    y = front + (path[:, 1] - start) / (end - start) * (back - front)
    return np.column_stack([x, y, path[:, 2], k * path[:, 3]])


@lru_cache(maxsize=4)
def packed_loops(body: Body) -> list[Path]:
    """Paths whose tubes keep apart, the same for all slices of a body."""
    rng = body.random_generator("trunk", "loops of small bowel")
    taken, ball = _room(), _ball()
    paths = []
    for _ in range(TRIES):
        space = np.flatnonzero(~taken)
        if not len(space):
            break
        path = _winding(rng, _middle(int(rng.choice(space)), taken.shape))
        index = _voxels(path[:, :3])
        blocked = taken[tuple(index.T)]
        free = int(blocked.argmax()) if blocked.any() else len(path)
        if free >= 3:
            paths.append(path[:free])
            around = (index[:free, None] + ball).reshape(-1, 3)
            taken[tuple(np.clip(around, 0, np.array(taken.shape) - 1).T)] = True
    return paths


def _winding(rng: Rng, start: npt.NDArray[np.float64]) -> Path:
    """A path that turns at random, more often across the body than along it."""
    radius, steps = rng.uniform(*RADII), int(rng.integers(5, 26))
    turns = np.cumsum(rng.normal(0, 0.4, (steps, 3)), axis=0) + rng.normal(0, 1, 3)
    turns *= [1, 1, 0.7]
    ways = 0.85 * radius * turns / np.linalg.norm(turns, axis=1, keepdims=True)
    radii = radius * (1 + 0.1 * rng.standard_normal(steps + 1))
    return np.column_stack([start + np.vstack([np.zeros(3), np.cumsum(ways, axis=0)]), radii])


def _middle(voxel: int, size: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """The place of a voxel of the room."""
    index = np.array(np.unravel_index(voxel, size))
    middle: npt.NDArray[np.float64] = np.transpose(ROOM)[0] + VOXEL_MM * (index - 0.5)
    return middle


def _voxels(points: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Voxels of points; all that lie outside the room are in its border, which is taken."""
    low, high = np.transpose(ROOM)
    index = np.floor((points - low) / VOXEL_MM).astype(np.intp) + 1
    return np.asarray(np.clip(index, 0, np.ceil((high - low) / VOXEL_MM).astype(np.intp) + 1))


def _room() -> npt.NDArray[np.bool_]:
    """Voxels that are taken: the border, and the right side above ``LEFT``."""
    size = [int(np.ceil((high - low) / VOXEL_MM)) for low, high in ROOM]
    taken = np.ones([n + 2 for n in size], bool)
    x, _, z = (low + VOXEL_MM * np.arange(n) for (low, _), n in zip(ROOM, size, strict=True))
    right = ROOM[0][0] + 2.6 * np.maximum(z - LEFT, 0)
    taken[1:-1, 1:-1, 1:-1] = (x[:, None] < right)[:, None]
    return taken


def _ball() -> npt.NDArray[np.intp]:
    """Offsets of the voxels in which no other loop may have its middle."""
    reach = int(APART_MM / VOXEL_MM)
    offsets = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3), axis=-1).reshape(-1, 3)
    return np.asarray(offsets[np.linalg.norm(offsets, axis=1) * VOXEL_MM <= APART_MM])
