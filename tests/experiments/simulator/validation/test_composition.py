import numpy as np

from cl_seg.phantom.anatomy.slices import Anatomy
from cl_seg.phantom.anatomy.torso import MUSCLE, SUBCUTANEOUS, VISCERAL
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid
from experiments.simulator.validation.composition import composition


def test_pixels_count_for_the_tissue_and_the_region_they_lie_in():
    fractions = np.zeros((len(TISSUES), 1, 6), np.float32)
    adipose, muscle = TISSUES.index("adipose"), TISSUES.index("muscle")
    fractions[adipose, 0] = [1.0, 0.8, 0.4, 0.6, 0.2, 0.9]
    fractions[muscle, 0] = 1 - fractions[adipose, 0]
    labels = np.array([[0, 0, 0, MUSCLE, MUSCLE, 0]], np.uint8)
    regions = np.array([[SUBCUTANEOUS, VISCERAL, VISCERAL, VISCERAL, 0, 0]], np.uint8)
    surface = -np.ones((1, 6), np.float32)
    measured = composition(Anatomy(Grid(6, 10.0), fractions, labels, regions, surface))
    assert measured.sat_cm2 == 1
    assert measured.vat_cm2 == 1  # neither the lean pixel nor the one inside muscle
    assert measured.muscle_cm2 == 1
    assert measured.intramuscular_cm2 == 1
