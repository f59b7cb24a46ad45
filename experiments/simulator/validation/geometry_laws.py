"""Laws of geometry: sharpness of edges, and projections as line integrals."""

from collections.abc import Sequence

import numpy as np

from cl_seg.phantom.physics.noise import target_mtf
from cl_seg.phantom.physics.projection import project
from cl_seg.phantom.profiles import Profile, load_profile
from experiments.simulator.validation.checks import Check, Curve, Law
from experiments.simulator.validation.measure import distances, edge_spread, falls_to, transfer
from experiments.simulator.validation.phantoms import (
    DETAIL,
    GEOMETRY,
    WHOLE,
    Ellipse,
    Insert,
    chords,
    disk,
    image,
    laboratory,
    share,
    water,
)

INSERT = disk(30, x=15, y=5)  # in the middle 18 cm of the body, off the isocentre
REACH, STEP = 15.0, 0.1  # mm, of the edge spread and its bins
HIGHEST = 1.0  # 1/mm, the detector's Nyquist frequency
ELLIPSES = {
    "centred disk": disk(150),
    "centred ellipse": Ellipse(0, 0, 170, 110, 0.4),
    "shifted ellipse": Ellipse(60, -40, 90, 50, 1.1),
    "small shifted ellipse": Ellipse(-120, 70, 35, 20, -0.6),
}


def edge_mtf(profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """MTF at the edge of liver in water, without noise.

    Iodine would harden the beam and bend the level inside the edge. The edge's own blur is divided
    out: one object pixel wide as it is drawn, and one again as the projector takes pixels for
    squares.

    Returns:
        Frequencies in 1/mm, and MTF.
    """
    maps = water(disk(85), [Insert("liver", "native", INSERT)], DETAIL)
    hu = image(maps, profile, DETAIL)
    distance = distances(DETAIL.image_size, DETAIL.pixel_mm, INSERT.x, INSERT.y)
    _, spread = edge_spread(hu, distance, INSERT.a, REACH, STEP)
    frequencies, mtf = transfer(spread, STEP)
    kept = frequencies <= HIGHEST
    drawn = np.sinc(frequencies[kept] * DETAIL.object_mm) ** 2
    return frequencies[kept], mtf[kept] / drawn


def sharpness(names: Sequence[str]) -> list[Check]:
    """MTF falls to ½ and to ⅒ where the profile says, within 5 %.

    An edge boost raises the MTF by up to 2 % at the first of them.
    """
    checks = []
    for name in names:
        profile = laboratory(load_profile(name))
        frequencies, measured = edge_mtf(profile)
        curve = Curve(name, frequencies, measured, target_mtf(profile, frequencies))
        kernel = profile.reconstruction
        for level, wanted in ((0.5, kernel.mtf50_per_mm), (0.1, kernel.mtf10_per_mm)):
            at = falls_to(frequencies, measured, level)
            case = f"{name}, MTF{100 * level:.0f}"
            checks.append(Check(Law.SHARPNESS, case, at, wanted, 0.05, "1/mm", "relative", curve))
    return checks


def sinogram() -> list[Check]:
    """Projections of ellipses are their chords: in shape, in area and in place.

    The difference may be 1 % (root mean square), since pixels of 0.75 mm blur the steep ends of the
    chords: the smaller the ellipse, the larger their share. Area and centre suffer no blur.
    """
    checks = []
    for case, shape in ELLIPSES.items():
        exact = chords(shape)
        lines = project(share(shape)[None], WHOLE.object_mm, GEOMETRY)[0].astype(np.float64)
        error = float(np.linalg.norm(lines - exact) / np.linalg.norm(exact))
        area = float(lines.sum() / exact.sum())
        centres = [p @ GEOMETRY.positions / p.sum(axis=1) for p in (lines, exact)]
        shift = float(np.abs(centres[0] - centres[1]).max())
        checks += [
            Check(Law.SINOGRAM, f"{case}, error", error, 0, 0.01, ""),
            Check(Law.SINOGRAM, f"{case}, area", area, 1, 0.001, ""),
            Check(Law.SINOGRAM, f"{case}, shift", shift, 0, 0.05, "mm"),
        ]
    return checks
