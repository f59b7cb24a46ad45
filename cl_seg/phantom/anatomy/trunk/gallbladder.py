"""Gallbladder."""

import numpy as np

from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import cut_tube


def gallbladder(trunk: Trunk, rng: Rng) -> None:
    """A bag of bile under the liver, sometimes with stones, in most people."""
    k = trunk.body.scale
    x, y = -42 * k + rng.normal(0, 9), trunk.top + rng.normal(58, 9) * k
    height, wide = rng.normal(62, 10), rng.normal(11, 3) * k
    points = [(x - 6, y - 14, height - 32, wide), (x, y, height, 1.2 * wide),
              (x + 14, y + 26, height + 26, 0.5 * wide)]  # fmt: skip
    there, stones = rng.random() < 0.8, rng.random() < 0.12
    if not there:
        return
    for tube in cut_tube(trunk, np.array(points)):
        bag = tube.within(trunk.cavity_distance + 3)
        trunk.canvas.paint(bag.grown(1.2), {"adipose": 1.0})
        trunk.canvas.paint(bag, {"bowel_wall": 1.0})
        trunk.canvas.paint(bag.grown(-1.5), {"fluid": 1.0})
        if stones:
            low = bag.grown(-3).within(y + 4 - trunk.canvas.unwarped_y)
            trunk.canvas.paint(low, {"bone": 0.12, "fluid": 0.88})
        trunk.canvas.occupy(bag)
