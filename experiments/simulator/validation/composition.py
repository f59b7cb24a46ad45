"""Body composition of a painted slice: what a reader of CT would measure, from the truth."""

from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.anatomy.slices import Anatomy
from cl_seg.phantom.anatomy.torso import MUSCLE, SUBCUTANEOUS, VISCERAL
from cl_seg.phantom.tissues import TISSUES


@dataclass(frozen=True)
class Composition:
    """Areas of a slice in cm².

    Attributes:
        muscle_cm2: skeletal muscle without the fat inside it.
        sat_cm2: subcutaneous fat.
        vat_cm2: visceral fat.
        intramuscular_cm2: fat inside the muscles.
    """

    muscle_cm2: float
    sat_cm2: float
    vat_cm2: float
    intramuscular_cm2: float


def composition(anatomy: Anatomy) -> Composition:
    """Measure a slice, pixels belonging to the tissue that fills most of them.

    Visceral fat lies inside the muscular wall and in front of the back of the vertebral body.
    """
    pixel_cm2 = anatomy.grid.spacing_mm**2 / 100
    fatty = anatomy.fractions[TISSUES.index("adipose")] > 0.5
    muscle = anatomy.labels == MUSCLE
    lean = anatomy.lean_labels() == MUSCLE

    def area(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
        return float(mask.sum() * pixel_cm2)

    return Composition(
        muscle_cm2=area(lean),
        sat_cm2=area((anatomy.regions == SUBCUTANEOUS) & fatty),
        vat_cm2=area((anatomy.regions == VISCERAL) & fatty & ~muscle),
        intramuscular_cm2=area(muscle & ~lean),
    )
