import numpy as np
import pytest

from cl_seg.phantom.physics.postprocessing import postprocess
from cl_seg.phantom.physics.reconstruction import reconstruct
from cl_seg.phantom.physics.scanner import (
    CENTRE,
    Noise,
    acquire,
    centring,
    channel_gain,
    field_of_view,
    prepare,
)
from cl_seg.phantom.profiles import load_profile
from cl_seg.scans.store import Grid
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


def shown(maps, noise=None, centre_mm=CENTRE):
    """The image of basis maps on a plain scanner, with chosen noise or away from the isocentre."""
    lines = acquire(maps, WHOLE.object_mm, PLAIN, GEOMETRY, noise, centre_mm)
    hu = reconstruct(lines, PLAIN, WHOLE.fov_mm, WHOLE.image_size, GEOMETRY)
    return postprocess(hu, PLAIN.reconstruction)


def mean_at(hu, x, y, radius):
    return disk_mean(hu, WHOLE.pixel_mm, x, y, radius)


def test_rings_are_the_same_in_every_scan_and_absent_in_good_detectors():
    stress, good = load_profile("stress_sharp"), load_profile("siemens_like")
    gains = [channel_gain(stress, GEOMETRY, np.random.default_rng(7)) for _ in range(2)]
    np.testing.assert_array_equal(*gains)
    assert gains[0].std() == pytest.approx(stress.detector.ring, rel=0.1)
    assert (channel_gain(good, GEOMETRY, np.random.default_rng(7)) == 1).all()


def test_a_channel_with_a_gain_error_makes_a_ring():
    gain = np.ones(GEOMETRY.channels, np.float32)
    gain[512 + 100] = 1.01  # 50 mm from the isocentre
    maps = water(disk(150))
    hu, plain = (shown(maps, Noise(g, np.random.default_rng(0))) for g in (gain, gain * 0 + 1))
    radius = distances(WHOLE.image_size, WHOLE.pixel_mm)
    change = np.abs(hu - plain)
    assert change[np.abs(radius - 50) < 0.8].mean() > 10 * change[np.abs(radius - 90) < 5].mean()


def test_the_field_of_view_holds_the_body():
    axis = (np.arange(300) - 149.5) * 1.5
    distance = np.hypot(axis[None], axis[:, None]).astype(np.float32)
    grid = Grid(300, 1.5)
    assert field_of_view(distance - 170, grid, 30, 0) == 375
    assert field_of_view(distance - 170, grid, 30, -20) == 425
    assert field_of_view(distance - 100, grid, 30, 0) == 350
    assert field_of_view(distance - 215, grid, 100, 0) == 500


def test_as_many_come_with_lowered_arms_as_the_protocol_says():
    profile = load_profile("hitachi_like")
    came = [prepare(profile, np.random.default_rng(i)) for i in range(400)]
    lowered = np.mean([c.arms_lowered for c in came])
    assert lowered == pytest.approx(profile.protocol.arms_lowered, abs=0.08)
    drank = np.mean([c.oral_contrast for c in came])
    assert drank == pytest.approx(profile.protocol.oral_contrast, abs=0.08)
    fused = np.mean([c.implants for c in came])
    assert fused == pytest.approx(profile.protocol.implants, abs=0.08)
    assert prepare(load_profile("stress_metal"), np.random.default_rng(0)).implants


def test_bodies_lie_where_the_protocol_puts_them():
    profile = load_profile("stress_off_centre")
    places = np.array([centring(profile, np.random.default_rng(i)) for i in range(400)])
    expected, sd = profile.protocol.off_centre_mm, profile.protocol.centring_sd_mm
    np.testing.assert_allclose(places.mean(axis=0), expected, atol=3)
    np.testing.assert_allclose(places.std(axis=0), sd, rtol=0.12)


def test_a_body_off_centre_is_shown_there_and_reads_the_same():
    maps = water(disk(80), [Insert("liver", "native", disk(30, x=20, y=10))])
    moved, centred = shown(maps, centre_mm=(40.0, -25.0)), shown(maps)
    assert mean_at(moved, 60, -15, 20) == pytest.approx(mean_at(centred, 20, 10, 20), abs=1)
    assert mean_at(moved, 40, 20, 10) == pytest.approx(mean_at(centred, 0, 45, 10), abs=1)
