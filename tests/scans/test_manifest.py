"""Manifests: one clear error per mistake, naming line and file."""

import numpy as np
import pytest

from cl_seg.files import InputError
from cl_seg.scans.manifest import find_scans, read_manifest
from cl_seg.scans.series import Pseudonyms

from .conftest import CANARY, volume, write_nifti, write_series

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
    return find_scans(path, CLASSES, Pseudonyms(b"test"), False)


def test_rows_are_read_relative_to_the_manifest(folder):
    rows = read_manifest(
        manifest(folder, "ct.nii.gz,labels.nii.gz,p1,Ward CT", " dicom ,,,"), CLASSES
    )
    assert [row.image for row in rows] == [folder / "ct.nii.gz", folder / "dicom"]
    assert [row.labels for row in rows] == [folder / "labels.nii.gz", None]
    assert [row.scanner for row in rows] == ["Ward CT", ""]
    assert rows[1].where.endswith("scans.csv, line 3")


def test_excel_byte_order_mark_and_quotes(folder):
    path = folder / "scans.csv"
    path.write_text(f'\ufeff{HEADER}\r\n"ct.nii.gz",,"p, 1","A ""B"""\r\n', encoding="utf-8")
    (row,) = read_manifest(path, CLASSES)
    assert (row.patient, row.scanner) == ("p, 1", 'A "B"')


@pytest.mark.parametrize(
    ("header", "line", "message"),
    [
        ("image,mask,patient,scanner", "ct.nii.gz,,p1,X", "columns are image, mask"),
        ("image;labels;patient;scanner", "ct.nii.gz;;p1;X", "separated by commas"),
        (HEADER, "gone.nii.gz,,p1,X", "line 2: image: .*gone.nii.gz does not exist"),
        (HEADER, "ct.nii.gz,gone.nii,p1,X", "line 2: labels: .*gone.nii does not exist"),
        (HEADER, "ct.nii.gz,notes.txt,p1,X", "notes.txt is not a NIfTI file"),
        (HEADER, "notes.txt,,p1,X", "neither a NIfTI file"),
        (HEADER, ",,p1,X", "image is empty"),
        (HEADER, "ct.nii.gz,,p1,", "line 2: scanner is empty"),
        (HEADER, "ct.nii.gz,,,X", "line 2: patient is empty"),
        (HEADER, "ct.nii.gz,,p1", "one entry per column"),
        (HEADER, "ct.nii.gz,,p1,X,Y", "one entry per column"),
        (HEADER, "ct.nii.gz,,p1,X\nct.nii.gz,,p2,X", "line 3: .* is listed already: .*line 2"),
        (HEADER, "", "lists no images"),
        (HEADER + ",slices", "ct.nii.gz,labels.nii.gz,p1,X,some", "slices: expected labelled"),
        (HEADER + ",slices", "ct.nii.gz,,p1,X,labelled", "slices: expected labelled, for an image"),
        (HEADER + ",classes", "ct.nii.gz,,p1,X,spleen", "spleen is none of muscle, liver"),
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
    named, from_header = sorted(found.scans, key=lambda s: s.series.acquisition.given_name == "")
    assert named.series.acquisition.given_name == "Ward CT"
    assert from_header.series.acquisition.manufacturer == "SIEMENS"
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
    with pytest.raises(InputError, match=r"line 2: .*dicom holds 2 CT series"):
        find(manifest(folder, "dicom,labels.nii.gz,,"))


def test_a_broken_image_is_listed_and_the_rest_goes_on(folder):
    (folder / "ct2.nii.gz").write_bytes(b"broken")
    found = find(manifest(folder, "ct.nii.gz,,p1,X", "ct2.nii.gz,,p2,X"))
    assert [scan.series.path.name for scan in found.scans] == ["ct.nii.gz"]
    assert [item.path.name for item in found.rejected] == ["ct2.nii.gz"]
