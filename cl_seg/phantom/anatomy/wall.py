"""Skin, subcutaneous fat, abdominal wall and the fat inside it."""

import numpy as np

from cl_seg.phantom.anatomy.canvas import Rng, intersection, shell
from cl_seg.phantom.anatomy.torso import MUSCLE, Torso


def skin_and_fat(torso: Torso, rng: Rng) -> None:
    """Skin of uneven thickness over fat with septa."""
    canvas = torso.canvas
    canvas.paint(torso.skin, {"skin": 0.75, "adipose": 0.25})
    septa = canvas.streaks(rng, 3, 0.12, 0.35)
    thickness = 1.3 + 0.25 * canvas.field(rng, 25)
    canvas.paint(torso.skin + thickness, {"adipose": 1 - septa, "muscle": septa})


def cavity_fat(torso: Torso, rng: Rng) -> None:
    """Fat that fills the abdominal wall, with strands."""
    strands = torso.canvas.streaks(rng, 1.8, 0.07, 0.22) + 0.015
    torso.canvas.paint(torso.wall, {"adipose": 1 - strands, "muscle": strands})


def lumbar_wall(torso: Torso, rng: Rng) -> None:
    """Recti, the three lateral layers with fat between them, and the fascia behind them."""
    canvas = torso.canvas
    fascia = intersection(
        shell(torso.wall + 7, 1.6), 118 - torso.degrees, torso.degrees - 160, torso.wall
    )
    canvas.paint(fascia, {"muscle": 0.6, "adipose": 0.4})
    ring = intersection(torso.wall, -(torso.wall + torso.wall_mm))
    canvas.paint(ring, torso.muscle_mix, MUSCLE)
    thickness = 0.5 + min(3 * torso.body.muscle_fat, 1) * np.clip(1 + canvas.field(rng, 20), 0, 2)
    for depth in (0.36, 0.68):
        layer = shell(torso.wall + depth * torso.wall_mm, thickness)
        plane = intersection(layer, 37 - torso.degrees, torso.degrees - 122)
        canvas.paint(plane, {"adipose": 0.7, "muscle": 0.3}, MUSCLE)
    _linea_alba(torso)


def thoracic_wall(torso: Torso, rng: Rng) -> None:
    """Recti, obliques, intercostals and latissimus dorsi."""
    canvas = torso.canvas
    ring = intersection(torso.wall, -(torso.wall + torso.wall_mm))
    canvas.paint(ring, torso.muscle_mix, MUSCLE)
    sheath = intersection(shell(torso.wall + torso.wall_mm / 2, 1.8), 25 - torso.degrees)
    canvas.paint(sheath, {"adipose": 0.85, "muscle": 0.15})
    tapered = np.clip((torso.degrees - 90) / 18, 0, 1) * np.clip((142 - torso.degrees) / 18, 0, 1)
    thickness = torso.body.muscle * (9 + canvas.field(rng, 20)) * tapered
    latissimus = intersection(torso.wall - thickness, 1.5 - torso.wall, torso.skin + 5)
    canvas.paint(latissimus, torso.muscle_mix, MUSCLE)
    _linea_alba(torso)


def _linea_alba(torso: Torso) -> None:
    line = intersection(np.abs(torso.canvas.x) - 1.6, torso.canvas.y - 0.8 * torso.top, torso.wall)
    torso.canvas.paint(line, {"adipose": 0.45, "muscle": 0.55})
