"""A level of a body, painted organ by organ and averaged over the thickness of a slice."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from cl_seg.phantom.anatomy import (
    arms,
    bowel,
    kidneys,
    liver,
    muscles,
    skeleton,
    upper_organs,
    vessels,
    wall,
)
from cl_seg.phantom.anatomy.body import Body, Preparation
from cl_seg.phantom.anatomy.shapes import FAR, Rng
from cl_seg.phantom.anatomy.torso import DEFAULT_PREPARATION, MUSCLE, Torso, lay_out
from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.anatomy.trunk.painters import paint_trunk
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

Painter = Callable[[Torso, Rng], None]

CLASSES = ["muscle", "liver"]
CANVAS = Grid(560, 0.8)
WIDE = Grid(700, 0.8)
THICK_MM = 4.0  # slices at least as thick are cut into five instead of three

# In the order of painting. Organs that are placed yield to those before them.
PAINTERS: dict[str, tuple[Painter, ...]] = {
    "L3": (
        wall.skin_and_fat,
        wall.cavity_fat,
        wall.lumbar_wall,
        muscles.lumbar_back,
        skeleton.lumbar_vertebra,
        muscles.psoas_and_quadratus,
        vessels.lumbar_vessels,
        vessels.mesenteric_root,
        kidneys.lumbar_kidneys,
        liver.liver_tip,
        bowel.duodenum,
        bowel.colon,
        bowel.small_bowel,
        vessels.mesentery,
    ),
    "liver": (
        wall.skin_and_fat,
        wall.cavity_fat,
        wall.thoracic_wall,
        upper_organs.diaphragm,
        muscles.thoracic_back,
        upper_organs.lung_bases,
        skeleton.thoracic_vertebra,
        skeleton.ribs,
        vessels.upper_vessels,
        muscles.crura,
        kidneys.upper_kidneys,
        liver.gallbladder,
        liver.liver,
        upper_organs.spleen,
        upper_organs.stomach,
        upper_organs.pancreas,
        bowel.upper_colon,
        bowel.jejunum,
        upper_organs.omentum,
    ),
}
LEVELS = tuple(PAINTERS)
THREADS = ThreadpoolController()


@dataclass(frozen=True)
class Anatomy:
    """One level of a body, averaged over the thickness of a slice.

    Attributes:
        grid: of the arrays.
        fractions: (tissues, N, N) float32 tissue fractions in the order of ``tissues.TISSUES``.
        labels: (N, N) uint8: 1 muscle, with the fat inside it, 2 liver.
        regions: (N, N) uint8 of the middle height: ``SUBCUTANEOUS``, ``VISCERAL`` or 0.
        surface: (N, N) signed distance to the skin in mm, negative inside, ``FAR`` far outside.
    """

    grid: Grid
    fractions: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    regions: npt.NDArray[np.uint8]
    surface: npt.NDArray[np.float32]

    def lean_labels(self) -> npt.NDArray[np.uint8]:
        """Labels without fat inside muscle: pixels that hold more fat than muscle, (N, N) uint8."""
        fat, lean = (self.fractions[TISSUES.index(name)] for name in ("adipose", "muscle"))
        return np.where((self.labels == MUSCLE) & (fat > lean), np.uint8(0), self.labels)


def paint(
    body: Body,
    level: str,
    grid: Grid = CANVAS,
    z_mm: float | npt.ArrayLike = 0.0,
    preparation: Preparation = DEFAULT_PREPARATION,
) -> Anatomy:
    """Paint a slice of a body at one height, or the mean of several heights.

    Labels are those of most heights.

    Args:
        body: whose.
        level: one of ``LEVELS``, or ``TRUNK`` for any height of the trunk.
        grid: changes the sampling, not the body.
        z_mm: above the middle of the level (of L3 in the trunk), one height or several.
        preparation: oral contrast medium, arms and implants.
    """
    with THREADS.limit(limits=1, user_api="blas"):  # the same bits on any number of cores
        painted = paint_trunk if level == TRUNK else partial(_paint_level, level=level)
        torso = painted(body, grid=grid, z_mm=z_mm, preparation=preparation)
        canvas = torso.canvas
        return Anatomy(
            grid,
            canvas.fractions(),
            canvas.over_grid(_majority(canvas.labels), 0),
            canvas.over_grid(torso.regions(), 0),
            canvas.over_grid(torso.surface.values.mean(axis=0), float(FAR)),
        )


def _paint_level(
    body: Body, level: str, grid: Grid, z_mm: float | npt.ArrayLike, preparation: Preparation
) -> Torso:
    torso = lay_out(body, level, grid, z_mm, preparation)
    for painter in _painters(level, preparation):
        painter(torso, body.random_generator(level, painter.__name__))
    return torso


def _painters(level: str, preparation: Preparation) -> tuple[Painter, ...]:
    implants = (skeleton.pedicle_screws,) if preparation.implants else ()
    lowered = (arms.lowered_arms,) if preparation.arms_lowered else ()
    return (*PAINTERS[level], *implants, *lowered)


def _majority(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The label of most heights (heights, R, C) at every pixel; the smaller one of equals."""
    winner = np.zeros(labels.shape[1:], np.uint8)
    most = (labels == 0).sum(axis=0, dtype=np.uint8)
    for value in range(1, len(CLASSES) + 1):
        votes = (labels == value).sum(axis=0, dtype=np.uint8)
        winner[votes > most] = value
        most = np.maximum(most, votes)
    return winner


def paint_slab(
    body: Body,
    level: str,
    thickness_mm: float,
    *,
    grid: Grid | None = None,
    z_mm: float = 0.0,
    preparation: Preparation = DEFAULT_PREPARATION,
) -> Anatomy:
    """A level averaged over a slice: tissues mix, labels are those of most of the thickness.

    Three heights stand for the slice, five where it is thicker than ``THICK_MM``. The grid is
    ``CANVAS``, or ``WIDE`` for arms beside the trunk, unless another is given.
    """
    grid = grid or (WIDE if preparation.arms_lowered else CANVAS)
    count = 5 if thickness_mm >= THICK_MM else 3
    heights = z_mm + thickness_mm * ((np.arange(count) + 0.5) / count - 0.5)
    return paint(body, level, grid, heights, preparation)
