"""A slice of the trunk laid out at its height: contours, cavity and muscle."""

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Body, Preparation
from cl_seg.phantom.anatomy.canvas import Canvas
from cl_seg.phantom.anatomy.contours import (
    ANGLES,
    Contours,
    Curve,
    area_cm2,
    bump,
    harmonics,
    layer_about,
    muscle_along,
    spine_y,
)
from cl_seg.phantom.anatomy.field import Field, Samples
from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Rng, ellipse_distance
from cl_seg.phantom.anatomy.torso import Patient, reach_mm, torso_within
from cl_seg.phantom.anatomy.trunk.dome import below_the_diaphragm, smooth_largest
from cl_seg.phantom.anatomy.trunk.habitus import draw_habitus
from cl_seg.phantom.anatomy.trunk.proportions import Proportions, proportions_at, wall_profile
from cl_seg.phantom.anatomy.trunk.section import GUTTER_MM, Trunk
from cl_seg.scans.store import Grid

TRUNK = "trunk"  # the level of slices at any height
UPPER = 50.0  # lowest height at which arms beside the trunk are upper arms


def lay_out_trunk(
    body: Body, grid: Grid, z_mm: float | npt.ArrayLike, preparation: Preparation
) -> Trunk:
    """Lay out a slice of the trunk on an empty canvas.

    The contours are those of the middle of the slice, organs are cut at all of its heights.

    Args:
        body: whose.
        grid: of the canvas.
        z_mm: above the middle of L3, one height or several.
        preparation: of the patient.
    """
    heights = np.reshape(np.asarray(z_mm, np.float64), (-1, 1, 1)) / body.scale
    height = float(heights.mean())
    habitus, rng = draw_habitus(body), body.random_generator(TRUNK, "outline")
    contours = trunk_contours(body, height, rng)
    canvas = Canvas(
        grid,
        body.random_generator(TRUNK, "warp"),
        z_mm,
        reach_mm(body, contours, preparation),
        habitus.turn,
    )
    patient = Patient(body, "liver" if height > UPPER else "L3", preparation)
    muscle_fat = body.random_generator(TRUNK, "muscle fat")
    torso = torso_within(contours, canvas, patient, rng, muscle_fat)
    kept = {field.name: getattr(torso, field.name) for field in fields(torso)}
    trunk = Trunk(
        **kept, contours=contours, habitus=habitus, height=height, heights=heights,
        below=torso.cavity_distance,
    )  # fmt: skip
    trunk = replace(trunk, cavity_distance=_before_the_back(trunk))
    return replace(
        trunk,
        below=below_the_diaphragm(trunk),
        muscle=_marbled(trunk.muscle, canvas, muscle_fat, 0.5 * habitus.marbling),
        fatty_muscle=_marbled(trunk.fatty_muscle, canvas, muscle_fat, habitus.marbling),
    )


def trunk_contours(body: Body, height: float, rng: Rng) -> Contours:
    """Contours of a body at a height; the same random numbers at every height."""
    here = proportions_at(height)
    wall = _wall(body, here, rng)
    uneven = 1 + 0.04 * rng.normal() * np.sign(ANGLES)
    thickness = muscle_along(wall, wall_profile(height) * uneven, here.wall_share, body.muscle_cm2)
    profile = 0.95 - 0.2 * bump(85, 35) + 0.45 * bump(128, 22) - 0.45 * bump(180, 8)
    profile = profile + here.belly * bump(0, 55) + here.seat * bump(155, 42)
    navel = rng.uniform(0.0, 0.45) * bump(0, 2.0) * np.exp(-(((height + 20) / 9) ** 2))
    profile = np.clip(profile * (1 - navel) * harmonics(rng, 0.12, (1, 2, 3, 4)), 0.15, None)
    skin = wall + layer_about(wall, profile, here.subcutaneous, body.sat_cm2)
    return Contours(wall, thickness, skin, spine_y(body, here.spine_mm, wall))


def _wall(body: Body, here: Proportions, rng: Rng) -> Curve:
    organs = here.organs_cm2 * body.scale**2.4 * np.exp(rng.normal(0, 0.04))
    muscle = here.muscle_share * 1.1 * body.muscle_cm2
    flat = here.flatness + 0.0004 * here.visceral * (body.vat_cm2 - 120) + rng.normal(0, 0.015)
    power = rng.normal(2.3, 0.06)
    x, y = np.sin(np.deg2rad(ANGLES)), np.cos(np.deg2rad(ANGLES)) / flat
    contour = (np.abs(x) ** power + np.abs(y) ** power) ** (-1 / power)
    contour *= 1 - here.flank * bump(126, 20) - here.furrow * bump(180, 7)
    contour *= harmonics(rng, 0.01, (1, 2, 3))
    inside = organs + here.visceral * body.vat_cm2 + muscle
    wall: Curve = contour * np.sqrt(inside / area_cm2(contour))
    return wall


def _before_the_back(trunk: Trunk) -> Samples:
    """The cavity ends before the muscles of the back, and in the chest before its ribs."""
    canvas, everywhere = trunk.canvas, trunk.canvas.everywhere
    wall = trunk.cavity_distance.on(everywhere)
    back = ellipse_distance(trunk.back, *(axis.on(everywhere) for axis in (canvas.x, canvas.y)))
    rounded = GUTTER_MM * float(np.clip((trunk.height - 80) / 40, 0, 1))
    return Samples(smooth_largest(wall, -back, rounded))


def _marbled(mix: Mix, canvas: Canvas, rng: Rng, amount: float) -> Mix:
    """Muscle with more fat in patches of bundles."""
    if not amount:
        return mix
    patches = np.clip(canvas.field(rng, 3) + 0.8 * canvas.field(rng, 10) - 1.0, 0, 1)
    fat: Field = np.clip(mix["adipose"] + amount * patches, 0, 0.95)
    return {"muscle": 1 - fat, "adipose": fat}
