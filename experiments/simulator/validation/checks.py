"""One comparison of a law: measured, expected and tolerated."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


class Law(StrEnum):
    """Every law, in the order of reports."""

    HU = "HU of tissues are those of theory"
    WATER = "Water is 0 HU with every kernel"
    UNIFORMITY = "Water is uniform"
    WIDE = "Water is uniform in a wide body"
    SCATTER = "Water is 0 HU in the mean with scatter"
    BASIS = "Basis materials attenuate like tissue"
    GROUPS = "Energy groups equal 1 keV bins"
    DOSE = "Noise falls with the root of the dose"
    SLICE = "Noise falls with the root of the slice"
    LEVEL = "Noise is that of its photons"
    SPECTRUM = "Noise power is ramp times MTF squared"
    SHARPNESS = "Edges have the sharpness of the kernel"
    SINOGRAM = "Projections are line integrals"
    COMPOSITION = "Bodies have the areas of patients"
    ATTENUATION = "Bodies read the HU of patients"
    IN_BODIES = "Bodies read what the profile says"


@dataclass(frozen=True)
class Curve:
    """A measured curve and its theory.

    Attributes:
        label: name of the case.
        x: (n,) abscissa.
        measured: (n,).
        theory: (n,).
    """

    label: str
    x: Floats
    measured: Floats
    theory: Floats


@dataclass(frozen=True)
class Check:
    """One comparison of a measured with an expected value.

    Attributes:
        law: what is tested.
        case: for which scanner, tissue or setting.
        measured: by simulated measurement.
        expected: by theory, or of patients.
        tolerance: largest deviation that passes; None where the value is information only.
        unit: of measured and expected, empty for a ratio.
        kind: whether the deviation is a difference or a fraction of the expected value.
        curve: the measurement behind it, for figures.
        source: publication of the expected value; empty where it is theory.
    """

    law: Law
    case: str
    measured: float
    expected: float
    tolerance: float | None
    unit: str
    kind: Literal["absolute", "relative"] = "absolute"
    curve: Curve | None = field(default=None, repr=False, compare=False)
    source: str = ""

    @property
    def deviation(self) -> float:
        """Measured minus expected, divided by expected if relative."""
        difference = self.measured - self.expected
        return difference / abs(self.expected) if self.kind == "relative" else difference

    @property
    def passed(self) -> bool | None:
        """Whether the deviation is tolerated; None where nothing is demanded."""
        return None if self.tolerance is None else bool(abs(self.deviation) <= self.tolerance)


def curves(checks: list[Check], law: Law) -> list[Curve]:
    """Every curve behind the checks of a law, once, in order."""
    found = {id(c.curve): c.curve for c in checks if c.law == law and c.curve is not None}
    return list(found.values())
