"""Aorta, vena cava and the vessels of the mesentery."""

import numpy as np

from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, wobble
from cl_seg.phantom.anatomy.torso import Torso


def lumbar_vessels(torso: Torso, rng: Rng) -> None:
    """Aorta, calcified with age, and vena cava in front of the spine; ureters beside them."""
    canvas, y, k = torso.canvas, torso.spine_y, torso.body.scale
    # Infrarenal aorta 19 mm in men, 17 mm in women, wider with age (engineering value).
    radius = (9.3 if torso.body.male else 8.0) * rng.normal(1, 0.09)
    radius *= 1 + 0.003 * (torso.body.age - 60)
    x, height = 8 + rng.normal(0, 3), y - 18.5 * k - radius
    paint_aorta(torso, rng, (x, height), radius)
    a, b = rng.normal(12.5, 1.5) * k, rng.normal(8.5, 1.5) * k
    cava = Ellipse(
        (-17 * k, y - 17.5 * k - b), (a, b), rng.uniform(-0.3, 0.3), 2, wobble(rng, 0.04)
    )
    canvas.place(canvas.ellipse(cava), {"vein": 1.0}, 0, 0.6)
    for side in (-1, 1):
        place = (side * rng.normal(38, 4) * k, y - rng.normal(22, 3))
        ureter = Ellipse(place, (2.0, 1.8), wobble=wobble(rng, 0.1))
        canvas.place(canvas.ellipse(ureter), {"bowel_wall": 0.7, "fluid": 0.3}, 0, 0.3)
        place = (side * rng.normal(46, 4) * k, y - rng.normal(27, 3))
        gonadal = Ellipse(place, (1.6, 1.4), drift=(0.2 * side, 0))
        canvas.place(canvas.ellipse(gonadal), {"vein": 1.0}, 0, 0.3)
    for _ in range(rng.poisson(4)):
        place = (rng.normal(0, 22), y - rng.uniform(26, 44))
        node = Ellipse(place, (rng.uniform(1.5, 3.2), rng.uniform(1.2, 2.2)), rng.uniform(0, 3))
        canvas.place(canvas.ellipse(node), {"bowel_wall": 0.8, "adipose": 0.2}, 0, 0.5)


def paint_aorta(torso: Torso, rng: Rng, centre: tuple[float, float], radius: float) -> None:
    """The aorta, calcified with age."""
    canvas = torso.canvas
    aorta = Ellipse(centre, (radius, radius * rng.uniform(0.92, 1)), rng.uniform(0, 3), 2,
                    wobble(rng, 0.02))  # fmt: skip
    canvas.place(canvas.ellipse(aorta), {"artery": 1.0}, 0, 0.4)
    calcified = np.clip((torso.body.age - 50) / 30, 0, 1) * rng.uniform(0, 5)
    for _ in range(int(calcified)):
        angle = rng.uniform(0, 2 * np.pi)
        place = (
            centre[0] + 0.93 * radius * np.cos(angle),
            centre[1] + 0.93 * radius * np.sin(angle),
        )
        plaque = Ellipse(place, (rng.uniform(1, 3.5), rng.uniform(0.5, 1.1)), angle + np.pi / 2)
        canvas.paint(canvas.ellipse(plaque), {"bone": 0.55, "artery": 0.45})


def upper_vessels(torso: Torso, rng: Rng) -> None:
    """Aorta between the crura, vena cava behind the liver."""
    canvas, y, k = torso.canvas, torso.spine_y, torso.body.scale
    radius = (11 if torso.body.male else 9.8) * rng.normal(1, 0.08)
    paint_aorta(torso, rng, (6 + rng.normal(0, 3), y - 19 * k - radius), radius)
    b = rng.normal(10.5, 1.5) * k
    cava = Ellipse((-28 * k, y - 36 * k), (rng.normal(14, 1.5) * k, b), 0.3, 2, wobble(rng, 0.04))
    canvas.place(canvas.ellipse(cava), {"vein": 1.0}, 0, 0.3)


def mesenteric_root(torso: Torso, rng: Rng) -> None:
    """Superior mesenteric artery and vein in front of the great vessels."""
    canvas, y, k = torso.canvas, torso.spine_y - 50 * torso.body.scale, torso.body.scale
    for x, radius, tissue in ((6, 3.6, "artery"), (-6, 5.6, "portal_vein")):
        place = (x * k + rng.normal(0, 2), y - 8 + rng.normal(0, 3))
        vessel = Ellipse(place, (radius, radius * rng.uniform(0.85, 1)), rng.uniform(0, 3))
        canvas.place(canvas.ellipse(vessel), {tissue: 1.0}, 0, 0.6)


def mesentery(torso: Torso, rng: Rng) -> None:
    """Vessels that wind and branch from the root to the bowel, some cut along, some across."""
    canvas, k = torso.canvas, torso.body.scale
    root = np.array([0.0, torso.spine_y - 58 * k])
    reach = 0.30 * torso.wall_half_width
    for _ in range(46):
        heading = rng.normal(-np.pi / 2, 0.95)
        start = root + rng.uniform(0.1, 1.5) * reach * np.array([np.cos(heading), np.sin(heading)])
        radius = rng.uniform(0.7, 1.9)
        path = [(*start, radius)]
        for _ in range(rng.integers(1, 6)):
            heading += rng.normal(0, 0.45)
            x, y, radius = path[-1]
            step = rng.uniform(3, 7)
            path.append((x + step * np.cos(heading), y + step * np.sin(heading), 0.9 * radius))
        tissue = "portal_vein" if rng.random() < 0.65 else "artery"
        drift = tuple(rng.normal(0, 0.5, 2))
        vessel = canvas.tube(np.array(path), drift).within(torso.cavity_distance + 4)
        canvas.place(vessel, {tissue: 0.9, "adipose": 0.1}, 0, 0.3)
