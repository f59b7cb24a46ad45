"""Lung bases, diaphragm, spleen, stomach, pancreas and omentum at liver level."""

import numpy as np

from cl_seg.phantom.anatomy.field import largest
from cl_seg.phantom.anatomy.loops import winding_path
from cl_seg.phantom.anatomy.shapes import FAR, Ellipse, Rng, wobble
from cl_seg.phantom.anatomy.torso import MUSCLE, Torso


def lung_bases(torso: Torso, rng: Rng) -> None:
    """Crescents of lung in the recess behind the diaphragm, in some bodies."""
    canvas = torso.canvas
    deep = rng.uniform(-12, 13) + 0.25 * canvas.z_mm
    for side in (-1, 1):
        deep += rng.normal(0, 2)
        angle = side * torso.degrees
        thick = deep * np.sqrt(np.clip(1 - ((angle - 143) / 30) ** 2, 0, 1)) - 1.5
        hidden = np.where(deep > 3, -FAR, FAR)
        lung = largest(torso.cavity_distance + 0.5, -(torso.cavity_distance + thick), hidden)
        vessels = np.clip(0.10 + 0.07 * canvas.field(rng, 2), 0.03, 0.5)
        recess = canvas.shape(lung)
        canvas.paint(recess.grown(1.8), {"muscle": 0.9, "adipose": 0.1}, None)
        canvas.paint(recess, {"air": 1 - vessels, "vein": vessels}, 0)
        canvas.occupy(recess.grown(1.6))


def diaphragm(torso: Torso, rng: Rng) -> None:
    """A thin sheet of muscle inside the ribs."""
    canvas = torso.canvas
    thick = np.clip(1.8 + 0.6 * canvas.field(rng, 12), 0.8, 3.5)
    side = np.abs(torso.degrees)
    sheet = largest(torso.cavity_distance, -(torso.cavity_distance + thick), side - 150, 25 - side)
    canvas.paint(canvas.shape(sheet), torso.muscle, MUSCLE)


def spleen(torso: Torso, rng: Rng) -> None:
    """A crescent along the wall behind the stomach."""
    canvas, x, y, k = torso.canvas, torso.wall_half_width, torso.middle, torso.body.scale
    size = float(np.clip(rng.normal(1, 0.15), 0.7, 1.35)) * k
    outline = Ellipse((x - 34 * k, y + 30), (34 * size, 56 * size), 0.42, 2.2, wobble(rng, 0.05))
    hollow = Ellipse((x - 84 * k, y + 12), (42 * k, 50 * k), 0.4, 2, wobble(rng, 0.07))
    crescent = canvas.ellipse(outline) - canvas.ellipse(hollow)
    crescent = crescent.within(torso.cavity_distance + 1.5).grown(0.6 * canvas.field(rng, 7))
    canvas.place(crescent, {"spleen": 1.0}, 0, 1.5)


def stomach(torso: Torso, rng: Rng) -> None:
    """Stomach with folds, food and often a gas bubble."""
    canvas, top, k = torso.canvas, torso.top, torso.body.scale
    size = rng.normal(1.1, 0.16) * k
    place = (rng.normal(58, 7) * k, top + rng.normal(60, 6) * k)
    outline = Ellipse(place, (44 * size, 34 * size), 0.5 + rng.normal(0, 0.2), 2,
                      wobble(rng, 0.09), drift=(0.2, 0.1))  # fmt: skip
    textures = canvas.field(rng, 4.5), canvas.field(rng, 2.0)
    bag = canvas.ellipse(outline).within(torso.cavity_distance + 3).grown(0.8 * textures[0])
    bag = canvas.place(bag, {"bowel_wall": 1.0}, 0, 2.0)
    wall = rng.uniform(2.5, 4.5) + np.clip(1.6 * textures[0], -1.5, 4)
    food = np.clip(0.15 + 0.18 * textures[1] + 0.1 * textures[0], 0, 0.6)
    content = "oral_contrast" if torso.preparation.oral_contrast else "fluid"
    canvas.paint(bag.grown(-wall), {content: 1 - food, "bowel_wall": food})
    level = place[1] + rng.uniform(-0.95, -0.1) * 34 * size
    gas = bag.grown(-np.minimum(wall, 3.5)).within(canvas.above(level))
    canvas.paint(gas, {"air": 1.0})


def pancreas(torso: Torso, rng: Rng) -> None:
    """A lobulated gland in front of the spine, with the splenic vein behind it."""
    canvas, k = torso.canvas, torso.body.scale
    y = torso.spine_y - 54 * k + rng.normal(0, 4)
    path = np.array([(-8, y + 8, 10), (14, y - 2, 8), (38, y + 2, 7.5), (64, y + 16, 7)])
    path *= [k, 1, k]
    path += np.column_stack([rng.normal(0, 4, (4, 2)), rng.normal(0, 1, 4)])
    lobules = 2.0 * canvas.field(rng, 4) + 1.2 * canvas.field(rng, 2)
    fat = 0.08 + 0.003 * max(torso.body.age - 30, 0) + 0.16 * canvas.field(rng, 2.2)
    fat = np.clip(fat, 0, 0.8)
    vein = np.column_stack([path[:, 0], path[:, 1] + path[:, 2] - 1, [4.2, 3.8, 3.4, 3.0]])
    canvas.place(canvas.tube(vein, (0, 0.1)), {"portal_vein": 1.0}, 0, 0.3)
    gland = canvas.tube(path).grown(lobules)
    canvas.place(gland, {"pancreas": 1 - fat, "adipose": fat}, 0, 0.3)


def omentum(torso: Torso, rng: Rng) -> None:
    """Small vessels in the fat between the organs."""
    canvas = torso.canvas
    for _ in range(26):
        place = (rng.normal(30, 40), rng.normal(torso.middle, 34))
        path = winding_path(rng, place, rng.uniform(0.8, 2.0), int(rng.integers(1, 6)), 0.6)
        path[:, :2] = (path[:, :2] - place) * 3 + place
        vessel = canvas.tube(path, tuple(rng.normal(0, 0.4, 2))).within(torso.cavity_distance + 4)
        canvas.place(vessel, {"portal_vein": 0.8, "adipose": 0.2}, 0, 0.4)
