from importlib.resources import files

import numpy as np
import pytest
import yaml

from cl_seg.messages.errors import InputError
from cl_seg.phantom.physics.noise import standard_noise
from cl_seg.phantom.physics.scanner import GEOMETRY
from cl_seg.phantom.profiles import Profile, load_profile, profile_names
from cl_seg.phantom.scanners import load_scanner

FILE = files("cl_seg.phantom") / "profiles" / "randomised.yaml"
SCANNER = load_scanner("randomised")
PROFILES = [load_profile(name) for name in profile_names()]
SECTIONS = ("protocol", "tube", "detector", "reconstruction")
# No property of the image; a share of patients, of whom one is drawn; without meaning for FBP; two
# numbers each, tested below.
NOT_COMPARED = {
    *("source_isocentre_mm", "source_detector_mm", "oral_contrast", "arms_lowered", "implants"),
    *("iterative_strength", "off_centre_mm", "centring_sd_mm"),
}


@pytest.mark.parametrize("section", SECTIONS)
def test_ranges_reach_beyond_every_profile(section):
    for name, setting in getattr(SCANNER, section).items():
        values = {getattr(getattr(profile, section), name) for profile in PROFILES}
        if name in NOT_COMPARED or len(values) == 1:
            continue
        drawn = setting.values
        if isinstance(drawn[0], str):
            assert values <= set(drawn), name
        elif name == "kvp":  # tubes end at 140 kV
            assert min(drawn) < min(values) and max(values) == max(drawn) == 140
        else:  # many settings are 0 on some scanner, which is as good as little
            assert min(drawn) < min(v for v in values if v), name
            assert max(values) < max(drawn), name


def test_sharpness_noise_and_tables_reach_beyond_every_profile():
    kernels = [p.reconstruction for p in PROFILES]
    mtf50 = [k.mtf50_per_mm for k in kernels]
    low, high = SCANNER.kernel.mtf50_per_mm.values
    assert low < min(mtf50) and max(mtf50) < high
    ratios = [k.mtf10_per_mm / k.mtf50_per_mm for k in kernels]
    low, high = SCANNER.kernel.mtf10_to_mtf50.values
    assert low < min(ratios) and max(ratios) < high
    noises = [standard_noise(p, GEOMETRY) for p in PROFILES]
    low, *_, high = SCANNER.noise_hu.values
    assert low < min(noises) and max(noises) < high
    assert {p.couch for p in PROFILES} < set(SCANNER.couch.values)


def test_patients_lie_further_off_than_on_any_profile():
    usual = np.array([profile.protocol.off_centre_mm for profile in PROFILES])
    drawn = [setting.values for setting in SCANNER.protocol["off_centre_mm"]]
    for axis, (low, high) in enumerate(drawn):
        assert low < usual[:, axis].min() and usual[:, axis].max() < high


def test_a_source_stands_beside_every_number():
    lines = [line for line in FILE.read_text().splitlines() if line.startswith("  ")]
    assert len(lines) > 25
    assert all(" # " in line for line in lines)


@pytest.fixture
def edited(tmp_path):
    def edit(section, **changes):
        raw = yaml.safe_load(FILE.read_text())
        target = raw[section] if section else raw
        for name, value in changes.items():
            if value is None:
                del target[name]
            else:
                target[name] = value
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(raw))
        return str(path)

    return edit


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        ("", {"display_name": "Mine"}, ["display_name", "(simulated)"]),
        ("", {"noise_hu": None}, ["noise_hu is missing"]),
        ("", {"noise_hu": {"uniform": [0, 5]}}, ["noise_hu", "above 0"]),
        ("kernel", {"mtf10_to_mtf50": {"uniform": [0.9, 1.5]}}, ["mtf10_to_mtf50", "above 1"]),
        ("tube", {"mas": 100}, ["tube.mas", "leave it out"]),
        ("tube", {"kvp": {"one_of": [100, 125, 120]}}, ["tube.kvp"]),
        ("tube", {"kvp": None}, ["tube.kvp is missing"]),
        ("tube", {"bowtee_mm": 3}, ["tube.bowtee_mm", "did you mean bowtie_mm"]),
        ("tube", {"modulation": {"uniform": [0, 1.5]}}, ["tube.modulation", "1"]),
        ("tube", {"modulation": {"uniform": [1, 0.5]}}, ["tube.modulation", "low"]),
        ("protocol", {"contrast": {"one_of": ["native", "venous"]}}, ["protocol.contrast"]),
    ],
)
def test_a_wrong_range_is_one_clear_line(edited, section, changes, words):
    path = edited(section, **changes)
    with pytest.raises(InputError) as caught:
        load_scanner(path)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in [path, *words]), message


def test_ranges_of_ones_own(edited):
    scanner = load_scanner(edited("tube", kvp=120))
    assert scanner.tube["kvp"] == 120
    assert not isinstance(scanner, Profile)
