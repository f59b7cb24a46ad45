"""Manifests: one clear error per mistake, naming line and file."""

import shutil

import numpy as np
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.scans.series import Pseudonyms
from cl_seg.scans.sources.manifest import find_scans_in_manifest, read_manifest

from ..conftest import CANARY, volume, write_nifti, write_series

HEADER = "image,labels,patient,scanner"
CLASSES = ["muscle", "liver"]


@pytest.fixture
def folder(tmp_path):
    write_nifti(tmp_path / "ct.nii.gz", volume())
    write_nifti(tmp_path / "ct2.nii.gz", volume())
    write_nifti(tmp_path / "labels.nii.gz", np.zeros((3, 40, 40), np.uint8))
    write_series(tmp_path / "dicom")
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def manifest(folder, *lines, header=HEADER):
    path = folder / "scans.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def find(path):
    return find_scans_in_manifest(path, CLASSES, Pseudonyms(b"test"), False)


def test_rows_are_read_relative_to_the_manifest(folder):
    rows = read_manifest(
        manifest(folder, "ct.nii.gz,labels.nii.gz,p1,Ward CT", " dicom ,,,"), CLASSES
    )
    assert [row.image for row in rows] == [folder / "ct.nii.gz", folder / "dicom"]
    assert [row.labels for row in rows] == [folder / "labels.nii.gz", None]
    assert [row.scanner for row in rows] == ["Ward CT", ""]
    assert rows[1].where.endswith("scans.csv:3")


def test_excel_byte_order_mark_and_quotes(folder):
    path = folder / "scans.csv"
    path.write_text(f'\ufeff{HEADER}\r\n"ct.nii.gz",,"p, 1","A ""B"""\r\n', encoding="utf-8")
    (row,) = read_manifest(path, CLASSES)
    assert (row.patient, row.scanner) == ("p, 1", 'A "B"')


@pytest.mark.parametrize(
    ("header", "line", "message"),
    [
        ("image,mask,patient,scanner", "ct.nii.gz,,p1,X", "lacks the column labels"),
        ("image;labels;patient;scanner", "ct.nii.gz;;p1;X", "separated by commas"),
        (HEADER, "gone.nii.gz,,p1,X", ":2: image: .*gone.nii.gz does not exist"),
        (HEADER, "ct.nii.gz,gone.nii,p1,X", ":2: labels: .*gone.nii does not exist"),
        (HEADER, "ct.nii.gz,notes.txt,p1,X", "notes.txt is not a NIfTI file"),
        (HEADER, "notes.txt,,p1,X", "neither a NIfTI file"),
        (HEADER, ",,p1,X", "image: is empty"),
        (HEADER, "ct.nii.gz,,p1,", ":2: scanner: is empty"),
        (HEADER, "ct.nii.gz,,,X", ":2: patient: is empty"),
        (HEADER, "ct.nii.gz,,p1", "one per column"),
        (HEADER, "ct.nii.gz,,p1,X,Y", "one per column"),
        (HEADER, "ct.nii.gz,,p1,X\nct.nii.gz,,p2,X", ":3: .* is listed already: .*:2"),
        (HEADER, "", "lists no images"),
        (HEADER + ",slices", "ct.nii.gz,labels.nii.gz,p1,X,some", "slices: expected labelled"),
        (HEADER + ",slices", "ct.nii.gz,,p1,X,labelled", "slices: expected labelled, for an image"),
        (HEADER + ",classes", "ct.nii.gz,,p1,X,spleen", "classes: spleen is none of muscle, liver"),
    ],
)
def test_mistakes_are_named(folder, header, line, message):
    with pytest.raises(InputError, match=message) as error:
        read_manifest(manifest(folder, line, header=header), CLASSES)
    assert "scans.csv" in str(error.value) and "\n" not in str(error.value)


def test_a_binary_file_is_no_manifest(folder):
    path = folder / "scans.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="cannot be read as a CSV"):
        read_manifest(path, CLASSES)


def test_the_manifest_goes_before_the_header(folder):
    write_series(folder / "other", series="s2", patient="p1")
    found = find(manifest(folder, f"dicom,,{CANARY}-p1,Ward CT", "other,,,"))
    named, from_header = sorted(found.scans, key=lambda s: s.series.scanner_header.given_name == "")
    assert named.series.scanner_header.given_name == "Ward CT"
    assert from_header.series.scanner_header.manufacturer == "SIEMENS"
    assert named.series.patient == from_header.series.patient
    assert named.series.name != from_header.series.name


def test_folders_without_identifiers_do_not_meet(folder):
    def anonymous(ds, _):
        ds.PatientID = ds.SeriesInstanceUID = ""

    write_series(folder / "x", change=anonymous)
    write_series(folder / "y", change=anonymous)
    one, other = find(manifest(folder, "x,,,", "y,,,")).scans
    assert one.series.name != other.series.name
    assert one.series.patient != other.series.patient


def test_labels_for_a_folder_of_two_series_are_refused(folder):
    write_series(folder / "dicom" / "second", series="s2")
    with pytest.raises(InputError, match=r":2: .*dicom holds 2 CT series"):
        find(manifest(folder, "dicom,labels.nii.gz,,"))


def test_a_broken_image_is_listed_and_the_rest_goes_on(folder):
    (folder / "ct2.nii.gz").write_bytes(b"broken")
    found = find(manifest(folder, "ct.nii.gz,,p1,X", "ct2.nii.gz,,p2,X"))
    assert [scan.series.path.name for scan in found.scans] == ["ct.nii.gz"]
    assert [item.path.name for item in found.rejected] == ["ct2.nii.gz"]


def test_a_folder_and_the_only_one_in_it_are_one_series(folder):
    write_series(folder / "a1" / "normal", series="s2")
    path = manifest(folder, "a1,labels.nii.gz,p1,", "a1/normal,labels.nii.gz,p2,")
    with pytest.raises(InputError, match=r":3: .*normal holds images of line 2 ") as error:
        find(path)
    assert CANARY not in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("patient", ["p1", "p2", ""])
def test_a_copied_series_is_listed_once(folder, patient):
    write_series(folder / "dicom" / "sub", [20, 25], series="s2")
    shutil.copytree(folder / "dicom", folder / "copy")
    with pytest.raises(InputError, match=r":3: .*copy.* list every series once") as error:
        find(manifest(folder, "dicom,,p1,", f"copy,,{patient},"))
    assert len(str(error.value).splitlines()) == 2, "one line per series"


def test_a_copy_without_series_numbers_is_known_by_its_images(folder):
    def anonymous(ds, _):
        ds.SeriesInstanceUID = ds.PatientID = ""

    write_series(folder / "x", change=anonymous)
    shutil.copytree(folder / "x", folder / "y")
    with pytest.raises(InputError, match=r":3: .*y holds images of line 2"):
        find(manifest(folder, "x,,,", "y,,,"))


def test_a_series_cut_in_two_is_of_one_patient(folder):
    write_series(folder / "late", [20, 25, 30])
    assert len(find(manifest(folder, "dicom,,p1,", "late,,p1,")).scans) == 2
    with pytest.raises(InputError, match=r":3: .*late holds a part.* the same patient"):
        find(manifest(folder, "dicom,,p1,", "late,,p2,"))


def test_a_copy_of_a_part_is_found_after_the_other_part(folder):
    write_series(folder / "late", [20, 25, 30])
    shutil.copytree(folder / "late", folder / "copy")
    with pytest.raises(InputError, match=r":4: .*copy holds images of line 3"):
        find(manifest(folder, "dicom,,p1,", "late,,p1,", "copy,,p1,"))


def test_several_persons_in_one_row_are_told_and_not_named(folder):
    write_series(folder / "dicom" / "other", series="s2", patient="p2")
    found = find(manifest(folder, "dicom,,p1,"))
    (note,) = found.notes
    assert ":2: " in note and "holds series of 2 PatientIDs" in note and "p2" not in note
    assert len({scan.series.patient for scan in found.scans}) == 1


def test_one_person_under_two_names_is_told_and_not_named(folder):
    write_series(folder / "again", series="s2")
    write_series(folder / "other", series="s3", patient="p2")
    lines = "dicom,,Smith,", "other,,Jones,", "again,,Smyth,"
    (note,) = find(manifest(folder, *lines)).notes
    assert note.startswith("lines 2 and 4 of the manifest name 2 patients, their headers say one")
    assert not [name for name in (CANARY, "Smith", "Smyth") if name in note]
    assert find(manifest(folder, *(line.replace("Smyth", "Smith") for line in lines))).notes == []
    (note,) = find(manifest(folder, "dicom,,Smith,", "again,,,")).notes
    assert note.startswith("lines 2 and 3 ")


def test_many_rows_of_one_person_make_a_short_note(folder):
    for number in range(8):
        write_series(folder / str(number), [0], series=f"s{number}")
    (note,) = find(manifest(folder, *(f"{number},,{number}," for number in range(8)))).notes
    assert note.startswith("lines 2, 3, 4, 5, 6 and 3 more of the manifest name 8 patients")


def test_a_patient_in_the_manifest_settles_only_the_note_on_the_patient(folder):
    def spaced(ds, _):
        ds.PatientID = ""
        ds.SliceThickness = "2"

    write_series(folder / "x", change=spaced)
    (unnamed,) = find(manifest(folder, "x,,,")).scans
    (named,) = find(manifest(folder, "x,,p1,")).scans
    assert len(unnamed.series.notes) == 2
    assert list(named.series.notes) == [n for n in unnamed.series.notes if "PatientID" not in n]


def test_all_faulty_rows_are_told_at_once(folder):
    path = manifest(folder, "gone,,p1,X", "ct.nii.gz,,p1,X", "ct2.nii.gz,gone.nii,p2,X", ",,p3,X")
    with pytest.raises(InputError) as error:
        read_manifest(path, CLASSES)
    told = [line.partition("scans.csv:")[2][:9] for line in str(error.value).splitlines()]
    assert told == ["2: image:", "4: labels", "5: image:"]


def test_of_very_many_faulty_rows_the_first_are_told(folder):
    with pytest.raises(InputError, match="and more faults like these") as error:
        read_manifest(manifest(folder, *("gone,,p1,X" for _ in range(500))), CLASSES)
    assert len(str(error.value).splitlines()) == 21


@pytest.mark.parametrize("empty", [",,,", " , ,, ", ",,,,,", ","])
def test_empty_lines_of_spreadsheets_are_skipped(folder, empty):
    rows = read_manifest(manifest(folder, "ct.nii.gz,,p1,X", empty, "dicom,,,", empty), CLASSES)
    assert [row.line for row in rows] == [2, 4]
    with pytest.raises(InputError, match="lists no images"):
        read_manifest(manifest(folder, empty), CLASSES)
