"""Scanner identity: spelling does not matter, meaning does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.files import InputError
from cl_seg.scans.aliases import Aliases, unknown_manufacturer
from cl_seg.scans.identity import Acquisition, fold, slug

TABLE = Aliases()


def identify(*values):
    return TABLE.identify(Acquisition(*values))


@pytest.mark.parametrize(
    ("manufacturer", "device"),
    [
        ("GE MEDICAL SYSTEMS", "GE X"),
        ("GE MEDICAL S]STEMS", "GE X"),
        ("SIEMENS", "Siemens X"),
        ("Siemens Healthineers", "Siemens X"),
        ("TOSHIBA", "Canon X"),
        ("Canon Medical Systems Corporation", "Canon X"),
        ("Philips", "Philips X"),
    ],
)
def test_manufacturers_of_real_files(manufacturer, device):
    assert identify(manufacturer, "X", "", 120.0).device == device


@pytest.mark.parametrize(
    ("acquisition", "name"),
    [
        (("SIEMENS", "Biograph40_mCT 4R", "Br38f", 120), "Siemens Biograph40 mCT · Br38f · 120 kV"),
        (("TOSHIBA", "Aquilion", "FC13", 120), "Canon Aquilion · FC13 · 120 kV"),
        (("Philips", "Brilliance 16P", "B", 119.6), "Philips Brilliance 16P · B · 120 kV"),
        (("SIEMENS", "Sensation 64", "", float("nan")),
         "Siemens Sensation 64 · kernel unknown · kV unknown"),
    ],
)  # fmt: skip
def test_display_names(acquisition, name):
    assert identify(*acquisition).display_name({acquisition[2]}) == name


def test_kernels_of_one_class_are_one_scanner_others_are_not():
    b40, b45, b70 = (identify("SIEMENS", "Sensation 64", kernel, 120) for kernel in
                     ("B40f", "B45f", "B70f"))  # fmt: skip
    assert b40 == b45 != b70
    assert b40.display_name({"B40f", "B45f"}) == "Siemens Sensation 64 · B40f/B45f · 120 kV"
    assert b40 != identify("SIEMENS", "Sensation 64", "B40f", 100)
    assert b40 != identify("Philips", "Sensation 64", "B40f", 120)


def test_a_plus_in_the_model_name_is_another_scanner():
    plain, plus = (identify("SIEMENS", model, "B40f", 120) for model in ("AS", "AS+"))
    assert plain != plus
    assert plain.folder_name != plus.folder_name


def test_unlisted_kernel_is_a_class_of_its_own():
    assert identify("SIEMENS", "X", "Zz", 120).kernel_class == "zz"


def test_given_name_goes_before_the_header():
    scanner = TABLE.identify(Acquisition("nobody knows", given_name=" Ward  3 CT "))
    assert scanner.display_name({"B40f"}) == "Ward 3 CT"
    assert scanner.folder_name == "ward-3-ct"


def test_unknown_manufacturer_names_values_and_a_line_that_works(tmp_path):
    acquisition = Acquisition("ACME CT", "Mark 1", "K", 120)
    assert TABLE.identify(acquisition) is None
    message = unknown_manufacturer(acquisition)
    assert "'ACME CT'" in message and "'Mark 1'" in message and "\n" not in message
    own = tmp_path / "own.yaml"
    own.write_text(re.search(r"the line  (.*?)  into", message)[1])
    assert Aliases(own).identify(acquisition).device == "Acme Ct Mark 1"


def test_own_aliases_go_on_top(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "Siemens: {names: [SMS], models: {S64: Sensation 64}, kernels: {special: 'B40'}}"
    )
    table = Aliases(own)
    by_own_name = table.identify(Acquisition("SMS", "S64", "B40f", 120))
    assert by_own_name == table.identify(Acquisition("SIEMENS", "Sensation 64", "B40f", 120))
    assert by_own_name.kernel_class == "special"
    assert table.identify(Acquisition("SMS", "S64", "B70f", 120)).kernel_class == "sharp"


@pytest.mark.parametrize(
    "text",
    ["- a list", "Acme: {name: [x]}", "Acme: {names: x}", "Acme: {models: [x]}", "a: [", "a: 3",
     "Acme: {kernels: {soft: '('}}"],
)  # fmt: skip
def test_broken_alias_files_are_named(tmp_path, text):
    own = tmp_path / "own.yaml"
    own.write_text(text)
    with pytest.raises(InputError, match=r"own\.yaml") as error:
        Aliases(own)
    assert "\n" not in str(error.value)


@given(st.text())
def test_folding_is_idempotent_and_case_blind(text):
    assert fold(fold(text)) == fold(text)
    assert fold(text.casefold()) == fold(text)


@given(st.sampled_from(["SIEMENS", "GE MEDICAL SYSTEMS", "TOSHIBA_MEC"]),
       st.text(" _-.,/", max_size=4), st.booleans())  # fmt: skip
def test_spelling_does_not_change_the_scanner(manufacturer, noise, lower):
    spelt = noise + manufacturer.replace(" ", noise or " ") + noise
    # Noise without a separator joins words, which is another spelling; commas and blanks do not.
    assert identify(spelt.lower() if lower else spelt, "X", "B40f", 120) == identify(
        manufacturer, "x", "B40f", 121
    )


@given(st.text(min_size=1))
def test_folder_names_are_safe(text):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", slug(text))


def test_a_scanner_of_a_store_is_known_again_by_more_than_its_folder():
    given = [identify("", "", "", float("nan"), name) for name in ("東芝 A", "日立 A", "CT-1")]
    assert given[0].folder_name == given[1].folder_name
    assert [s.is_stored_as("a", "東芝 A") for s in given] == [True, False, False]
    assert not given[2].is_stored_as("ct-1", "CT 1") and given[2].is_stored_as("ct-1-2", "ct-1")
    read = identify("SIEMENS", "Sensation 64", "B40f", 120.0)
    assert read.is_stored_as(read.folder_name, read.display_name({"B30f", "B41f"}))
    assert read.is_stored_as(f"{read.folder_name}-2", read.display_name({"B40f"}))
    other = identify("SIEMENS", "Sensation 64", "B40f", 100.0)
    assert not other.is_stored_as(read.folder_name, read.display_name({"B40f"}))
