"""Law of tissues on every scanner: in bodies, with all effects on, HU are those of the profile.

The effects are scatter and its correction, noise, rings, couch, centring, lowered arms, oral
contrast medium, hybrid iterative appearance and calibration errors: the images are those in a
store.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, distance_transform_edt

from cl_seg.phantom.anatomy.body import Body, Preparation, draw_body
from cl_seg.phantom.anatomy.slices import LEVELS, Anatomy, paint_slab
from cl_seg.phantom.anatomy.torso import LIVER, MUSCLE, SUBCUTANEOUS
from cl_seg.phantom.physics.postprocessing import PADDING
from cl_seg.phantom.physics.scanner import GEOMETRY
from cl_seg.phantom.scanners import load_scanner
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan, scan_of_body
from cl_seg.phantom.tissues import TISSUES
from cl_seg.phantom.truth import truth_labels
from cl_seg.scans.store import Grid
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.composition_laws import adult_name
from experiments.simulator.validation.theory import hounsfield

Floats = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

BODIES = 6
READ = {"muscle": MUSCLE, "liver": LIVER, "subcutaneous fat": 3}
LEVELS_OF = {"muscle": LEVELS, "liver": ("liver",), "subcutaneous fat": LEVELS}
TOLERANCE_HU = 4.0
MARGIN = 2  # pixels between a tissue and what is next to it: more than any blur
FEWEST = 500  # pixels of a tissue worth reading
SLICE_MM = 2.5  # of the bodies, painted once for all scanners
METAL_MM = 100.0  # as far as streaks from implants change muscle by more than the tolerance


def tissues_in_bodies(names: Sequence[str], bodies: int = BODIES) -> list[Check]:
    """Muscle, liver and subcutaneous fat read theory and the profile's own errors, within 4 HU.

    Compared are the means, over bodies and levels, of the medians inside the painted truth. Theory
    is the tissue behind 30 cm of water, mixed as the body is painted; the profile's errors are its
    ``hu_gain`` and ``hu_offset``.
    """
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for index in range(bodies):
        for level in LEVELS:
            for name in names:
                one = scan_of_body(adult_name(index), name, load_scanner(name), seed=0)
                for tissue, pair in read(one, level, _painted).items():
                    found.setdefault((name, tissue), []).append(pair)
    checks = []
    for name in names:
        for tissue in READ:
            measured, expected = np.mean(found[name, tissue], axis=0).tolist()
            case = f"{name}, {tissue}"
            checks.append(Check(Law.IN_BODIES, case, measured, expected, TOLERANCE_HU, "HU"))
    return checks


@lru_cache(maxsize=4)
def _painted(
    body: Body, level: str, thickness_mm: float, *, z_mm: float, preparation: Preparation
) -> Anatomy:
    del thickness_mm  # as every scanner shows the same tissue inside its borders
    return paint_slab(body, level, SLICE_MM, z_mm=z_mm, preparation=preparation)


def read(
    simulated_scan: SimulatedScan, level: str, paint: Callable[..., Anatomy] = paint_slab
) -> dict[str, tuple[float, float]]:
    """Median HU of the tissues one series shows enough of: measured, and as the profile says."""
    series = simulate_series(simulated_scan, level, paint)
    hu, anatomy = series.volume.hu[0], series.anatomies[0]
    painted = readable(anatomy)
    grid = Grid(len(hu), series.volume.spacing_mm[0])
    shown = truth_labels(painted, anatomy.grid, grid, series.centre_mm)
    theory = stated_hu(simulated_scan)
    found = {}
    for tissue, value in READ.items():
        inside = core(shown == value) & (hu > PADDING)
        truth = core(painted == value)
        if level in LEVELS_OF[tissue] and min(inside.sum(), truth.sum()) >= FEWEST:
            expected = np.median(theory @ anatomy.fractions[:, truth])
            found[tissue] = float(np.median(hu[inside])), float(expected)
    return found


def readable(anatomy: Anatomy) -> npt.NDArray[np.uint8]:
    """Where the tissues of ``READ`` are, away from metal, (N, N)."""
    parts = anatomy.lean_labels()
    fat = anatomy.fractions[TISSUES.index("adipose")] > 0.5
    fat &= (anatomy.regions == SUBCUTANEOUS) & (anatomy.labels != MUSCLE)
    parts = np.where(fat, np.uint8(READ["subcutaneous fat"]), parts)
    metal = anatomy.fractions[TISSUES.index("titanium")] > 0
    if metal.any():
        near = distance_transform_edt(~metal, sampling=anatomy.grid.spacing_mm) < METAL_MM
        parts = np.where(near, np.uint8(0), parts)
    return parts


def core(mask: Mask) -> Mask:
    """A mask without its edge."""
    inner: Mask = binary_erosion(mask, iterations=MARGIN)
    return inner


def stated_hu(simulated_scan: SimulatedScan) -> Floats:
    """HU of every tissue by theory and the profile's errors, for one body, (tissues,)."""
    profile = simulated_scan.profile
    uptake = (
        draw_body(simulated_scan.seed, simulated_scan.body).enhancement * profile.protocol.iodine
    )
    phase, settings = profile.protocol.contrast, profile.reconstruction
    theory = np.array([hounsfield(name, phase, profile, GEOMETRY, uptake) for name in TISSUES])
    return theory * settings.hu_gain + settings.hu_offset
