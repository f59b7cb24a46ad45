import numpy as np
import pytest

from cl_seg.phantom.physics.postprocessing import postprocess
from cl_seg.phantom.physics.reconstruction import reconstruct
from cl_seg.phantom.physics.scanner import (
    ISOCENTRE,
    Noise,
    acquire,
    draw_channel_gain,
)
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.measure import disk_mean, distances
from experiments.simulator.validation.phantoms import (
    GEOMETRY,
    REFERENCE,
    WHOLE,
    Insert,
    disk,
    laboratory,
    water,
)

PLAIN = laboratory(load_profile(REFERENCE))


def shown(maps, noise=None, centre_mm=ISOCENTRE):
    """The image of basis maps on a plain scanner, with chosen noise or away from the isocentre."""
    lines = acquire(maps, WHOLE.object_mm, PLAIN, GEOMETRY, noise, centre_mm)
    hu = reconstruct(lines, PLAIN, WHOLE.fov_mm, WHOLE.image_size, GEOMETRY)
    return postprocess(hu, PLAIN.reconstruction)


def mean_at(hu, x, y, radius):
    return disk_mean(hu, WHOLE.pixel_mm, x, y, radius)


def test_rings_are_the_same_in_every_scan_and_absent_in_good_detectors():
    stress, good = load_profile("stress_sharp"), load_profile("siemens_like")
    gains = [draw_channel_gain(stress, GEOMETRY, np.random.default_rng(7)) for _ in range(2)]
    np.testing.assert_array_equal(*gains)
    assert gains[0].std() == pytest.approx(stress.detector.ring, rel=0.1)
    assert (draw_channel_gain(good, GEOMETRY, np.random.default_rng(7)) == 1).all()


def test_a_channel_with_a_gain_error_makes_a_ring():
    gain = np.ones(GEOMETRY.channels, np.float32)
    gain[512 + 100] = 1.01  # 50 mm from the isocentre
    maps = water(disk(150))
    hu, plain = (shown(maps, Noise(g, np.random.default_rng(0))) for g in (gain, gain * 0 + 1))
    radius = distances(WHOLE.image_size, WHOLE.pixel_mm)
    change = np.abs(hu - plain)
    assert change[np.abs(radius - 50) < 0.8].mean() > 10 * change[np.abs(radius - 90) < 5].mean()


def test_a_body_off_centre_is_shown_there_and_reads_the_same():
    maps = water(disk(80), [Insert("liver", "native", disk(30, x=20, y=10))])
    moved, centred = shown(maps, centre_mm=(40.0, -25.0)), shown(maps)
    assert mean_at(moved, 60, -15, 20) == pytest.approx(mean_at(centred, 20, 10, 20), abs=1)
    assert mean_at(moved, 40, 20, 10) == pytest.approx(mean_at(centred, 0, 45, 10), abs=1)
