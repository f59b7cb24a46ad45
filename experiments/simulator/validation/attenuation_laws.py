"""Law of tissues in bodies: the HU of muscle, fat and liver lie in the ranges of patients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion

from cl_seg.phantom.anatomy.body import Body, draw_body
from cl_seg.phantom.anatomy.slices import LEVELS, Anatomy, paint
from cl_seg.phantom.anatomy.torso import LIVER, MUSCLE, SUBCUTANEOUS, VISCERAL
from cl_seg.phantom.physics.basis_materials import basis_maps
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.composition_laws import adult_name
from experiments.simulator.validation.measure import muscle_mean
from experiments.simulator.validation.phantoms import REFERENCE, Field, image, laboratory

Image = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

PHASES = ("native", "portal_venous")

BODIES = 16
SAMPLING = Field(object_size=450, object_mm=1.0, image_size=450, fov_mm=450.0)
MARGIN = 2  # pixels between fat or liver and what is next to it: more than any blur
FEWEST = 200  # pixels of a tissue worth reading
STEATOSIS = 0.05  # fat fraction of the liver, the usual limit

GROUPS: dict[str, Callable[[Body], bool]] = {
    "all": lambda _: True,
    "men": lambda body: body.male,
    "women": lambda body: not body.male,
    "without steatosis": lambda body: body.liver_fat < STEATOSIS,
}


@dataclass(frozen=True)
class Reference:
    """A range of HU in patients.

    Attributes:
        tissue: a key of ``readings``.
        phase: contrast phase.
        group: whose, a key of ``GROUPS``.
        levels: of the body.
        low: HU.
        high: HU.
        source: publication.
    """

    tissue: str
    phase: str
    group: str
    levels: tuple[str, ...]
    low: float
    high: float
    source: str


_L3, _LIVER = ("L3",), ("liver",)
# Publications; the last one says what contrast medium adds to muscle and fat.
_WOMEN, _ADULTS = "PMC10920396, means of age groups", "van Vugt et al. 2018, mean ± SD"
_FAT, _VISCERAL = "doi 10.3390/diagnostics13111913, 95 % of people", "PMC3745280, range of people"
_LIVERS, _ADDED = "Boyce et al. 2010, mean ± SD", "PMC12950216"
REFERENCES = (
    Reference("muscle", "native", "women", _L3, 25.2, 42.6, _WOMEN),
    Reference("muscle", "portal_venous", "women", _L3, 33.0, 50.4, f"{_WOMEN}; + 7.8, {_ADDED}"),
    Reference("muscle", "native", "all", _L3, 22.9, 38.9, _ADULTS),
    Reference("muscle", "portal_venous", "all", _L3, 29.5, 47.9, _ADULTS),
    Reference("subcutaneous fat", "native", "all", LEVELS, -123.0, -89.0, _FAT),
    Reference("subcutaneous fat", "portal_venous", "all", LEVELS, -118.2, -84.2,
              f"{_FAT}; + 4.8, {_ADDED}"),
    Reference("visceral fat", "native", "all", LEVELS, -105.7, -79.0, _VISCERAL),
    Reference("visceral fat", "portal_venous", "all", LEVELS, -100.5, -73.8,
              f"{_VISCERAL}; + 5.2, {_ADDED}"),
    Reference("liver", "native", "all", _LIVER, 48.0, 69.6, _LIVERS),
    Reference("liver", "portal_venous", "without steatosis", _LIVER, 106.0, 112.0,
              f"58.8 of {_LIVERS}; + 47.3, Pickhardt et al.; to 112, engineering value"),
)  # fmt: skip
# Portal venous minus native HU: of 203 patients, and of livers without steatosis.
ENHANCEMENT = {
    "muscle": (7.8, "L3", _ADDED),
    "subcutaneous fat": (4.8, "L3", _ADDED),
    "visceral fat": (5.2, "L3", _ADDED),
    "liver": (47.3, "liver", "Pickhardt et al., n = 1,676"),
}


@dataclass(frozen=True)
class Scanned:
    """HU of one body at every level and in both phases, by (tissue, level, phase)."""

    body: Body
    hu: dict[tuple[str, str, str], float]


def scan_bodies(count: int = BODIES) -> list[Scanned]:
    """Scan bodies without noise, scatter and couch, and read their tissues."""
    profile = laboratory(load_profile(REFERENCE))
    found = []
    for index in range(count):
        body = draw_body(0, adult_name(index))
        hu: dict[tuple[str, str, str], float] = {}
        for level in LEVELS:
            anatomy = paint(body, level, Grid(SAMPLING.object_size, SAMPLING.object_mm))
            for phase in PHASES:
                scan = image(
                    basis_maps(anatomy.fractions, phase, body.enhancement), profile, SAMPLING
                )
                values = readings(scan, anatomy).items()
                hu |= {(tissue, level, phase): value for tissue, value in values}
        found.append(Scanned(body, hu))
    return found


def readings(hu: Image, anatomy: Anatomy) -> dict[str, float]:
    """HU of the tissues an image shows enough of.

    Fat and liver: the median at least ``MARGIN`` pixels from anything else. Muscle: the mean of
    −29 to 150 HU in the label with its edges, as the studies read it.

    Args:
        hu: (N, N).
        anatomy: what was scanned, on the grid of the image.
    """
    muscle = anatomy.lean_labels() == MUSCLE
    fat = (anatomy.fractions[TISSUES.index("adipose")] > 0.5) & (anatomy.labels != MUSCLE)
    inner = {
        "subcutaneous fat": fat & (anatomy.regions == SUBCUTANEOUS),
        "visceral fat": fat & (anatomy.regions == VISCERAL),
        "liver": anatomy.labels == LIVER,
    }
    cores = {name: binary_erosion(mask, iterations=MARGIN) for name, mask in inner.items()}
    found = {name: float(np.median(hu[c])) for name, c in cores.items() if c.sum() >= FEWEST}
    return found | {"muscle": muscle_mean(hu[muscle])}


def body_hu(people: list[Scanned]) -> list[Check]:
    """The median body reads HU within the range of patients: its middle ± half its width.

    What contrast medium adds is for information.
    """
    checks = [
        Check(Law.ATTENUATION, _case(r.tissue, level, r.phase, r.group),
              _median(people, r.group, r.tissue, level, r.phase), round((r.low + r.high) / 2, 2),
              round((r.high - r.low) / 2, 2), "HU", source=r.source)
        for r in REFERENCES for level in r.levels
    ]  # fmt: skip
    for tissue, (expected, level, source) in ENHANCEMENT.items():
        native, portal = (_median(people, "all", tissue, level, phase) for phase in PHASES)
        case = _case(tissue, level, "enhancement", "all")
        checks.append(
            Check(Law.ATTENUATION, case, portal - native, expected, None, "HU", source=source)
        )
    return checks


def _case(tissue: str, level: str, phase: str, group: str) -> str:
    words = (tissue, "" if tissue == level else level, "" if group == "all" else group, phase)
    return ", ".join(word.replace("_", " ") for word in words if word)


def _median(people: list[Scanned], group: str, tissue: str, level: str, phase: str) -> float:
    """Of the bodies of a group that show the tissue; NaN, which fails, where none does."""
    chosen = (p.hu.get((tissue, level, phase)) for p in people if GROUPS[group](p.body))
    values = [value for value in chosen if value is not None]
    return float(np.median(values)) if values else float("nan")
