"""What is a body's own along its whole trunk: height of the diaphragm, liver, turn, disease."""

from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.anatomy.body import Body

# Engineering values, as are the shares of people below.
MARBLED, TURNED, ASCITES, EFFUSION, RIEDEL = 0.3, 0.15, 0.06, 0.10, 0.10


@dataclass(frozen=True)
class Habitus:
    """Heights in mm of the average man above the middle of L3.

    Attributes:
        right_dome: top of the right half of the diaphragm.
        left_dome: top of its left half.
        recess: how much lower than usual the lungs reach behind the diaphragm.
        tip: lowest point of the liver.
        turn: of the patient about the long axis in radians.
        marbling: how much more fat lies in patches of the muscles, as a fraction.
        wear: of discs and joints, 0 to 1.
        ascites_mm: thickness of fluid about the organs, 0 for most.
        effusion_mm: depth of fluid behind the lungs (right, left), 0 for most.
    """

    right_dome: float
    left_dome: float
    recess: float
    tip: float
    turn: float
    marbling: float
    wear: float
    ascites_mm: float
    effusion_mm: tuple[float, float]


def draw_habitus(body: Body) -> Habitus:
    """Draw a body's habitus, the same at every height."""
    rng = body.random_generator("trunk", "habitus")
    right = float(np.clip(rng.normal(172, 9), 150, 190))
    left = right - float(np.clip(rng.normal(14, 5), 3, 28))
    tip = right - float(np.clip(rng.normal(163, 17), 125, 205)) - 45 * (rng.random() < RIEDEL)
    turn = rng.normal(0, np.deg2rad(9 if rng.random() < TURNED else 1.5))
    ascites = float(rng.uniform(4, 24) * (rng.random() < ASCITES))
    effusion = rng.uniform(5, 45, 2) * (rng.random(2) < EFFUSION)
    return Habitus(
        right_dome=right,
        left_dome=left,
        recess=float(rng.normal(0, 9)),
        tip=tip,
        turn=float(turn),
        marbling=float(rng.uniform(0.1, 0.7) * (rng.random() < MARBLED)),
        wear=float(np.clip((body.age - 35) / 50 + rng.normal(0, 0.2), 0, 1)),
        ascites_mm=ascites,
        effusion_mm=(float(effusion[0]), float(effusion[1])),
    )
