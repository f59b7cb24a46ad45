"""Skin, subcutaneous fat, muscular wall and the fat inside it."""

import numpy as np

from cl_seg.phantom.anatomy.field import Field, largest
from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.torso import MUSCLE, Torso

FASCIA: Mix = {"muscle": 0.6, "adipose": 0.4}


def skin_and_fat(torso: Torso, rng: Rng) -> None:
    """Skin of uneven thickness over fat with septa and the superficial fascia."""
    canvas = torso.canvas
    canvas.paint(torso.skin, {"skin": 0.55, "adipose": 0.45})
    septa = canvas.streaks(rng, 3.5, 0.10, 0.30)
    # The fascia of Scarpa runs half way between skin and wall.
    depth = torso.wall_distance / np.maximum(torso.wall_distance - torso.skin_distance, 1)
    place = 0.45 + 0.12 * canvas.field(rng, 30)
    sheet = np.clip(
        1.4 - np.abs(depth - place) * (torso.wall_distance - torso.skin_distance) / 0.6, 0, 1
    )
    sheet = sheet * np.clip(0.6 + canvas.field(rng, 18), 0, 1)
    sheet = sheet * (torso.wall_distance - torso.skin_distance > 12)
    strands = np.clip(septa + 0.35 * sheet, 0, 0.6)
    thickness = np.clip(1.4 + 0.3 * canvas.field(rng, 25), 0.7, 2.4)
    canvas.paint(torso.skin.grown(-thickness), {"adipose": 1 - strands, "muscle": strands})


def cavity_fat(torso: Torso, rng: Rng) -> None:
    """Fat that fills the muscular wall, with strands."""
    canvas = torso.canvas
    strands = canvas.streaks(rng, 2.0, 0.07, 0.25) + 0.012 * (1 + canvas.field(rng, 6))
    strands = np.clip(strands, 0, 1)
    canvas.paint(canvas.shape(torso.wall_distance), {"adipose": 1 - strands, "muscle": strands})


def lumbar_wall(torso: Torso, rng: Rng) -> None:
    """Recti, the three lateral layers with fat between them, and the fascia behind them."""
    canvas = torso.canvas
    side = np.abs(torso.degrees)
    rough = 0.5 * canvas.field(rng, 5)
    ring = largest(torso.wall_distance, -(torso.wall_distance + torso.wall_mm + rough))
    # Where the muscles have tapered out, fascia goes on to the quadratus lumborum.
    canvas.paint(canvas.shape(ring), FASCIA)
    alba = 2.5 + 0.02 * torso.body.vat_cm2 * np.clip(1 + 0.3 * canvas.field(rng, 15), 0.3, 2)
    bare = 2.4 - torso.wall_mm  # aponeurosis without muscle
    muscle = largest(ring, alba - np.abs(canvas.x), bare, side - 126)
    canvas.paint(canvas.shape(muscle), torso.muscle, MUSCLE)
    _fat_planes(torso, rng, largest(33 - side, side - 116))


def _fat_planes(torso: Torso, rng: Rng, elsewhere: Field) -> None:
    """Fat between the external, the internal oblique and the transverse muscle."""
    canvas, fat = torso.canvas, torso.body.muscle_fat
    for depth in (0.37, 0.72):
        uneven = np.clip(0.9 + 0.7 * canvas.field(rng, 16), 0.1, 2.5)
        thickness = (0.3 + 10 * fat * uneven) * np.clip(torso.wall_mm / 14, 0.2, 1)
        at = depth + 0.03 * canvas.field(rng, 20)
        plane = np.abs(torso.wall_distance + at * torso.wall_mm) - thickness / 2
        plane = largest(plane, elsewhere)
        canvas.paint(canvas.shape(plane), {"adipose": 0.75, "muscle": 0.25}, MUSCLE)


def thoracic_wall(torso: Torso, rng: Rng) -> None:
    """Recti, obliques, intercostals and latissimus dorsi, and the fat between them."""
    canvas = torso.canvas
    side = np.abs(torso.degrees)
    ring = largest(torso.wall_distance, -(torso.wall_distance + torso.wall_mm))
    alba = 2 - np.abs(canvas.x)
    canvas.paint(canvas.shape(ring), FASCIA)
    muscle = largest(ring, alba, side - 152)
    canvas.paint(canvas.shape(muscle), torso.muscle, MUSCLE)
    uneven = np.clip(1.0 + 0.7 * canvas.field(rng, 14), 0.2, 2.5)
    thickness = 0.8 + 16 * torso.body.muscle_fat * uneven
    plane = np.abs(torso.wall_distance + 0.42 * torso.wall_mm) - thickness / 2
    plane = largest(plane, 30 - side, side - 150)
    canvas.paint(canvas.shape(plane), {"adipose": 0.85, "muscle": 0.15}, MUSCLE)
