"""Scanners that are drawn once, within what the committed profiles of their track span."""

from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.phantom.drawn_scanners import drawn_scanner, is_drawn, load_space
from cl_seg.phantom.profiles import Profile, load_profile, profile_names
from cl_seg.phantom.scanners import load_scanner, load_scanners
from cl_seg.phantom.simulated_scan import scan_of_body

TRACKS = ("realistic", "stress")
SECTIONS = ("protocol", "tube", "detector", "reconstruction")
# A name; follows from the ratio, tested below; without effect on FBP.
NOT_COMPARED = {"kernel", "mtf10_per_mm", "iterative_strength"}
PROFILES = [load_profile(name) for name in profile_names()]


def of_track(track):
    return [profile for profile in PROFILES if profile.track == track]


def span(profiles, section, name):
    return np.array([np.atleast_1d(getattr(getattr(p, section), name)) for p in profiles])


@given(st.sampled_from(TRACKS), st.integers(0, 2**60), st.integers(1, 200))
def test_a_drawn_scanner_is_within_what_the_profiles_of_its_track_span(track, seed, number):
    profile, profiles = load_scanner(f"{track}-{seed}-{number:02d}"), of_track(track)
    assert Profile.model_validate(profile.model_dump()) == profile and profile.track == track
    assert profile.couch in {p.couch for p in profiles}
    for section in SECTIONS:
        for name in set(type(getattr(profile, section)).model_fields) - NOT_COMPARED:
            value, seen = getattr(getattr(profile, section), name), span(profiles, section, name)
            if isinstance(value, str):
                assert value in seen
            else:
                assert (seen.min(0) <= value).all() and (value <= seen.max(0)).all(), name
    if profile.reconstruction.iterative_blend:
        strengths = [p.reconstruction.iterative_strength for p in profiles]
        assert min(s for s in strengths if s) <= profile.reconstruction.iterative_strength
        assert profile.reconstruction.iterative_strength <= max(strengths)


@pytest.mark.parametrize("track", TRACKS)
def test_the_ranges_are_the_whole_span(track):
    space, profiles = load_space(track), of_track(track)
    for section in SECTIONS:
        for name, setting in getattr(space, section).items():
            if name in NOT_COMPARED or not hasattr(setting, "values"):
                continue
            seen, values = span(profiles, section, name).ravel(), setting.values
            if hasattr(setting, "one_of"):
                assert sorted(values) == sorted(seen), f"{name}: each profile's own value"
            else:
                assert values == pytest.approx((seen.min(), seen.max())), name
    for axis, setting in enumerate(space.protocol["off_centre_mm"]):
        seen = span(profiles, "protocol", "off_centre_mm")[:, axis]
        drawn = getattr(setting, "values", (setting,))
        assert (min(drawn), max(drawn)) == (seen.min(), seen.max())
    kernels = [p.reconstruction for p in profiles]
    mtf50 = [k.mtf50_per_mm for k in kernels]
    drawn = space.kernel.mtf50_per_mm.values
    assert (min(drawn), max(drawn)) == (min(mtf50), max(mtf50))
    ratios = [k.mtf10_per_mm / k.mtf50_per_mm for k in kernels]
    low, high = space.kernel.mtf10_to_mtf50.values
    assert min(ratios) < low < min(ratios) + 0.01 and max(ratios) - 0.01 < high <= max(ratios)


@pytest.mark.parametrize("track", TRACKS)
def test_a_source_stands_beside_every_range(track):
    text = (files("cl_seg.phantom") / "spaces" / f"{track}.yaml").read_text()
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    assert len(lines) > 25 and all(" # " in line for line in lines)


def test_a_scanner_depends_on_its_name_alone():
    drawn_scanner.cache_clear()
    one = drawn_scanner("realistic-29-07")
    drawn_scanner.cache_clear()
    every = load_scanners([f"realistic-29-{number:02d}" for number in range(1, 30)])
    assert every["realistic-29-07"] == one
    assert len({p.tube.mas for p in every.values()}) == 29
    assert load_scanner("realistic-30-07").tube.mas != one.tube.mas


def test_all_of_its_patients_are_scanned_with_one_profile():
    scanner = load_scanner("stress-0-03")
    scans = [scan_of_body(f"body-{k}", "stress-0-03", scanner, seed=k) for k in range(3)]
    assert {scan.device for scan in scans} == {"stress-0-03"}
    assert all(scan.profile == scanner for scan in scans)


def test_its_name_in_tables_says_its_phase_voltage_and_slices():
    scanners = [load_scanner(f"stress-29-{number:02d}") for number in range(1, 40)]
    first = scanners[6]
    assert first.display_name == "Stress scanner 07, native, 100 kV, 1 mm (simulated)"
    assert {p.protocol.contrast for p in scanners} == {"native", "arterial", "portal_venous"}


@pytest.mark.parametrize(
    "name", ["realistic-7", "realistic-0-7", "realistic--07", "stress-007-07", "calm-0-07"]
)
def test_other_names_are_none_of_a_drawn_scanner(name):
    assert not is_drawn(name)
