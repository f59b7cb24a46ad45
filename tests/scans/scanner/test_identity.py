"""Scanner identity: spelling does not matter, meaning does."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.scans.scanner.aliases import Aliases, unknown_manufacturer
from cl_seg.scans.scanner.identity import (
    DEFAULT_BY,
    NO_STATION,
    ScannerHeader,
    fold,
    parse_scanner_by,
    plain,
    slug,
)
from cl_seg.scans.scanner.image_kind import CONE_BEAM
from cl_seg.scans.scanner.manufacturer import is_anonymised

TABLE = Aliases()


def identify(*values):
    return TABLE.identify(ScannerHeader(*values))


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
    assert identify(manufacturer, "X", "", 120.0).make_and_model == device


@pytest.mark.parametrize(
    ("manufacturer", "device"),
    [
        ("SIEMENS / MIM Software", "Siemens X"),
        ("Philips / MIM Software", "Philips X"),
        ("MIM Software / SIEMENS", "Siemens X"),
        ("SIEMENS MIM Software", "Siemens X"),
        ("GE MEDICAL SYSTEMS (OsiriX 5.8)", "GE X"),
        ("SIEMENS/Philips Pinnacle", "Siemens X"),
        ("TOSHIBA; Varian Eclipse", "Canon X"),
        ("FUJIFILM Healthcare Corporation", "Fujifilm X"),
        ("Philips Medical Systems, Inc.", "Philips X"),
        ("Philips Medical Systems Nederland B.V.", "Philips X"),
        ("Hitachi Medical", "Hitachi X"),
        ("Canon Inc.", "Canon X"),
        ("Siemens Healthcare GmbH", "Siemens X"),
        ("Varian Imaging Laboratories, Switzerland", "Varian X"),
        ("ELEKTA LTD", "Elekta X"),
        ("United Imaging Healthcare Co., Ltd.", "United Imaging X"),
        ("Philips-Neusoft", "Neusoft X"),
        ("Siemens / Philips", None),
        ("Acme / Siemens", None),
        ("MIM Software", None),
        ("Velocity Medical Solutions", None),
        ("Medical Systems, Inc.", None),
        ("Imaging", None),
    ],
)
def test_makers_beside_company_words_and_software(manufacturer, device):
    found = identify(manufacturer, "X", "", 120.0)
    assert (found and found.make_and_model) == device


NAMES = sorted({v.name for v in TABLE._vendors.values()})


@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([" / ", "/", "; ", " ("]))
def test_two_makers_are_never_taken_for_one(one, other, between):
    found = identify(one + between + other, "X", "", 120.0)
    assert (found is not None) == (one == other) or fold(f"{one} {other}") in TABLE._vendors


@given(st.sampled_from(NAMES), st.sampled_from(["Inc.", "GmbH", "Corp", "Co., Ltd.", "Medical"]))
def test_company_words_do_not_change_the_maker(name, word):
    assert identify(f"{name} {word}", "X") == identify(name, "X")


def test_every_spelling_of_the_table_is_of_one_maker():
    for name in NAMES:
        assert TABLE._vendors[fold(name)].name == name


@pytest.mark.parametrize("model", ["On-Board Imager", "TrueBeam", ""])
def test_cone_beam_ct_is_a_kind_of_its_own(model):
    assert identify("Varian Medical Systems", model).kind == CONE_BEAM
    assert identify("SIEMENS", "AXIOM-Artis").kind == CONE_BEAM
    assert identify("SIEMENS", model).kind == ""
    assert identify("ELEKTA", "XVI", "", 120, "Linac 3").display_name(set()).endswith(CONE_BEAM)


@pytest.mark.parametrize("manufacturer", ["", "Anonymized", "UNKNOWN", " - ", "N/A"])
def test_scanners_of_nobody_are_not_pooled_by_an_alias(manufacturer):
    assert is_anonymised(manufacturer)
    message = unknown_manufacturer(ScannerHeader(manufacturer, "Mark 1"))
    assert "column `scanner`" in message and "--aliases" not in message


@pytest.mark.parametrize(
    ("by", "name", "folder"),
    [
        ("manufacturer", "Siemens", "siemens"),
        ("model,Manufacturer", "Siemens Sensation 64", "siemens-sensation-64"),
        ("manufacturer,model,kv", "Siemens Sensation 64 · 120 kV", "siemens-sensation-64-120kv"),
        (
            "manufacturer,model,station",
            "Siemens Sensation 64 · station 0123ab",
            "siemens-sensation-64-station-0123ab",
        ),
        (
            ",".join(DEFAULT_BY),
            "Siemens Sensation 64 · B40f · 120 kV",
            "siemens-sensation-64-medium-120kv",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["", "70 keV monoenergetic"])
def test_the_user_decides_what_makes_a_scanner(by, name, folder, kind):
    header = ScannerHeader("SIEMENS", "Sensation 64", "B40f", 120.0, kind=kind, station="0123ab")
    scanner = TABLE.identify(header, parse_scanner_by(by))
    shown = f"{name} · {kind}" if kind else name
    assert scanner.display_name({"B40f"}) == shown
    assert scanner.folder_name == (f"{folder}-70-kev-monoenergetic" if kind else folder)
    ways = TABLE.identify_by_every_choice_of_fields(header)
    assert any(way.is_stored_as(scanner.folder_name, shown) for way in ways)
    for change in ({"kind": "40 keV monoenergetic"}, {"model": "Definition"}):
        others = TABLE.identify_by_every_choice_of_fields(replace(header, **change))
        same = [way for way in others if way.is_stored_as(scanner.folder_name, shown)]
        assert not same or (by == "manufacturer" and "model" in change)


def test_a_kind_is_known_again_where_the_folder_name_is_cut():
    long = ScannerHeader("SIEMENS", 70 * "M", "B40f", 120.0, kind="70 keV monoenergetic")
    stored = TABLE.identify(long)
    other = TABLE.identify(replace(long, kind="40 keV monoenergetic"))
    assert stored.folder_name == other.folder_name
    assert not other.is_stored_as(stored.folder_name, stored.display_name({"B40f"}))


def test_a_station_of_another_salt_may_be_the_same():
    by = parse_scanner_by("manufacturer,station")
    one, other, none = (
        TABLE.identify(ScannerHeader("SIEMENS", "X", station=code), by)
        for code in ("0123ab", "ffffff", "")
    )
    stored = one.folder_name, one.display_name(set())
    assert not other.is_stored_as(*stored) and other.may_be_stored_as(*stored)
    assert one.is_stored_as(*stored) and none.station == NO_STATION
    assert none.may_be_stored_as(*stored)
    assert not none.is_stored_as(none.folder_name, none.display_name(set()))


@pytest.mark.parametrize("text", ["", "model", "manufacturer,serial", "manufacturer;model"])
def test_what_makes_no_scanner_is_refused(text):
    with pytest.raises(InputError, match="--scanner-by") as error:
        parse_scanner_by(text)
    assert "\n" not in str(error.value)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_the_line_to_add_always_works(tmp_path_factory, maker):
    header = ScannerHeader(plain(maker), "Mark 1")
    line = re.search(r"the line  (.*)  into a YAML", unknown_manufacturer(header))
    if TABLE.identify(header) is None and not is_anonymised(header.manufacturer) and line:
        own = tmp_path_factory.mktemp("own") / "own.yaml"
        own.write_text(line[1], encoding="utf-8")
        assert Aliases(own).identify(header) is not None


@pytest.mark.parametrize("maker", ["No", "on", "NULL", 'A "B": c', "12", "1.5", "a: b", "# x", "~"])
def test_the_line_to_add_works_for_names_that_mean_something_in_yaml(tmp_path, maker):
    header = ScannerHeader(maker, "Mark 1")
    own = tmp_path / "own.yaml"
    line = re.search(r"the line  (.*)  into a YAML", unknown_manufacturer(header))
    if is_anonymised(maker):
        assert line is None
        return
    own.write_text(line[1])
    assert Aliases(own).identify(header).make_and_model.endswith("Mark 1")


@pytest.mark.parametrize(
    ("scanner_header", "name"),
    [
        (("SIEMENS", "Biograph40_mCT 4R", "Br38f", 120), "Siemens Biograph40 mCT · Br38f · 120 kV"),
        (("TOSHIBA", "Aquilion", "FC13", 120), "Canon Aquilion · FC13 · 120 kV"),
        (("Philips", "Brilliance 16P", "B", 119.6), "Philips Brilliance 16P · B · 120 kV"),
        (("SIEMENS", "Sensation 64", "", float("nan")),
         "Siemens Sensation 64 · kernel unknown · kV unknown"),
    ],
)  # fmt: skip
def test_display_names(scanner_header, name):
    assert identify(*scanner_header).display_name({scanner_header[2]}) == name


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
    scanner = TABLE.identify(ScannerHeader("nobody knows", given_name=" Ward  3 CT "))
    assert scanner.display_name({"B40f"}) == "Ward 3 CT"
    assert scanner.folder_name == "ward-3-ct"


def test_unknown_manufacturer_names_values_and_a_line_that_works(tmp_path):
    scanner_header = ScannerHeader("ACME CT", "Mark 1", "K", 120)
    assert TABLE.identify(scanner_header) is None
    message = unknown_manufacturer(scanner_header)
    assert "'ACME CT'" in message and "'Mark 1'" in message and "\n" not in message
    own = tmp_path / "own.yaml"
    own.write_text(re.search(r"the line  (.*?)  into", message)[1])
    assert Aliases(own).identify(scanner_header).make_and_model == "Acme Ct Mark 1"


def test_own_aliases_go_on_top(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "Siemens: {names: [SMS], models: {S64: Sensation 64}, kernels: {special: 'B40'}}"
    )
    table = Aliases(own)
    by_own_name = table.identify(ScannerHeader("SMS", "S64", "B40f", 120))
    assert by_own_name == table.identify(ScannerHeader("SIEMENS", "Sensation 64", "B40f", 120))
    assert by_own_name.kernel_class == "special"
    assert table.identify(ScannerHeader("SMS", "S64", "B70f", 120)).kernel_class == "sharp"


@pytest.mark.parametrize(
    "text",
    ["- a list", "Acme: {name: [x]}", "Acme: {names: x}", "Acme: {models: [x]}", "a: [", "a: 3",
     "Acme: {cone_beam: '('}", "Acme: {cone_beam: 3}",
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
