"""TotalSegmentator: semicolons, byte order mark, a file per structure, and vertebral levels."""

import csv
import shutil

import numpy as np
import pytest

from cl_seg.datasets.dataset import DatasetOptions
from cl_seg.datasets.totalsegmentator import CLASSES
from cl_seg.messages.errors import InputError

from ..scans.conftest import write_nifti
from .conftest import SLICES, bone, ct, ingested, organ, reasons

HEADER = (
    "image_id;age;gender;institute;study_type;split;manufacturer;scanner_model;kvp;pathology;"
    "pathology_location"
)
ROWS = {
    "s0001": "SIEMENS;Sensation 64;120",
    "s0002": "Siemens Healthineers;SENSATION-64;120.0",
    "s0003": "GE MEDICAL SYSTEMS;Revolution CT;",
    "s0004": ";;",
    "s0005": "Philips;Brilliance 64;100",
}
LIVER = {"liver": ("liver",)}


def miniature(tmp_path):
    """s0003 lacks the liver's mask, s0004 its scanner, s0005 everything; s0006 is not listed."""
    path = tmp_path / "Totalsegmentator_dataset_v201"
    muscles = CLASSES["hip_back_muscle"]
    none = np.zeros_like(organ(), np.uint8)
    for case in ("s0001", "s0002", "s0003", "s0004", "s0006"):
        write_nifti(path / case / "ct.nii.gz", ct(), "RAS")
        masks = dict.fromkeys(muscles, none)
        masks["autochthon_left"] = bone().astype(np.uint8)
        masks["vertebrae_L3"] = np.zeros_like(none)
        if case != "s0002":
            masks["vertebrae_L3"][2:4, 30, 20] = 1
        if case != "s0003":
            masks["liver"] = organ().astype(np.uint8)
        for name, mask in masks.items():
            write_nifti(path / case / "segmentations" / f"{name}.nii.gz", mask, "RAS")
    lines = [f"{case};61;m;A;ct abdomen;train;{scanner};x;y" for case, scanner in ROWS.items()]
    write_meta(path, lines)
    return path


@pytest.fixture
def folder(tmp_path):
    return miniature(tmp_path)


def write_meta(path, lines, header=HEADER):
    (path / "meta.csv").write_text("\n".join(["\ufeff" + header, *lines]) + "\n", encoding="utf-8")


def test_masks_become_a_store_with_a_scanner_per_device_and_voltage(folder, write):
    written = write("totalsegmentator", folder)
    assert written.scanners == {"Siemens SENSATION-64 120 kV": 2, "GE Revolution CT": 1}
    assert reasons(written) == {
        "meta.csv names no manufacturer for it": ["s0004/ct.nii.gz"],
        "the image is missing": ["s0005/ct.nii.gz"],
        "meta.csv does not list it": ["s0006/ct.nii.gz"],
    }
    store = ingested(written)
    assert store.header.classes == ["hip_back_muscle", "liver"]
    siemens, ge = "siemens-sensation-64-120-kv", "ge-revolution-ct"
    assert set(store.scanners) == {siemens, ge}
    assert np.array_equal(store.hu(ge), ct())
    assert np.array_equal(store.labels(siemens)[:SLICES], bone() + 2 * organ())
    rows = store.slices.groupby("scanner")
    assert rows.patient.nunique().to_dict() == {siemens: 2, ge: 1}
    labelled = rows.labelled.unique().map(list).to_dict()
    assert labelled == {siemens: ["hip_back_muscle,liver"], ge: ["hip_back_muscle"]}


def test_an_image_with_contradicting_rows_is_left_out(folder, write):
    lines = [f"s0001;61;m;A;ct;train;{scanner};x;y" for scanner in ROWS.values()]
    write_meta(folder, [*lines[:1] * 2, lines[2], "s0002;61;m;A;ct;train;Siemens;CT 1;120;x;y"])
    written = write("totalsegmentator", folder)
    assert written.scanners == {"Siemens CT 1 120 kV": 1}
    assert reasons(written)["rows of meta.csv for it contradict each other"] == ["s0001/ct.nii.gz"]


def test_the_set_is_only_read_and_no_age_is_kept(folder, write, tmp_path):
    before = sorted(folder.rglob("*"))
    written = write("totalsegmentator", folder)
    assert sorted(folder.rglob("*")) == before
    text = written.manifest.read_text()
    assert "61" not in text and "ct abdomen" not in text
    rows = list(csv.DictReader(text.splitlines()))
    assert rows[0]["image"] == "../Totalsegmentator_dataset_v201/s0001/ct.nii.gz"
    # Both folders may move together.
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / rows[0]["image"]).exists()


def test_only_the_slices_of_a_vertebra_are_labelled_and_stored(folder, write):
    written = write("totalsegmentator", folder, DatasetOptions(LIVER, slices_of="vertebrae_L3"))
    assert reasons(written)["vertebrae_L3 is not in this image"] == ["s0002/ct.nii.gz"]
    assert reasons(written)["masks are missing"] == ["s0003/ct.nii.gz"]
    store = ingested(written)
    (scanner,) = store.scanners
    assert store.slices.z_mm.tolist() == [10, 15]
    assert np.array_equal(store.labels(scanner), organ()[2:4])


def test_classes_of_ones_own(folder, write):
    store = ingested(
        write("totalsegmentator", folder, DatasetOptions({"back": ("autochthon_left",)}))
    )
    assert store.header.classes == ["back"]
    assert np.array_equal(store.labels("ge-revolution-ct"), bone())


def test_a_damaged_mask_leaves_one_image_out(folder, write):
    (folder / "s0001/segmentations/liver.nii.gz").write_bytes(b"broken")
    write_nifti(folder / "s0002/segmentations/liver.nii.gz", organ()[:3].astype(np.uint8), "RAS")
    write_nifti(folder / "s0003/segmentations/liver.nii.gz", organ().astype(np.uint8), "RAS")
    written = write("totalsegmentator", folder, DatasetOptions({"x": ("autochthon_left", "liver")}))
    found = reasons(written)
    assert found["the mask of liver is on another grid than the others"] == ["s0002/ct.nii.gz"]
    assert [paths for reason, paths in found.items() if reason.startswith("mask of liver")] == [
        ["s0001/ct.nii.gz"]
    ]
    assert written.scanners == {"GE Revolution CT": 1}


@pytest.mark.parametrize(
    ("header", "line", "options", "message"),
    [
        (HEADER.replace(";", ","), "s0001", {}, "meta.csv lacks the columns image_id.*semicolons"),
        (HEADER.replace("kvp", "kv"), "s0001;;", {}, "lacks the column kvp"),
        (HEADER, "s0001;;;;;;ACME;CT;;;", {}, r"Manufacturer 'ACME' .*--aliases"),
        (HEADER, "s0001;;;;;;GE;CT;;;", {"slices_of": "vertebra_L3"}, "vertebra_L3.nii.gz"),
        (HEADER, "s0001;;;;;;GE;CT;;;", {"classes": {"a": ("livr",)}}, "segmentations/livr"),
        (HEADER, "s0001;;;;;;;;;;", {}, "no image that can be used .*names no manufacturer"),
    ],
)
def test_mistakes_are_named_and_leave_nothing(folder, write, header, line, options, message):
    write_meta(folder, [line], header)
    with pytest.raises(InputError, match=message) as error:
        write("totalsegmentator", folder, DatasetOptions(**options))
    assert "\n" not in str(error.value)


def test_a_folder_without_its_table_is_refused(folder, write):
    (folder / "meta.csv").unlink()
    with pytest.raises(InputError, match=r"meta.csv does not exist: give the unpacked folder"):
        write("totalsegmentator", folder)


def test_an_unknown_maker_does_not_stop_the_others(folder, write):
    write_meta(folder, ["s0001;;;;;;ACME;CT 9;;;", "s0002;;;;;;GE;CT;;;"])
    written = write("totalsegmentator", folder)
    assert written.scanners == {"GE CT": 1}
    assert any("'ACME'" in reason and "--aliases" in reason for reason in reasons(written))


def test_an_alias_names_an_unknown_maker(folder, write, tmp_path):
    write_meta(folder, ["s0001;;;;;;ACME;CT 9;;;"])
    (tmp_path / "own.yaml").write_text('Acme: {names: ["ACME"]}')
    written = write("totalsegmentator", folder, DatasetOptions(aliases=tmp_path / "own.yaml"))
    assert written.scanners == {"Acme CT 9": 1}
