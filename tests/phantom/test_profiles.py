import hashlib
from importlib.resources import files

import numpy as np
import pytest
import yaml

from cl_seg.messages.errors import InputError
from cl_seg.phantom.profiles import load_profile, profile_names, scanner_name


def test_every_built_in_profile_loads_and_says_that_it_is_simulated():
    profiles = {name: load_profile(name) for name in profile_names()}
    assert all(p.display_name.endswith("(simulated)") for p in profiles.values())
    assert len({p.display_name for p in profiles.values()}) == len(profiles)
    stress = {name for name, p in profiles.items() if p.track == "stress"}
    assert stress == {name for name in profiles if name.startswith("stress_")}
    assert len(stress) >= 3 and len(profiles) - len(stress) >= 6


def test_stress_profiles_are_what_their_names_say():
    usual = load_profile("siemens_like")
    stress = {n.removeprefix("stress_"): load_profile(n) for n in profile_names() if "stress" in n}
    assert stress["native"].protocol.contrast == "native"
    assert stress["arterial"].protocol.contrast == "arterial"
    assert stress["quarter_dose"].tube.mas == usual.tube.mas / 4
    assert stress["metal"].protocol.implants == 1
    assert np.hypot(*stress["off_centre"].protocol.off_centre_mm) > 50
    assert stress["sharp"].reconstruction.mtf50_per_mm > 0.5


@pytest.mark.parametrize("name", profile_names())
def test_a_source_stands_beside_every_number(name):
    text = (files("cl_seg.phantom") / "profiles" / f"{name}.yaml").read_text()
    values = [line for line in text.splitlines() if line.startswith("  ")]
    assert len(values) == 33
    assert all(" # " in line for line in values)


def own(tmp_path, **changes):
    raw = load_profile("ge_like").model_dump() | changes
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(raw))
    return str(path)


def test_a_profile_of_ones_own(tmp_path):
    path = own(tmp_path, display_name="Mine (simulated)")
    assert load_profile(path).display_name == "Mine (simulated)"
    assert scanner_name(path) == "mine"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"display_name": "Mine"}, ["display_name", "(simulated)"]),
        ({"trak": "stress"}, ["trak", "did you mean track?"]),
        ({"couch": "round"}, ["couch", "curved"]),
        ({"tube": {"kvp": 125}}, ["tube.kvp"]),
    ],
)
def test_a_wrong_field_is_one_clear_line(tmp_path, changes, words):
    path = own(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        load_profile(path)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in [path, *words])


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(InputError, match="did you mean siemens_like"):
        load_profile("siemens-like")


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        load_profile(str(tmp_path / "nowhere.yaml"))
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(InputError, match="check the YAML syntax") as caught:
        load_profile(str(broken))
    assert "\n" not in str(caught.value)
    broken.write_text("just words")
    with pytest.raises(InputError, match="the file"):
        load_profile(str(broken))


@pytest.mark.parametrize("name", ["my scanner.yaml", "shared.yaml", "a,b.yaml"])
def test_a_profile_that_cannot_name_a_folder_is_refused(name):
    with pytest.raises(InputError, match="cannot be called"):
        scanner_name(name)


def test_profiles_are_written_as_before_images_had_a_choice_of_size():
    # The name of a simulated store holds this text: it must not change with the program.
    written = "".join(load_profile(name).model_dump_json() for name in profile_names())
    found = hashlib.sha256(written.encode()).hexdigest()
    assert found == "3978ea8364fa52273cd0471c481f190b8d92b9634eb029dacc01844a3e4da220"


def test_an_image_size_of_ones_own_is_written(tmp_path):
    raw = load_profile("ge_like").model_dump()
    raw["reconstruction"]["image_size"] = 768
    path = own(tmp_path, reconstruction=raw["reconstruction"])
    assert '"image_size":768' in load_profile(path).model_dump_json()
