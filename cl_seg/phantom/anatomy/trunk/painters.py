"""The painters of the trunk, in order: organs that are placed yield to those before them."""

from collections.abc import Callable

import numpy.typing as npt

from cl_seg.phantom.anatomy import arms, skeleton, upper_organs, wall
from cl_seg.phantom.anatomy.body import Body, Preparation
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.trunk import (
    back,
    bowel,
    diaphragm,
    disease,
    gallbladder,
    heart,
    liver,
    organs,
    pelvis,
    rib_cage,
    small_bowel,
    spine,
    vessels,
)
from cl_seg.phantom.anatomy.trunk.outline import TRUNK, lay_out_trunk
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.wall import muscular_wall
from cl_seg.scans.store import Grid

FUSED = (-85.0, 20.0)  # heights at which spines are fused by screws


def pedicle_screws(trunk: Trunk, rng: Rng) -> None:
    """Screws of a fusion of the lower lumbar spine."""
    if FUSED[0] < trunk.height < FUSED[1]:
        skeleton.pedicle_screws(trunk, rng)


def omentum(trunk: Trunk, rng: Rng) -> None:
    """Small vessels in the fat between the upper organs."""
    if 40 < trunk.height < 140:
        upper_organs.omentum(trunk, rng)


PAINTERS: tuple[Callable[[Trunk, Rng], None], ...] = (
    wall.skin_and_fat,
    wall.cavity_fat,
    disease.ascites,
    muscular_wall,
    diaphragm.diaphragm,
    back.back,
    spine.vertebra,
    pelvis.sacrum,
    pelvis.iliac_bones,
    rib_cage.ribs,
    back.psoas,
    back.quadratus,
    vessels.aorta,
    vessels.vena_cava,
    back.crura,
    heart.oesophagus,
    heart.heart,
    diaphragm.lungs,
    vessels.mesenteric_vessels,
    organs.kidneys,
    organs.adrenals,
    gallbladder.gallbladder,
    vessels.portal_vein,
    liver.liver,
    organs.spleen,
    organs.stomach,
    organs.pancreas,
    bowel.bladder_and_uterus,
    bowel.colon,
    disease.masses,
    small_bowel.small_bowel,
    vessels.mesenteric_branches,
    omentum,
)


def paint_trunk(
    body: Body, grid: Grid, z_mm: float | npt.ArrayLike, preparation: Preparation
) -> Trunk:
    """A slice of the trunk with everything on it; arguments as of ``lay_out_trunk``."""
    trunk = lay_out_trunk(body, grid, z_mm, preparation)
    implants = (pedicle_screws,) if preparation.implants else ()
    lowered = (arms.lowered_arms,) if preparation.arms_lowered else ()
    for painter in (*PAINTERS, *implants, *lowered):
        painter(trunk, body.random_generator(TRUNK, painter.__name__))
    return trunk
