"""Kinds of CT image: the standard's words, vendors' words, and what is no HU."""

import math

import pydicom
import pytest

from cl_seg.scans.dicom.notes import _PLAIN_CT_WORDS
from cl_seg.scans.scanner.image_kind import (
    CONE_BEAM,
    NO_ENERGY,
    UNKNOWN_SPECTRAL,
    image_kind,
    kind_note,
    why_ambiguous,
)
from cl_seg.scans.series import UnusableError

from ..conftest import write_series
from ..dicom.test_series import find, set_to

NAN = math.nan


def kind_of(words, kev=NAN, kvp=120.0):
    return image_kind(["ORIGINAL", "PRIMARY", "AXIAL", *words.split()], kev, kvp)


@pytest.mark.parametrize(
    "words",
    [
        *("", "HELIX", "CT_SOM5 SPI", "CT_SOM7 SPI DUAL STD SNRG DET_AB", "CT_SOM10 DET3D"),
        *("THRESHOLD T1", "THRESHOLD T3D CONVCT", "REFORMATTED AVERAGE", "MPR", "JP2K LOSSY 6:1"),
        *("VOLUME MEAN", "SEQ STD", "MONOCHROME2", "CALCIUM SCORE", "PROC X Y"),
        " ".join(sorted(_PLAIN_CT_WORDS)),
    ],
)
def test_plain_images(words):
    assert kind_of(words) == ""


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("VMI", NO_ENERGY),
        ("MAT_REMOVED", "material removed"),
        ("MAT_MODIFIED", "material modified"),
        ("MAT_REMOVED VNC", "virtual non-contrast"),
        ("VMI ME60KEV DEMEP", "60 keV monoenergetic"),
        ("CT_SOM7 SPI DUAL MONO_70KEV", "70 keV monoenergetic"),
        ("MONO 70 KEV", "70 keV monoenergetic"),
        ("MONOE 40 KEV", "40 keV monoenergetic"),
        ("KEV50", "50 keV monoenergetic"),
        ("MONO KEV 70", "70 keV monoenergetic"),
        ("MONOENERGETIC_190KEV", "190 keV monoenergetic"),
        ("MONO_55", "55 keV monoenergetic"),
        ("VMI_67.5", "67.5 keV monoenergetic"),
        ("MONOPLUS", NO_ENERGY),
        ("MONO 5 KEV", NO_ENERGY),
        ("VUE", "virtual non-contrast"),
        ("VNC_LIVER", "virtual non-contrast"),
        ("VIRTUALNONCONTRAST", "virtual non-contrast"),
        ("VIRTUAL_UNENHANCED", "virtual non-contrast"),
        ("VNCA", "virtual non-calcium"),
        ("CALCIUM_SUPPRESSED", "virtual non-calcium"),
        ("CT_SOM5 SPI DUAL M_0.5", "mix of energies 0.5"),
        ("MIXED", "mix of energies"),
        ("ENERGY_PROP_WT", "mix of energies"),
        ("CT_SOM5 SPI DUAL DET_AB", "mix of energies"),
        ("CT_SOM5 SPI DUAL DET_A", "tube A of two"),
        ("CT_SOM5 SPI DUAL DET_B", "tube B of two"),
        ("CT_SOM10 DET3D THRESHOLD T2", "energy threshold 2"),
        ("GSI QC", UNKNOWN_SPECTRAL),
        ("REFORMATTED MIP", "maximum intensity projection"),
        ("VOLUME MAXIMUM", "maximum intensity projection"),
        ("MINIP", "minimum intensity projection"),
    ],
)
def test_kinds_with_hu_of_their_own(words, kind):
    assert kind_of(words) == kind
    assert kind_note(kind)


@pytest.mark.parametrize(
    "words",
    [
        *("MAT_SPECIFIC", "MAT_FRACTIONAL", "MAT_VALUE_BASED", "ELECTRON_DENSITY"),
        *("EFF_ATOMIC_NUM", "IODINE", "IODINE_DENSITY", "IODINE NO WATER", "GSI MD WATER(IODINE)"),
        *("RHO/Z", "ZEFF", "PBV", "URIC ACID", "SUBTRACTION", "CBF", "T_TEST", "VRT"),
        "VMI IODINE_MAP",
    ],
)
def test_what_is_no_hu_is_refused(words):
    with pytest.raises(UnusableError, match=r"its values are not HU: .*\(ImageType ORIGINAL"):
        kind_of(words)


def test_perfusion_maps_are_refused_and_their_source_images_are_not():
    assert kind_of("PERFUSION") == ""
    with pytest.raises(UnusableError, match="a perfusion map"):
        image_kind(["DERIVED", "PRIMARY", "PERFUSION"], NAN, 80.0)


def test_the_energy_of_an_element_goes_before_words_and_voltage():
    assert kind_of("VMI_60", 65.0, 40.0) == "65 keV monoenergetic"
    assert kind_of("", 65.0) == "65 keV monoenergetic"
    assert kind_of("MAT_REMOVED", 70.0) == "material removed, 70 keV"
    assert kind_of("VMI", 0.0) == NO_ENERGY


def test_a_voltage_no_tube_has_is_the_energy_of_a_monoenergetic_image():
    assert kind_of("VMI", kvp=40.0) == "40 keV monoenergetic"
    assert kind_of("VMI", kvp=190.0) == "190 keV monoenergetic"
    assert kind_of("VMI", kvp=80.0) == NO_ENERGY
    assert kind_of("", kvp=40.0) == "", "not said to be monoenergetic"


def test_notes_say_what_is_known_and_what_is_not():
    assert kind_note("") == why_ambiguous("") == why_ambiguous("70 keV monoenergetic") == ""
    assert "calibrated" in kind_note(CONE_BEAM)
    assert "keV" in why_ambiguous(NO_ENERGY) and "column `scanner`" in why_ambiguous(NO_ENERGY)
    assert "column `scanner`" in why_ambiguous(UNKNOWN_SPECTRAL)


@pytest.mark.parametrize("nested", [True, False])
def test_the_energy_is_read_where_the_standard_has_it(tmp_path, nested):
    def vmi(ds, _):
        inner = pydicom.Dataset() if nested else ds
        inner.MonoenergeticEnergyEquivalent = 70.0
        if nested:
            ds.MultienergyCTCharacteristicsSequence = [inner]
        ds.MultienergyCTAcquisition = "YES"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "VMI"]

    write_series(tmp_path, change=vmi)
    ((series,), _) = find(tmp_path)
    assert series.scanner_header.kind == "70 keV monoenergetic" and series.notes == ()


def test_several_energies_without_a_word_of_what_was_made_of_them_are_told(tmp_path):
    write_series(tmp_path, change=set_to(MultienergyCTAcquisition="YES"))
    ((series,), _) = find(tmp_path)
    assert "several energies were measured" in series.notes[0]


@pytest.mark.parametrize("word", ["LOCALIZER", "LOCALIZER SPI", "SCOUT", "topogram"])
def test_localizers_by_any_name_are_left_out(tmp_path, word):
    with pydicom.config.disable_value_validation():
        write_series(tmp_path, change=set_to(ImageType=["ORIGINAL", "PRIMARY", word]))
    found, rejected = find(tmp_path)
    assert not found and "localizer" in rejected[0].reason


def test_kinds_inside_one_series_are_taken_apart_and_told(tmp_path):
    def mixed(ds, i):
        words = ([], ["VMI", "ME70KEV"], ["IODINE"])[i % 3]
        ds.ImageType = ["DERIVED", "PRIMARY", "AXIAL", *words]

    write_series(tmp_path, [0, 0, 0, 5, 5, 5], mixed)
    found, rejected = find(tmp_path)
    assert sorted((s.scanner_header.kind, s.n_slices) for s in found) == [
        ("", 2), ("70 keV monoenergetic", 2)
    ]  # fmt: skip
    assert all("plain CT, 70 keV monoenergetic" in series.notes[0] for series in found)
    assert [r.path.name for r in rejected] == ["002.dcm", "005.dcm"]
