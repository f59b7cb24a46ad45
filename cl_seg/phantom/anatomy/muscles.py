"""Muscles of the back, psoas and the crura of the diaphragm."""

from cl_seg.phantom.anatomy.canvas import Ellipse, Field, Rng, intersection, shell, wobble
from cl_seg.phantom.anatomy.torso import MUSCLE, Torso

SIDES = (-1, 1)


def back(torso: Torso, rng: Rng) -> None:
    """Erector spinae with a cleft, and multifidus with its fat plane."""
    canvas, muscle = torso.canvas, torso.body.muscle
    for side in SIDES:
        size = muscle * rng.normal(1, 0.03)
        spinae = erector_spinae(torso, side, size, rng)
        canvas.paint(spinae, torso.muscle_mix, MUSCLE)
        cleft = Ellipse((side * 64, torso.bottom - 30), (27, 26), wobble=wobble(rng, 0.02))
        plane = intersection(shell(canvas.shape(cleft), 1.2), spinae + 1.5)
        canvas.paint(plane, {"adipose": 0.75, "muscle": 0.25}, MUSCLE)
        multifidus = Ellipse(
            (side * 13, torso.bottom - 25), (13 * size, 19 * size), wobble=wobble(rng, 0.03)
        )
        inside = intersection(canvas.shape(multifidus), 3.0 - side * canvas.x)
        plane = intersection(shell(inside, 1.2), spinae)
        canvas.paint(plane, {"adipose": 0.7, "muscle": 0.3}, MUSCLE)


def erector_spinae(torso: Torso, side: int, size: float, rng: Rng) -> Field:
    """Signed distance to the erector spinae of one side."""
    ellipse = Ellipse(
        (side * 37 * size, torso.bottom - 25 * size),
        (38 * size, 26 * size),
        angle=-0.12 * side,
        power=2.5,
        wobble=wobble(rng, 0.025),
    )
    return intersection(torso.canvas.shape(ellipse), 3.5 - side * torso.canvas.x, torso.wall - 6)


def psoas_and_quadratus(torso: Torso, rng: Rng) -> None:
    """Psoas beside the vertebral body, quadratus lumborum lateral of it."""
    canvas, y = torso.canvas, torso.spine_y
    for side in SIDES:
        size = torso.body.muscle * rng.normal(1, 0.05)
        quadratus = Ellipse(
            (side * 73 * size, y + 23), (25 * size, 10.5 * size), 0.40 * side,
            wobble=wobble(rng, 0.05),
        )  # fmt: skip
        canvas.paint(canvas.shape(quadratus), torso.muscle_mix, MUSCLE)
        psoas = Ellipse(
            (side * (21 * torso.body.scale + 19 * size), y + 3), (19 * size, 25 * size),
            -0.22 * side, wobble=wobble(rng, 0.035),
        )  # fmt: skip
        canvas.paint(canvas.shape(psoas), torso.muscle_mix, MUSCLE)


def crura(torso: Torso, rng: Rng) -> None:
    """Crura of the diaphragm in front of the spine."""
    for side in SIDES:
        crus = Ellipse(
            (side * 21, torso.spine_y - 8), (rng.normal(5.5, 0.7), 20), 0.45 * side,
            wobble=wobble(rng, 0.05),
        )  # fmt: skip
        torso.canvas.paint(torso.canvas.shape(crus), torso.muscle_mix, MUSCLE)
