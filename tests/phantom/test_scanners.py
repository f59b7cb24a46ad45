import pytest

from cl_seg.messages.errors import InputError
from cl_seg.phantom.profile_space import ProfileSpace
from cl_seg.phantom.profiles import load_profile, profile_names, scanner_names
from cl_seg.phantom.scanners import load_scanner, load_scanners


def test_a_name_finds_a_profile_or_ranges():
    assert load_scanner("ge_like") == load_profile("ge_like")
    assert isinstance(load_scanner("randomised"), ProfileSpace)
    assert set(scanner_names()) == {*profile_names(), "randomised"}


def test_all_with_a_profile_are_there_unless_others_are_asked_for():
    assert list(load_scanners()) == profile_names()
    assert list(load_scanners(["randomised", "ge_like"])) == ["randomised", "ge_like"]


@pytest.mark.parametrize("names", [[], ["ge_like", "ge_like"], ["randomised", "randomised"]])
def test_every_scanner_is_named_once(names):
    with pytest.raises(InputError, match="once"):
        load_scanners(names)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(InputError, match="did you mean randomised"):
        load_scanner("randomized")


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("just words")
    with pytest.raises(InputError, match="the file"):
        load_scanner(str(path))
