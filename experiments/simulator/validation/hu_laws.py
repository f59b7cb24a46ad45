"""Laws of attenuation: HU of tissues, uniform water, basis materials and energy groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.basis_materials import (
    attenuation_table,
    basis_amounts,
    basis_attenuation,
    energies,
    water_bone_fit,
)
from cl_seg.phantom.physics.spectrum import Beam, polychromatic_beam
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.checks import Check, Curve, Law
from experiments.simulator.validation.measure import (
    disk_mean,
    distances,
    non_uniformity,
    radial_mean,
)
from experiments.simulator.validation.phantoms import (
    GEOMETRY,
    REFERENCE,
    WHOLE,
    Ellipse,
    Insert,
    disk,
    image,
    laboratory,
    water,
)
from experiments.simulator.validation.theory import hounsfield

Floats = npt.NDArray[np.floating[Any]]

VOLTAGES = (80, 100, 120, 140)  # kV
SAMPLES = (
    ("adipose", "native"),
    ("muscle", "native"),
    ("liver", "native"),
    ("artery", "native"),
    ("liver", "portal_venous"),
    ("artery", "portal_venous"),
    ("marrow", "native"),
)
RADIUS = 150.0  # mm, of the water disk
AVERAGE_BODY = Ellipse(0, 0, 170, 120)  # mm; the area of the mean body (engineering value)
RIM = 20.0  # mm, of it that is not read
NOT_TISSUES = {"energy_kev", "aluminium", "copper", "titanium", "iodine"}
NAMES = {"artery": "blood"}


def tissue_hu(voltages: Sequence[int] = VOLTAGES) -> list[Check]:
    """Tissues on a circle in 30 cm of water read the HU of theory, within 2 HU."""
    angles = 2 * np.pi * np.arange(len(SAMPLES)) / len(SAMPLES)
    places = [(90 * np.cos(a), 90 * np.sin(a)) for a in angles]
    inserts = [Insert(*s, disk(14, *at)) for s, at in zip(SAMPLES, places, strict=True)]
    maps = water(disk(RADIUS), inserts)
    checks = []
    for kvp in voltages:
        profile = laboratory(load_profile(REFERENCE), kvp=kvp)
        hu = image(maps, profile)
        measured = np.array([disk_mean(hu, WHOLE.pixel_mm, x, y, 9) for x, y in places])
        expected = np.array([hounsfield(*sample, profile, GEOMETRY) for sample in SAMPLES])
        curve = Curve(f"{kvp} kV", np.arange(len(SAMPLES), dtype=float), measured, expected)
        checks += [
            Check(Law.HU, f"{sample_name(*s)}, {kvp} kV", m, e, 2, "HU", curve=curve)
            for s, m, e in zip(SAMPLES, measured.tolist(), expected.tolist(), strict=True)
        ]
    return checks


def sample_name(tissue: str, phase: str) -> str:
    """Name of a tissue in a phase, for people."""
    contrast = ", portal venous" if phase == "portal_venous" else ""
    return NAMES.get(tissue, tissue) + contrast


def water_hu(names: Sequence[str]) -> list[Check]:
    """Water reads 0 HU within 1 HU with every kernel: sharpness must not change the mean."""
    maps = water(disk(RADIUS))
    checks = []
    for name in names:
        hu = image(maps, laboratory(load_profile(name)))
        measured = disk_mean(hu, WHOLE.pixel_mm, 0, 0, 100)
        checks.append(Check(Law.WATER, name, measured, 0, 1, "HU"))
    return checks


def water_uniformity(names: Sequence[str]) -> list[Check]:
    """Water of 30 cm differs by 5 HU at most between centre and 1 cm inside its edge.

    Each scanner has its own scatter and calibration. Stress tests may do worse. The span of the
    means of all rings, 4 mm wide, is for information.
    """
    maps = water(disk(RADIUS))
    distance = distances(WHOLE.image_size, WHOLE.pixel_mm)
    checks = []
    for name in names:
        profile = load_profile(name)
        hu = image(maps, profile)
        x, profile_hu = radial_mean(hu, distance, np.arange(0, RADIUS - 2, 4.0))
        curve = Curve(name, x, profile_hu, np.zeros_like(x))
        measured = non_uniformity(hu, WHOLE.pixel_mm, RADIUS - 20)
        tolerance = 5.0 if profile.track == "realistic" else None
        span = float(np.ptp(profile_hu))
        checks += [
            Check(Law.UNIFORMITY, name, measured, 0, tolerance, "HU", curve=curve),
            Check(Law.UNIFORMITY, f"{name}, span of all rings", span, 0, None, "HU", curve=curve),
        ]
    return checks


def wide_water() -> list[Check]:
    """A 42 cm wide ellipse of water is 0 HU within 2 HU, also at its ends.

    The ramp filter reaches across the whole body: where the projection is too short for it, the
    far end of the body darkens the near one.
    """
    outline = Ellipse(0, 0, 210, 140)
    hu = image(water(outline), laboratory(load_profile(REFERENCE)))
    places = {"middle": 0.0, "right end": 190.0, "left end": -190.0}
    return [
        Check(Law.WIDE, case, disk_mean(hu, WHOLE.pixel_mm, x, 0, 8), 0, 2, "HU")
        for case, x in places.items()
    ]


def scatter_correction(names: Sequence[str]) -> list[Check]:
    """Water as large as an average body is 0 HU in the mean with each scanner's scatter.

    Within 2 HU, up to 2 cm inside its edge. How uniform it is, ``water_uniformity`` says.
    """
    maps = water(AVERAGE_BODY)
    axis = (np.arange(WHOLE.image_size) - (WHOLE.image_size - 1) / 2) * WHOLE.pixel_mm
    a, b = AVERAGE_BODY.a - RIM, AVERAGE_BODY.b - RIM
    inside = np.hypot.outer(axis / b, axis / a) < 1
    checks = []
    for name in names:
        profile = load_profile(name)
        plain = laboratory(profile)
        detector = plain.detector.model_copy(update={"scatter": profile.detector.scatter})
        hu = image(maps, plain.model_copy(update={"detector": detector}))
        checks.append(Check(Law.SCATTER, name, float(hu[inside].mean()), 0, 2, "HU"))
    return checks


def basis_fit() -> list[Check]:
    """Water and bone attenuate like each tissue within 0.1 % at every energy of 35 to 120 keV.

    That is where the detected spectra are. Iodine is a basis material itself.
    """
    relevant = (energies() > 35) & (energies() < 120)
    checks = []
    for material, mu in attenuation_table().items():
        if material in NOT_TISSUES:
            continue
        fit = np.array(water_bone_fit(material)) @ basis_attenuation()[:2]
        ratio = (fit / mu)[relevant]
        worst = float(ratio[np.argmax(np.abs(ratio - 1))])
        checks.append(Check(Law.BASIS, material, worst, 1, 0.001, ""))
    return checks


def energy_groups(voltages: Sequence[int] = VOLTAGES) -> list[Check]:
    """Grouped energies read 5 cm of a tissue in water like 1 keV bins do.

    Soft tissue within 1 HU, bone within ½ % of its attenuation, in 20 and 35 cm altogether.
    """
    checks = []
    for kvp in voltages:
        profile = laboratory(load_profile(REFERENCE), kvp=kvp)
        few, every = (
            polychromatic_beam(profile, GEOMETRY),
            polychromatic_beam(profile, GEOMETRY, groups=10_000),
        )
        for tissue in ("adipose", "muscle", "liver", "artery", "marrow", "bone"):
            lines = 50 * basis_amounts(tissue, "portal_venous") + np.outer([150, 300], [1, 0, 0])
            hu = [1000 * (apparent_water(s, lines) - [200, 350]) / 50 for s in (few, every)]
            worst = int(np.argmax(np.abs(hu[0] - hu[1])))
            measured, expected = (float(h[worst]) for h in hu)
            case = f"{sample_name(tissue, 'portal_venous')}, {kvp} kV"
            if tissue == "bone":
                ratio = (1000 + measured) / (1000 + expected)
                checks.append(Check(Law.GROUPS, case, ratio, 1, 0.005, ""))
            else:
                checks.append(Check(Law.GROUPS, case, measured, expected, 1, "HU"))
    return checks


def apparent_water(source: Beam, lines: Floats) -> Floats:
    """Water that attenuates the middle channel's energy as much as line integrals do, in mm.

    Args:
        source: the beam.
        lines: (n, 3) of the basis materials in mm.

    Returns:
        (n,), by interpolation between steps of 0.1 mm.
    """
    thickness = np.linspace(0, 600, 6001)
    middle = source.photons[:, source.photons.shape[1] // 2] * source.energies

    def signal(paths: Floats) -> Floats:
        detected: Floats = np.log(np.exp(-paths @ source.attenuation.T) @ middle)
        return detected

    table = signal(np.outer(thickness, [1, 0, 0]))
    return np.interp(-signal(lines), -table, thickness)
