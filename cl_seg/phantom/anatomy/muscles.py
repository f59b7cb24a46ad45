"""Muscles of the back, psoas and the crura of the diaphragm."""

import numpy as np

from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import MUSCLE, Torso

SIDES = (-1, 1)
PLANE: Mix = {"adipose": 0.8, "muscle": 0.2}


def lumbar_back(torso: Torso, rng: Rng) -> None:
    """Erector spinae and multifidus of L3."""
    back_muscles(torso, rng, width=39, height=26)


def thoracic_back(torso: Torso, rng: Rng) -> None:
    """Erector spinae of the lower chest, which is narrower."""
    back_muscles(torso, rng, width=33, height=20)


def back_muscles(torso: Torso, rng: Rng, width: float, height: float) -> None:
    """Erector spinae with clefts between its columns, and multifidus beside the spine."""
    canvas, k = torso.canvas, torso.body.muscle_scale
    rough = 0.7 * canvas.field(rng, 5) + 0.5 * canvas.field(rng, 2.5)
    for side in SIDES:
        size = k * rng.normal(1, 0.025)
        spinae = _erector_spinae(torso, side, (width * size, height * size), rng).grown(rough)
        canvas.paint(spinae, torso.fatty_muscle, MUSCLE)
        _clefts(torso, rng, side, spinae, (width * size, height * size))
        canvas.occupy(spinae)


def _erector_spinae(torso: Torso, side: int, radii: tuple[float, float], rng: Rng) -> Shape:
    a, b = radii
    ellipse = Ellipse(
        (side * 0.97 * a, torso.bottom - 0.96 * b), (a, b), angle=-0.16 * side, power=2.5,
        wobble=wobble(rng, 0.03),
    )  # fmt: skip
    midline = 3.0 - side * torso.canvas.x
    return torso.canvas.ellipse(ellipse).within(midline).within(torso.wall_distance + 2.0)


def _clefts(torso: Torso, rng: Rng, side: int, spinae: Shape, radii: tuple[float, float]) -> None:
    """Fat planes between iliocostalis, longissimus and multifidus, wider in fatty muscle."""
    canvas, (a, b), fat = torso.canvas, radii, torso.body.muscle_fat
    uneven = np.clip(0.7 + 0.7 * canvas.field(rng, 9), 0, 2.5)
    wide = 0.3 + 12 * fat * uneven
    for across, size in ((1.62, 0.72), (1.0, 0.85)):
        outline = Ellipse(
            (side * across * a, torso.bottom - 1.05 * b), (size * a, size * b), 0.3 * side, 2.0,
            wobble(rng, 0.08),
        )  # fmt: skip
        plane = canvas.ellipse(outline).shell(wide) & spinae.grown(-0.8)
        canvas.paint(plane.within(side * canvas.x - 1.75 * a), PLANE, MUSCLE)
    multifidus = Ellipse(
        (side * 0.34 * a, torso.bottom - b), (0.36 * a, 0.78 * b), 0.1 * side,
        wobble=wobble(rng, 0.06),
    )  # fmt: skip
    plane = canvas.ellipse(multifidus).shell(1.3 * wide) & spinae
    canvas.paint(plane, PLANE, MUSCLE)
    # Deep medial fat, the first to appear with age.
    deep = Ellipse((side * 0.45 * a, torso.bottom - 1.72 * b), (0.45 * a, 40 * fat), 0.3 * side,
                   wobble=wobble(rng, 0.15))  # fmt: skip
    canvas.paint(canvas.ellipse(deep) & spinae, {"adipose": 0.7, "muscle": 0.3}, MUSCLE)


def psoas_and_quadratus(torso: Torso, rng: Rng) -> None:
    """Psoas beside the vertebral body, quadratus lumborum lateral of it, up to the wall."""
    canvas, y, k = torso.canvas, torso.spine_y, torso.body.scale
    rough = 0.6 * canvas.field(rng, 4)
    for side in SIDES:
        size = torso.body.muscle_scale * rng.normal(1, 0.04)
        quadratus = Ellipse(
            (side * (34 * k + 36 * size), y + 21), (27 * size, 9.5 * size), 0.30 * side,
            wobble=wobble(rng, 0.06),
        )  # fmt: skip
        shape = canvas.ellipse(quadratus).grown(rough).within(torso.wall_distance + 2.5)
        canvas.place(shape, torso.muscle, MUSCLE, 0.9 + 6 * torso.body.muscle_fat)
        _lumbar_fascia(torso, side, (side * (34 * k + 58 * size), y + 26))
        psoas = Ellipse(
            (side * (20 * k + 20 * size), y + 1), (19.5 * size, 26 * size), -0.25 * side,
            wobble=wobble(rng, 0.05), growth=-0.06,
        )  # fmt: skip
        shape = canvas.ellipse(psoas).grown(rough)
        canvas.place(shape, torso.muscle, MUSCLE, 1.0)


def _lumbar_fascia(torso: Torso, side: int, tip: tuple[float, float]) -> None:
    """The sheet by which the transverse muscle holds on to the quadratus lumborum."""
    end = torso.wall_point(side * 112, 12)
    middle = torso.wall_point(side * 124, 5)
    path = np.array([(*end, 1.6), (*middle, 0.9), (*tip, 1.1)])
    torso.canvas.paint(torso.canvas.tube(path), {"muscle": 0.75, "adipose": 0.25})


def crura(torso: Torso, rng: Rng) -> None:
    """Crura of the diaphragm in front of the spine."""
    k = torso.body.scale
    for side in SIDES:
        x, y = side * 17 * k, torso.spine_y - 16 * k
        thick = rng.normal(3.6, 0.5)
        path = np.array([
            (side * 27 * k, y + 26, 0.7 * thick),
            (side * 24 * k, y + 8, thick),
            (x * 1.15, y - 8, 1.2 * thick),
            (side * 12 * k, y - 24, 0.8 * thick),
        ])  # fmt: skip
        canvas = torso.canvas
        canvas.place(canvas.tube(path).grown(0.5 * canvas.field(rng, 5)), torso.muscle, MUSCLE, 0.3)
