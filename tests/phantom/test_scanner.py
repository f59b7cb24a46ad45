import numpy as np
import pytest

from cl_seg.phantom.postprocessing import postprocess
from cl_seg.phantom.profiles import Profile, load_profile
from cl_seg.phantom.projection import Geometry
from cl_seg.phantom.reconstruction import reconstruct
from cl_seg.phantom.scanner import Noise, acquire, centring, channel_gain, field_of_view
from cl_seg.phantom.spectrum import photons_per_reading
from cl_seg.phantom.tissues import attenuation_table, basis_amounts, basis_attenuation, energies
from cl_seg.scans.store import Grid

from .disks import FOV, SPACING, ideal, image, mean_at, silent, water_disk

SAMPLES = [
    ("adipose", "native"),
    ("muscle", "native"),
    ("liver", "native"),
    ("artery", "native"),
    ("liver", "portal_venous"),
    ("artery", "portal_venous"),
    ("marrow", "native"),
]


def theory(tissue, phase, profile):
    """HU for the energy-weighted spectrum behind 30 cm of water."""
    water = attenuation_table()["water"]
    weight = photons_per_reading(profile, Geometry()) * energies() * np.exp(-300 * water)
    mu = basis_amounts(tissue, phase) @ basis_attenuation()
    return 1000 * ((weight @ mu) / (weight @ water) - 1)


@pytest.mark.parametrize("kvp", [80, 100, 120, 140])
def test_hu_are_those_of_theory(kvp):
    profile = ideal(kvp=kvp)
    angles = 2 * np.pi * np.arange(len(SAMPLES)) / len(SAMPLES)
    places = [(90 * np.cos(a), 90 * np.sin(a)) for a in angles]
    inserts = [(*s, *place, 14) for s, place in zip(SAMPLES, places, strict=True)]
    hu = image(water_disk(150, inserts), profile)
    measured = [mean_at(hu, x, y, 9) for x, y in places]
    expected = [theory(tissue, phase, profile) for tissue, phase in SAMPLES]
    np.testing.assert_allclose(measured, expected, atol=2)


@pytest.mark.parametrize("name", ["siemens_like", "ge_like", "canon_like"])
def test_water_is_even_and_near_zero(name):
    raw = load_profile(name).model_dump()
    raw["reconstruction"] |= {"iterative_blend": 0.0}
    hu = image(water_disk(150), Profile.model_validate(raw))
    centre = mean_at(hu, 0, 0, 15)
    sides = [mean_at(hu, 120 * np.cos(a), 120 * np.sin(a), 10) for a in np.arange(4) * np.pi / 2]
    assert np.ptp([centre, *sides]) <= 5
    assert all(-10 <= value <= 9 for value in [centre, *sides])


def noise_at(mas, **tube):
    maps = water_disk(150)
    pair = [image(maps, ideal(mas=mas, modulation=0, **tube), silent(seed)) for seed in (1, 2)]
    return (pair[0] - pair[1])[206:306, 206:306].std() / np.sqrt(2)


def test_noise_falls_with_the_root_of_the_dose():
    reference = noise_at(180)
    assert 7 < reference < 16
    for mas in (90, 360):
        assert noise_at(mas) == pytest.approx(reference * np.sqrt(180 / mas), rel=0.08)


def test_rings_are_the_same_in_every_scan_and_absent_in_good_detectors():
    geometry = Geometry()
    stress, good = load_profile("stress_sharp"), load_profile("siemens_like")
    gains = [channel_gain(stress, geometry, np.random.default_rng(7)) for _ in range(2)]
    np.testing.assert_array_equal(*gains)
    assert gains[0].std() == pytest.approx(stress.detector.ring, rel=0.1)
    assert (channel_gain(good, geometry, np.random.default_rng(7)) == 1).all()


def test_a_channel_with_a_gain_error_makes_a_ring():
    gain = np.ones(1024, np.float32)
    gain[512 + 100] = 1.01  # 50 mm from the isocentre
    hu = image(water_disk(150), ideal(), Noise(gain, np.random.default_rng(0)))
    plain = image(water_disk(150), ideal(), Noise(gain * 0 + 1, np.random.default_rng(0)))
    axis = (np.arange(512) - 255.5) * 400 / 512
    radius = np.hypot(axis[None], axis[:, None])
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


def test_bodies_lie_where_the_protocol_puts_them():
    profile = load_profile("stress_off_centre")
    places = np.array([centring(profile, np.random.default_rng(i)) for i in range(400)])
    expected, sd = profile.protocol.off_centre_mm, profile.protocol.centring_sd_mm
    np.testing.assert_allclose(places.mean(axis=0), expected, atol=3)
    np.testing.assert_allclose(places.std(axis=0), sd, rtol=0.12)


def test_a_body_off_centre_is_shown_there_and_reads_the_same():
    maps, profile = water_disk(80, [("liver", "native", 20, 10, 30)]), ideal()
    shown = postprocess(
        reconstruct(
            acquire(maps, SPACING, profile, Geometry(), None, (40.0, -25.0)),
            profile, FOV, 512, Geometry(),
        ),
        profile.reconstruction,
    )  # fmt: skip
    centred = image(maps, profile)
    assert mean_at(shown, 60, -15, 20) == pytest.approx(mean_at(centred, 20, 10, 20), abs=1)
    assert mean_at(shown, 40, 20, 10) == pytest.approx(mean_at(centred, 0, 45, 10), abs=1)
