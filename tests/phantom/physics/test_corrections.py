import numpy as np
import pytest

from cl_seg.phantom.physics.corrections import water_calibration, water_thickness
from cl_seg.phantom.physics.detection import expected_signal
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.spectrum import polychromatic_beam
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.phantoms import REFERENCE, laboratory

PROFILE = load_profile(REFERENCE)


@pytest.mark.parametrize("kvp", [80, 120, 140])
def test_water_of_any_thickness_reads_its_thickness_in_every_channel(kvp):
    geometry = Geometry(50, 64, 8.0)
    source = polychromatic_beam(laboratory(PROFILE, kvp=kvp), geometry)
    thickness = np.linspace(0, 450, 50, dtype=np.float32)
    lines = np.zeros((3, 50, 64), np.float32)
    lines[0] = thickness[:, None]
    signal = expected_signal(lines, source)
    found = water_thickness(signal.mean, signal.open_field, water_calibration(source))
    assert np.abs(found - thickness[:, None]).max() < 0.1


def test_noise_beyond_the_open_field_is_negative_water():
    geometry = Geometry(4, 64, 8.0)
    source = polychromatic_beam(PROFILE, geometry)
    open_field = (source.energies @ source.photons).astype(np.float32)
    found = water_thickness(1.02 * open_field[None], open_field, water_calibration(source))
    assert (found < 0).all()
    assert (found > -2).all()
