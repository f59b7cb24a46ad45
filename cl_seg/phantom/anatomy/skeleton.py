"""Vertebra with its arch and canal, and ribs."""

import numpy as np

from cl_seg.phantom.anatomy.canvas import Ellipse, Field, Mix, Rng, intersection, union, wobble
from cl_seg.phantom.anatomy.torso import Torso

# Parts of the vertebral arch for an average man: x beside the midline, y behind the middle of the
# vertebral body, half axes, rotation, power (engineering values after an anatomical atlas).
ARCH = (
    (15, 22, 6, 11, -0.15, 2),  # pedicle
    (9, 38, 12, 5, 0.6, 2),  # lamina
    (21, 34, 9, 8, -0.3, 2),  # articular process
)
TRANSVERSE = (36, 24, 20, 4.2, -0.18, 2)
SPINOUS = (0, 54, 4.2, 17, 0, 3)
CORTEX: Mix = {"bone": 0.6, "marrow": 0.4}


def lumbar_vertebra(torso: Torso, rng: Rng) -> None:
    """A vertebra cut through its transverse processes."""
    _vertebra(torso, rng, (*ARCH, TRANSVERSE))


def thoracic_vertebra(torso: Torso, rng: Rng) -> None:
    """A vertebra without transverse processes."""
    _vertebra(torso, rng, ARCH)


def _vertebra(torso: Torso, rng: Rng, arch: tuple[tuple[float, ...], ...]) -> None:
    canvas, k, y = torso.canvas, torso.body.scale * rng.normal(1, 0.03), torso.spine_y
    body = canvas.shape(Ellipse((0, y), (25 * k, 18 * k), power=2.4, wobble=wobble(rng, 0.015)))
    concavity = canvas.shape(Ellipse((0, y + 27 * k), (16 * k, 11.5 * k)))
    parts = [_part(torso, (x * side, *rest), k, side) for x, *rest in arch for side in (-1, 1)]
    parts.append(_part(torso, SPINOUS, k, 1))
    mineral = rng.normal(0.11, 0.025)
    spongy = mineral + 0.03 * canvas.field(rng, 1.0) + 0.02 * canvas.field(rng, 5)
    spongy = np.clip(spongy, 0.02, 0.45).astype(np.float32)
    uneven = 0.25 * canvas.field(rng, 6)
    for shape, cortex_mm in ((intersection(body, -concavity), 0.7), (union(*parts), 1.4)):
        canvas.paint(shape, CORTEX)
        inside = shape + cortex_mm * np.clip(1 + uneven, 0.3, 2)
        canvas.paint(inside, {"bone": spongy, "marrow": 1 - spongy})
    canal = Ellipse((0, y + 26.5 * k), (11.5 * k, 8.5 * k), power=2.2)
    canvas.paint(canvas.shape(canal), {"adipose": 1.0})
    canvas.paint(canvas.shape(Ellipse((0, y + 26.5 * k), (9.5 * k, 7 * k))), {"csf": 1.0})


def _part(torso: Torso, part: tuple[float, ...], k: float, side: int) -> Field:
    x, y, a, b, angle, power = part
    centre = (k * x, torso.spine_y + k * y)
    return torso.canvas.shape(Ellipse(centre, (k * a, k * b), angle * side, power))


def ribs(torso: Torso, rng: Rng) -> None:
    """Ribs cut obliquely inside the wall; a cut is as long as the rib is steep there."""
    canvas = torso.canvas
    for side in (-1, 1):
        for degrees in (40, 62, 84, 106, 128, 150):
            angle = degrees + rng.normal(0, 4)
            length, height = rng.uniform(6, 14), rng.normal(4.4, 0.4)
            arc = np.deg2rad(torso.degrees - angle) * np.hypot(canvas.x, canvas.y)
            depth = torso.wall + 6
            radius = (np.abs(arc / length) ** 2.6 + np.abs(depth / height) ** 2.6) ** (1 / 2.6)
            rib = np.where(side * canvas.x > 0, (radius - 1) * height, 60).astype(np.float32)
            canvas.paint(rib, {"bone": 0.72, "marrow": 0.28})
            canvas.paint(rib + rng.normal(1.4, 0.2), {"bone": 0.10, "marrow": 0.90})
