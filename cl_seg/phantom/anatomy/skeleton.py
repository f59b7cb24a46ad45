"""Vertebra with its arch, canal and screws, and ribs."""

import numpy as np

from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import Torso

# Parts of the vertebral arch for an average man: x beside the midline, y behind the middle of the
# vertebral body, half axes, rotation, power (engineering values after an anatomical atlas).
ARCH = (
    (15, 22, 5.5, 11, -0.15, 2),  # pedicle
    (9, 38, 11, 4.5, 0.6, 2),  # lamina
    (20, 34, 8, 7, -0.3, 2),  # articular process
)
TRANSVERSE = (37, 24, 19, 3.6, -0.18, 2)
SPINOUS = (0, 54, 3.6, 16, 0, 3)


def lumbar_vertebra(torso: Torso, rng: Rng) -> None:
    """A vertebra, in most bodies cut through its transverse processes."""
    cut = rng.random() < 0.6
    _vertebra(torso, rng, (*ARCH, TRANSVERSE) if cut else ARCH)


def thoracic_vertebra(torso: Torso, rng: Rng) -> None:
    """A vertebra without transverse processes."""
    _vertebra(torso, rng, ARCH)


def _vertebra(torso: Torso, rng: Rng, arch: tuple[tuple[float, ...], ...]) -> None:
    canvas, y = torso.canvas, torso.spine_y
    k = torso.body.scale * rng.normal(1, 0.03)
    rough = 0.45 * canvas.field(rng, 3) + 0.5 * canvas.field(rng, 8)
    body = canvas.ellipse(Ellipse((0, y), (24.5 * k, 17.5 * k), 0, 2.4, wobble(rng, 0.015)))
    body = body - canvas.ellipse(Ellipse((0, y + 27 * k), (16 * k, 11.5 * k)))
    processes = arch_part(torso, SPINOUS, k, 1)
    for x, *rest in arch:
        for side in (-1, 1):
            processes = processes | arch_part(torso, (x * side, *rest), k, side)
    spongy = spongy_bone(torso, rng)
    uneven = np.clip(1 + 0.35 * canvas.field(rng, 5), 0.2, 2)
    for shape, cortex_mm, dense in ((body, 0.5, 0.45), (processes, 1.1, 0.62)):
        canvas.paint(shape.grown(rough), {"bone": dense, "marrow": 1 - dense})
        canvas.paint(shape.grown(rough - cortex_mm * uneven), spongy)
        canvas.occupy(shape.grown(0.5))
    canal = Ellipse((0, y + 26.5 * k), (11 * k, 8.2 * k), power=2.2)
    canvas.paint(canvas.ellipse(canal), {"adipose": 1.0})
    canvas.paint(canvas.ellipse(Ellipse((0, y + 26.2 * k), (9 * k, 6.6 * k))), {"csf": 1.0})


def spongy_bone(torso: Torso, rng: Rng) -> Mix:
    """The inside of bones, with as much mineral as the body has."""
    canvas = torso.canvas
    mineral = torso.body.mineral * (1 + 0.16 * canvas.field(rng, 0.9) + 0.10 * canvas.field(rng, 4))
    mineral = np.clip(mineral, 0.01, 0.45)
    return {"bone": mineral, "marrow": 1 - mineral}


def arch_part(torso: Torso, part: tuple[float, ...], k: float, side: int) -> Shape:
    """A part of the arch of size ``k`` on a side, see ``ARCH``."""
    x, y, a, b, angle, power = part
    centre = (k * x, torso.spine_y + k * y)
    return torso.canvas.ellipse(Ellipse(centre, (k * a, k * b), angle * side, power))


def pedicle_screws(torso: Torso, rng: Rng) -> None:
    """Two titanium screws through the pedicles, their heads and rods, after a spinal fusion."""
    canvas, y, k = torso.canvas, torso.spine_y, torso.body.scale
    for side in (-1, 1):
        tip = (side * rng.uniform(4, 9) * k, y - rng.uniform(4, 9) * k)
        head = (side * 21 * k, y + 43 * k)
        shaft = np.array([(*tip, 1.7), (*head, 2.1)])
        canvas.paint(canvas.tube(shaft), {"titanium": 1.0})
        canvas.paint(canvas.ellipse(Ellipse(head, (3.6, 4.4), 0.3 * side, 3)), {"titanium": 1.0})


def ribs(torso: Torso, rng: Rng) -> None:
    """Ribs cut obliquely inside the wall, and costal cartilage in front."""
    canvas = torso.canvas
    mineral = np.clip(0.8 * torso.body.mineral, 0.03, 0.2)
    for side in (-1, 1):
        for degrees in (26, 44, 66, 88, 110, 131, 150):
            angle = degrees + rng.normal(0, 4)
            length, height = rng.uniform(7, 15), rng.normal(3.1, 0.3)
            # A rib falls from back to front: its cut moves along the wall with height.
            here = angle + 0.25 * canvas.z_mm[:, 0]
            turns = np.linspace(-0.38, 0.38, 3) * length  # degrees, at 150 mm
            x, y = torso.wall_point(side * (here + turns), height + 4)
            rib = canvas.tube(np.stack([x, y, np.full_like(x, height)], axis=-1))
            canvas.occupy(rib.grown(-0.6))
            if degrees < 40:
                canvas.paint(rib, {"bone": 0.05, "skin": 0.95})
                continue
            canvas.paint(rib, {"bone": 0.5, "marrow": 0.5})
            cortex = rng.uniform(0.5, 0.9)
            canvas.paint(rib.grown(-cortex), {"bone": mineral, "marrow": 1 - mineral})
