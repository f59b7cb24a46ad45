"""Ingest: whole stores, or one clear line and nothing on disk."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.scans import ingest as ingest_module
from cl_seg.scans import staging as staging_module
from cl_seg.scans.ingest import write_store_from_scans
from cl_seg.scans.labels.label_map import parse_label_map
from cl_seg.scans.sources import find as find_module
from cl_seg.scans.store import Grid, SliceStore, StoreWriter

from .conftest import CANARY, SIZE, SPACING, body_image, volume, write_nifti, write_series

GRID = Grid(SIZE, SPACING)
LIVER = parse_label_map(["liver=5"])
HEADER = "image,labels,patient,scanner"


def run(source, store, **options):
    return write_store_from_scans(source, store, **{"grid": GRID, "show_progress": False} | options)


def philips(ds, _):
    ds.Manufacturer, ds.ManufacturerModelName, ds.ConvolutionKernel = "Philips", "Brilliance", "B"


def write_manifest(folder, *lines, header=HEADER):
    path = folder / "scans.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_a_tree_becomes_one_experience_per_scanner(tmp_path):
    source = tmp_path / "in"
    write_series(source / "misleading Philips", [0, 5, 10], patient="p1")
    write_series(source / "b", [0, 5], patient="p2", series="s2")
    write_series(source / "c", [0], philips, patient="p1", series="s3")
    report = run(source, tmp_path / "out.store")
    assert [(s.name, s.cases, s.slices, s.labelled) for s in report.scanners] == [
        ("Philips Brilliance · B · 120 kV", 1, 1, {}),
        ("Siemens Sensation 64 · B40f · 120 kV", 2, 5, {}),
    ]
    assert report.rejected == []
    assert report.notes == [
        "Philips Brilliance · B · 120 kV has one patient: it cannot be split into training and "
        "test patients"
    ]
    store = SliceStore(tmp_path / "out.store")
    assert store.scanners == [s.folder for s in report.scanners]
    siemens = store.scanners[1]
    assert np.array_equal(store.hu(siemens), [body_image()] * 5)
    assert np.all(store.labels(siemens) == 255)
    rows = store.slices
    assert set(rows.labelled) == {""} and rows.slice_id.is_unique
    assert set(rows.kernel) == {"B40f", "B"} and set(rows.kvp) == {120.0}
    assert set(rows.spacing_mm) == {SPACING} and set(rows.thickness_mm) == {5.0}
    assert rows.groupby("scanner").patient.nunique().to_dict() == {siemens: 2, store.scanners[0]: 1}
    assert rows.patient.nunique() == 2


def test_a_manifest_brings_labels(tmp_path):
    liver = (volume() == 110).astype(np.uint8) * 5
    write_nifti(tmp_path / "ct.nii.gz", volume(), "RAS")
    write_nifti(tmp_path / "labels.nii.gz", liver, "LAS")
    write_series(tmp_path / "dicom", [0, 5, 10])
    manifest = write_manifest(tmp_path, "ct.nii.gz,labels.nii.gz,p1,Ward CT", "dicom,,,")
    report = run(manifest, tmp_path / "out.store", labels=LIVER)
    assert [(s.name, s.labelled) for s in report.scanners] == [
        ("Siemens Sensation 64 · B40f · 120 kV", {}),
        ("Ward CT", {"liver": 3}),
    ]
    store = SliceStore(tmp_path / "out.store")
    assert store.header.classes == ["liver"]
    assert np.array_equal(store.labels("ward-ct"), liver // 5)
    assert np.array_equal(store.hu("ward-ct")[0] == 110, store.labels("ward-ct")[0] == 1)
    assert store.slices.query("scanner == 'ward-ct'").labelled.tolist() == ["liver"] * 3


def test_labels_lie_on_a_dicom_series_that_lost_a_file(tmp_path):
    liver = (volume(4) == 110).astype(np.uint8) * 5
    liver[2] = 0
    write_nifti(tmp_path / "labels.nii.gz", liver)
    paths = write_series(tmp_path / "dicom", [0, 5, 10, 15])
    paths[1].write_bytes(paths[1].read_bytes()[:3000])
    manifest = write_manifest(tmp_path, "dicom,labels.nii.gz,,")
    report = run(manifest, tmp_path / "out.store", labels=LIVER)
    assert [item.path for item in report.rejected] == [paths[1]]
    assert any("gap of 10 mm between z = 0 and 10 mm" in note for note in report.notes)
    store = SliceStore(tmp_path / "out.store")
    found = store.labels(store.scanners[0])
    assert np.array_equal(found, liver[[0, 2, 3]] // 5)


def test_a_file_may_cover_some_of_the_classes(tmp_path):
    values = np.zeros((3, SIZE, SIZE), np.uint8)
    values[:, 20:25, 20:25], values[:, 26:30, 20:25], values[2] = 1, 2, 255
    write_nifti(tmp_path / "ct.nii.gz", volume())
    write_nifti(tmp_path / "labels.nii.gz", values)
    line = "ct.nii.gz,labels.nii.gz,p1,X,liver"
    manifest = write_manifest(tmp_path, line, header=HEADER + ",classes")
    wider = Grid(SIZE + 8, SPACING)  # beyond the image, too, an unlabelled slice is unlabelled
    report = run(manifest, tmp_path / "out.store", grid=wider)
    store = SliceStore(tmp_path / "out.store")
    assert store.slices.labelled.tolist() == ["liver", "liver", ""]
    assert np.array_equal(np.unique(store.labels("x")[:2]), [0, 2])
    assert np.all(store.labels("x")[2] == 255)
    assert "no pixel is labelled muscle (value 1): check --label" in report.notes


def test_labels_that_lie_in_air_are_told(tmp_path):
    image = np.roll(body_image(), 14, axis=1)  # so that left and right differ
    right = (image == 110).astype(np.uint8) * 5
    for name, label in {
        "good": right,
        "flipped": right[:, ::-1],
        "none": np.zeros_like(right),
    }.items():
        write_nifti(tmp_path / f"{name}.nii.gz", np.stack([image] * 2))
        write_nifti(tmp_path / f"{name}-labels.nii.gz", np.stack([label] * 2))
    names = "good", "flipped", "none"
    lines = [f"{n}.nii.gz,{n}-labels.nii.gz,{n},X" for n in names]
    report = run(write_manifest(tmp_path, *lines), tmp_path / "out.store", labels=LIVER)
    air = np.mean(image[right[:, ::-1] > 0] < -300)
    assert 0.2 < air < 1
    (note,) = [note for note in report.notes if "are air" in note]
    assert note == (
        "more than 20% of the pixels labelled liver are air (below -300 HU) in 1 scan, first in "
        f"{tmp_path}/scans.csv:3 ({air:.0%}): unless liver holds air, its labels may be "
        "mirrored or shifted"
    )


def test_bodies_that_are_cut_are_told_in_one_line(tmp_path):
    for name in "abc":
        write_nifti(tmp_path / f"{name}.nii.gz", volume())
    manifest = write_manifest(tmp_path, *(f"{name}.nii.gz,,{name},CT" for name in "abc"))
    small, whole = (
        run(manifest, tmp_path / str(size), grid=Grid(size, SPACING)) for size in (16, SIZE)
    )
    (note,) = (note for note in small.notes if "grid" in note)
    assert "in 9 slices of 3 series" in note and "first in" in note and "a.nii.gz" in note
    assert not any("grid" in note for note in whole.notes)
    assert SliceStore(tmp_path / "16").slices.body_cut.all()


def test_ignored_pixels_and_other_classes_are_no_labels_in_air(tmp_path):
    values = np.full((3, SIZE, SIZE), 255, np.uint8)
    values[volume() == 40], values[volume() == 110] = 1, 2
    values[:, 0, :15] = 1  # 15 pixels in air
    write_nifti(tmp_path / "ct.nii.gz", volume())
    write_nifti(tmp_path / "labels.nii.gz", values)
    report = run(write_manifest(tmp_path, "ct.nii.gz,labels.nii.gz,p1,X"), tmp_path / "out")
    assert not [note for note in report.notes if "are air" in note]


def test_one_device_under_two_names_is_told(tmp_path):
    for number in "123":
        write_series(tmp_path / number, patient=f"p{number}")
    write_series(tmp_path / "4", change=philips, patient="p4")
    write_nifti(tmp_path / "5.nii.gz", volume())
    lines = ["1,,,Ward CT", "2,,,", "3,,,", "4,,,Other CT", "5.nii.gz,,p5,Third CT"]
    report = run(write_manifest(tmp_path, *lines), tmp_path / "out.store")
    assert [note for note in report.notes if "one scanner" in note] == [
        "Ward CT (so called in the manifest) and Siemens Sensation 64 · B40f · 120 kV are one "
        "scanner by their headers: name it in all rows or in none, or it is two experiences"
    ]
    lines = ["1,,,Ward CT", "2,,,Ward CT", "3,,,Second CT"]
    report = run(write_manifest(tmp_path, *lines), tmp_path / "given.store")
    assert not [note for note in report.notes if "one scanner" in note]


@pytest.mark.parametrize("workers", [1, 2])
def test_all_faulty_label_files_are_told_at_once(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(ingest_module, "PARALLEL_FROM", 1)
    good = np.zeros((3, SIZE, SIZE), np.uint8)
    labels = {"a": good, "b": good + 9, "c": good[:2], "d": good, "e": good}
    for name, values in labels.items():
        write_nifti(tmp_path / f"{name}.nii.gz", volume())
        write_nifti(tmp_path / f"{name}-labels.nii.gz", values)
    (tmp_path / "e-labels.nii.gz").write_bytes(b"broken")
    lines = [f"{n}.nii.gz,{n}-labels.nii.gz,{n},{s}" for n, s in zip(labels, "XYXYY", strict=True)]
    with pytest.raises(InputError) as error:
        run(write_manifest(tmp_path, *lines), tmp_path / "out.store", workers=workers)
    told = str(error.value).splitlines()
    assert [line.split(":")[1] for line in told] == ["3", "4", "6"]
    assert "values 9" in told[0] and "another grid" in told[1] and "cannot be read" in told[2]
    assert not (tmp_path / "out.store").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_of_very_many_faulty_label_files_the_first_end_the_reading(tmp_path, monkeypatch):
    write_nifti(tmp_path / "labels.nii.gz", np.full((1, SIZE, SIZE), 9, np.uint8))
    for number in range(30):
        write_nifti(tmp_path / f"{number}.nii.gz", volume(1))
    lines = [f"{number}.nii.gz,labels.nii.gz,p{number},X" for number in range(30)]
    reads = []
    real = staging_module.read_labels
    monkeypatch.setattr(staging_module, "read_labels", lambda *a: reads.append(a) or real(*a))
    with pytest.raises(InputError, match="and more faults like these") as error:
        run(write_manifest(tmp_path, *lines), tmp_path / "out.store")
    assert len(str(error.value).splitlines()) == 21 and len(reads) == 21


def test_slices_without_labels_may_be_left_out(tmp_path):
    values = np.zeros((3, SIZE, SIZE), np.uint8)
    values[0], values[2, 20:25, 20:25] = 255, 2
    for name in "ab":
        write_nifti(tmp_path / f"{name}.nii.gz", volume())
    write_nifti(tmp_path / "labels.nii.gz", values)
    write_nifti(tmp_path / "none.nii.gz", np.full_like(values, 255))

    def make(store, *lines):
        path = write_manifest(tmp_path, *lines, header=HEADER + ",slices")
        return run(path, tmp_path / store, salt=b"s")

    make("all", "a.nii.gz,labels.nii.gz,p1,X,")
    report = make(
        "some", "a.nii.gz,labels.nii.gz,p1,X,labelled", "b.nii.gz,none.nii.gz,p2,X,labelled"
    )
    every, some = SliceStore(tmp_path / "all"), SliceStore(tmp_path / "some")
    kept = every.slices.labelled != ""
    assert kept.sum() == 2
    assert some.slices.slice_id.tolist() == every.slices.slice_id[kept].tolist()
    assert np.array_equal(some.labels("x"), every.labels("x")[kept])
    assert np.array_equal(some.hu("x"), every.hu("x")[kept])
    assert [(r.path.name, r.reason) for r in report.rejected] == [
        ("b.nii.gz", "none of its slices is labelled")
    ]
    with pytest.raises(InputError, match="3 × none of its slices is labelled"):
        make("none", "b.nii.gz,none.nii.gz,p2,X,labelled")
    assert not (tmp_path / "none").exists()


def test_a_salt_makes_an_ingest_repeatable_and_none_makes_it_unlinkable(tmp_path):
    write_series(tmp_path / "in" / "a", patient="p1")
    write_series(tmp_path / "in" / "b", patient="p2", series="s2")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in" / "a").replace(tmp_path / "elsewhere" / "z")
    (tmp_path / "in" / "b").replace(tmp_path / "elsewhere" / "a")
    stores = []
    for name, salt in (("1", b"s"), ("2", b"s"), ("3", None), ("4", None)):
        run(tmp_path / "elsewhere", tmp_path / name, salt=salt)
        stores.append(SliceStore(tmp_path / name))
    contents = [store.header.content_sha256 for store in stores]
    assert contents[0] == contents[1]
    assert len(set(contents)) == 3
    hashes = [set(store.slices.patient) | set(store.slices.series) for store in stores]
    assert all(len(text) == 12 and int(text, 16) >= 0 for text in hashes[0])
    assert not hashes[2] & hashes[3]


def test_any_number_of_workers_makes_the_same_store(tmp_path, monkeypatch):
    for name in "abc":
        write_series(tmp_path / "in" / name, [0, 5], patient=name, series=f"s{ord(name)}")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    write_nifti(tmp_path / "x.nii.gz", volume(1))
    write_nifti(tmp_path / "other.nii.gz", volume(2))
    manifest = write_manifest(tmp_path, "x.nii.gz,other.nii.gz,p1,X", "in/a,,,", "in/b,,,")
    alone = run(tmp_path / "in", tmp_path / "alone", salt=b"s")
    monkeypatch.setattr(ingest_module, "PARALLEL_FROM", 1)
    monkeypatch.setattr(find_module, "PARALLEL_FROM", 1)
    together = run(tmp_path / "in", tmp_path / "together", salt=b"s", workers=2)
    assert replace(together, store=alone.store) == alone and together.rejected
    one, two = (SliceStore(tmp_path / name).header for name in ("alone", "together"))
    assert one == two
    with pytest.raises(InputError, match=":2: "):
        run(manifest, tmp_path / "none", workers=2)
    assert not (tmp_path / "none").exists()


def test_two_names_with_one_folder_name_stay_apart(tmp_path):
    for name in ("a", "b"):
        write_nifti(tmp_path / f"{name}.nii.gz", volume(1))
    manifest = write_manifest(tmp_path, "a.nii.gz,,p1,CT (1)", "b.nii.gz,,p2,CT [1]")
    report = run(manifest, tmp_path / "out.store")
    assert [(s.folder, s.name) for s in report.scanners] == [
        ("ct-1", "CT (1)"), ("ct-1-2", "CT [1]"),
    ]  # fmt: skip


def test_no_identifier_reaches_the_store(tmp_path):
    source = tmp_path / f"{CANARY} folder"
    write_series(source / f"{CANARY}^Jane", patient="p1")
    write_nifti(source / f"{CANARY}.nii.gz", volume())
    write_nifti(source / f"{CANARY}-labels.nii.gz", (volume() == 110).astype(np.uint8))
    rows = [f"{CANARY}.nii.gz,{CANARY}-labels.nii.gz,{CANARY} 12,X", f"{CANARY}^Jane,,,"]
    run(source, tmp_path / "dicom.store")
    run(write_manifest(source, *rows), tmp_path / "manifest.store")
    header = pydicom.dcmread(next(source.rglob("*.dcm")))
    needles = [CANARY, str(tmp_path), "1.2.777", header.SOPInstanceUID, header.PatientBirthDate]
    files = [path for path in tmp_path.glob("*.store/**/*") if path.is_file()]
    assert len(files) == 4 + 6
    for path in files:
        content = path.read_bytes()
        for needle in needles:
            assert needle.encode() not in content
            assert needle.encode("utf-16-le") not in content
            assert needle not in str(path.relative_to(tmp_path))
    for name in ("dicom.store", "manifest.store"):  # parquet compresses: look inside, too
        table = SliceStore(tmp_path / name).slices
        text = table.to_csv() + str(pq.read_schema(tmp_path / name / "slices.parquet").metadata)
        assert not [needle for needle in needles if needle in text]


# Everything below must end in one line and leave nothing.


def truncated(folder):
    for path in write_series(folder):
        path.write_bytes(path.read_bytes()[:3000])
    return folder


def not_an_image(folder):
    def make_report(ds, _):
        ds.Modality = "SR"
        del ds.PixelData, ds.Rows, ds.Columns

    write_series(folder, change=make_report)
    return folder


def mixed_spacing(folder):
    def widen(ds, i):
        ds.PixelSpacing = [8 + i, 8 + i]

    write_series(folder, change=widen)
    return folder


def labelled(folder, labels):
    write_nifti(folder / "ct.nii.gz", volume())
    write_nifti(folder / "labels.nii.gz", labels)
    return write_manifest(folder, "ct.nii.gz,labels.nii.gz,p1,X")


def labels_of_another_size(folder):
    return labelled(folder, np.zeros((3, 20, 20), np.uint8))


def unknown_label(folder):
    return labelled(folder, np.full((3, SIZE, SIZE), 9, np.uint8))


def empty(folder):
    folder.mkdir()
    return folder


def missing(folder):
    return folder


def lone_nifti(folder):
    write_nifti(folder / "ct.nii.gz", volume())
    return folder


def folder_of_niftis(folder):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(folder / name, volume())
    return folder


def nan(folder):
    write_nifti(folder / "ct.nii.gz", np.full((3, SIZE, SIZE), np.nan, np.float32))
    return write_manifest(folder, "ct.nii.gz,,p1,X")


def unknown_manufacturer(folder):
    def rename(ds, _):
        ds.Manufacturer = "ACME CT"

    write_series(folder, change=rename)
    return folder


def made_by(manufacturer, model="Mark 1"):
    def change(ds, _):
        ds.Manufacturer, ds.ManufacturerModelName = manufacturer, model

    return change


def test_one_unknown_maker_does_not_stop_the_rest(tmp_path):
    source = tmp_path / "in"
    write_series(source / "a", patient="p1")
    write_series(source / "b", change=made_by("ACME CT"), patient="p2", series="s2")
    write_series(source / "c", [0, 5], made_by("ACME CT"), patient="p3", series="s3")
    write_series(source / "d", [0], made_by(""), patient="p4", series="s4")
    write_series(source / "e", [0], made_by("Anonymous"), patient="p5", series="s5")
    report = run(source, tmp_path / "out.store")
    assert [s.name for s in report.scanners] == ["Siemens Sensation 64 · B40f · 120 kV"]
    acme, *nobody = sorted(report.rejected, key=lambda r: -r.files)
    assert acme.files == 5 and "2 series, the first here" in acme.reason
    assert 'Acme Ct: {names: ["ACME CT"]}' in acme.reason
    assert [r.path.name for r in nobody] == ["d", "e"]
    assert all("column `scanner`" in r.reason and "alias" not in r.reason for r in nobody)


def test_the_column_scanner_names_an_anonymised_device(tmp_path):
    write_series(tmp_path / "a", change=made_by(""))
    report = run(write_manifest(tmp_path, "a,,,Ward CT"), tmp_path / "out.store")
    assert [s.name for s in report.scanners] == ["Ward CT"] and report.rejected == []


def test_nothing_but_anonymised_devices_is_one_line_that_names_the_folder(tmp_path):
    write_series(tmp_path / "in" / "a", change=made_by(""))
    with pytest.raises(InputError, match=r"column `scanner`; first .*in/a") as error:
        run(tmp_path / "in", tmp_path / "out.store")
    assert "\n" not in str(error.value) and nothing_left(tmp_path)


LIVER_HU = {("VMI", "ME40KEV"): 330, ("VMI", "ME70KEV"): 110, ("MAT_REMOVED", "VNC"): 55, (): 120}


def spectral(words):
    def change(ds, _):
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", *words]
        image = body_image()
        image[image == 110] = LIVER_HU[words]
        ds.PixelData = image.tobytes()

    return change


def spectral_series(source):
    for number, words in enumerate(LIVER_HU, start=1):
        write_series(
            source / f"{number}", [0, 5], spectral(words), patient=f"p{number}", series=f"s{number}"
        )
    return source


@pytest.mark.parametrize("by", [("manufacturer",), ("manufacturer", "model", "kernel", "kv")])
def test_one_scanner_is_one_kind_of_image(tmp_path, by):
    report = run(spectral_series(tmp_path / "in"), tmp_path / "out.store", scanner_by=by)
    store = SliceStore(tmp_path / "out.store")
    y, x = np.argwhere(body_image() == 110)[0]
    liver = {name: set(store.hu(name)[:, y, x].tolist()) for name in store.scanners}
    assert sorted(map(sorted, liver.values())) == [[55], [110], [120], [330]]
    kinds = ("40 keV monoenergetic", "70 keV monoenergetic", "virtual non-contrast")
    for kind in kinds:
        (scanner,) = [s for s in report.scanners if s.name.endswith(kind)]
        assert any(note.startswith(f"{scanner.name}: no plain CT") for note in report.notes)
    assert store.header.provenance["scanner_by"] == list(by)


def test_a_name_in_a_manifest_does_not_mix_kinds_of_image(tmp_path):
    spectral_series(tmp_path)
    manifest = write_manifest(tmp_path, *(f"{n},,,Ward CT" for n in (1, 2, 3, 4)))
    report = run(manifest, tmp_path / "out.store")
    assert [s.name for s in report.scanners] == [
        "Ward CT",
        "Ward CT · 40 keV monoenergetic",
        "Ward CT · 70 keV monoenergetic",
        "Ward CT · virtual non-contrast",
    ]


def test_labels_of_a_folder_with_two_kinds_of_image_are_refused(tmp_path):
    def mixed(ds, i):
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", *(["VMI", "ME70KEV"] if i % 2 else [])]

    write_series(tmp_path / "a", [0, 0, 5, 5], mixed)
    write_nifti(tmp_path / "labels.nii.gz", np.zeros((2, SIZE, SIZE), np.uint8))
    manifest = write_manifest(tmp_path, "a,labels.nii.gz,p1,")
    with pytest.raises(InputError, match=r"2 CT series \(70 keV monoenergetic, plain CT\)"):
        run(manifest, tmp_path / "out.store")


def test_monoenergetic_images_of_unknown_energy_are_not_pooled(tmp_path):
    def vmi(ds, _):
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "VMI"]

    write_series(tmp_path / "in" / "plain")
    write_series(tmp_path / "in" / "a", change=vmi, patient="p2", series="s2")
    write_series(tmp_path / "in" / "b", change=vmi, patient="p3", series="s3")
    report = run(tmp_path / "in", tmp_path / "out.store")
    assert [s.name for s in report.scanners] == ["Siemens Sensation 64 · B40f · 120 kV"]
    assert [r.path.name for r in report.rejected] == ["a", "b"]
    assert all("no header field tells their keV" in r.reason for r in report.rejected)
    manifest = write_manifest(tmp_path, "in/plain,,,", "in/a,,,CT 40 keV", "in/b,,,CT 70 keV")
    report = run(manifest, tmp_path / "named.store")
    assert [s.name for s in report.scanners] == [
        "CT 40 keV · monoenergetic",
        "CT 70 keV · monoenergetic",
        "Siemens Sensation 64 · B40f · 120 kV",
    ]


def test_derived_images_are_left_out_where_that_is_asked(tmp_path):
    source = spectral_series(tmp_path / "in")
    report = run(source, tmp_path / "out.store", derived="leave-out")
    assert [s.slices for s in report.scanners] == [2]
    assert len(report.rejected) == 3
    assert all("--derived leave-out" in r.reason for r in report.rejected)
    assert not any("no plain CT" in note for note in report.notes)


def test_voltages_and_kernels_of_one_device_are_one_scanner_where_that_is_asked(tmp_path):
    def exposed(kvp, kernel, station):
        def change(ds, _):
            ds.KVP, ds.ConvolutionKernel, ds.StationName = kvp, kernel, f"{CANARY}{station}"

        return change

    source = tmp_path / "in"
    for i, one in enumerate([("80", "B40f", 1), ("100", "B70f", 1), ("120", "B40f", 2)], start=1):
        write_series(source / f"{i}", [0], exposed(*one), patient=f"p{i}", series=f"s{i}")
    counts = {}
    for by in ("manufacturer,model", "manufacturer,model,kernel", "manufacturer,model,station"):
        report = run(source, tmp_path / by, scanner_by=by.split(","), salt=b"x")
        counts[by] = sorted(s.slices for s in report.scanners)
        rows = SliceStore(tmp_path / by).slices
        assert set(rows.kvp) == {80.0, 100.0, 120.0}, "known of each slice all the same"
    assert counts == {
        "manufacturer,model": [3],
        "manufacturer,model,kernel": [1, 2],
        "manufacturer,model,station": [1, 2],
    }
    for path in tmp_path.rglob("*"):
        if "in" not in path.relative_to(tmp_path).parts:
            assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def test_a_device_that_tube_voltages_make_several_scanners_is_told(tmp_path):
    def at(kvp):
        return lambda ds, _: setattr(ds, "KVP", kvp)

    source = tmp_path / "in"
    for i, kvp in enumerate(("80", "100"), start=1):
        write_series(source / f"{i}", [0], at(kvp), patient=f"p{i}", series=f"s{i}")
    told = "Siemens Sensation 64 is 2 scanners by its tube voltages, 80, 100 kV"
    assert run(source, tmp_path / "a").notes[0].startswith(told)
    notes = run(source, tmp_path / "b", scanner_by=("manufacturer", "model")).notes
    assert not any("tube voltages" in note for note in notes)


def test_stations_nobody_named_are_told(tmp_path):
    write_series(tmp_path / "in")
    report = run(tmp_path / "in", tmp_path / "s", scanner_by=("manufacturer", "station"))
    assert report.notes[0].startswith("Siemens · station unknown: no StationName")


def nothing_left(tmp_path):
    return [path.name for path in tmp_path.iterdir() if path.name != "in"] == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (truncated, "3 × pixel data are truncated"),
        (not_an_image, r"3 × not a CT image \(Modality SR\)"),
        (mixed_spacing, "3 × mixed pixel spacing inside one series"),
        (labels_of_another_size, r"scans.csv:2: label file .*labels.nii.gz.*another grid"),
        (unknown_label, r":2: label file .*labels.nii.gz holds the values 9.*--label"),
        (empty, "is empty"),
        (missing, "does not exist"),
        (lone_nifti, "CSV manifest"),
        (folder_of_niftis, r"2 × not a DICOM file.*list them in a CSV manifest"),
        (nan, "holds NaN"),
        (unknown_manufacturer, "'ACME CT'.*--aliases"),
    ],
)  # fmt: skip
def test_bad_input_gives_one_line_and_leaves_nothing(tmp_path, make, message):
    source = make(tmp_path / "in")
    with pytest.raises(InputError, match=message) as error:
        run(source, tmp_path / "out.store")
    assert "\n" not in str(error.value) and CANARY not in str(error.value)
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("where", ["staging", "store"])
def test_a_full_disk_gives_one_line_and_leaves_nothing(tmp_path, monkeypatch, where):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    owner, name = {
        "staging": (staging_module.Staging, "append"),
        "store": (StoreWriter, "_write_array"),
    }[where]
    monkeypatch.setattr(owner, name, full)
    write_series(tmp_path / "in")
    with pytest.raises(InputError, match="No space left"):
        run(tmp_path / "in", tmp_path / "out.store")
    assert nothing_left(tmp_path)


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(staging_module.Staging, "append", interrupt)
    write_series(tmp_path / "in")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", tmp_path / "out.store")
    assert nothing_left(tmp_path)


def test_an_existing_store_is_kept(tmp_path):
    write_series(tmp_path / "in")
    (tmp_path / "out.store").mkdir()
    with pytest.raises(InputError, match="exists already"):
        run(tmp_path / "in", tmp_path / "out.store")


@pytest.mark.parametrize(
    "place", ["out.store/sub", "out.store/a/b", "link/sub", "s/../out.store/c"]
)
def test_a_store_is_not_put_into_a_store(tmp_path, place, monkeypatch):
    write_series(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "out.store")
    (tmp_path / "link").symlink_to("out.store")
    (tmp_path / "s").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=r"is in the store .*out\.store: choose a place outside"):
        run(tmp_path / "in", tmp_path / place)
    monkeypatch.chdir(tmp_path / "out.store")
    with pytest.raises(InputError, match="sub is in the store"):
        run(tmp_path / "in", Path("sub"))
    assert sorted(tmp_path.rglob("*")) == before


def test_real_series_are_four_scanners_named_from_their_headers(samples: Path, tmp_path):
    report = run(samples / "dicom", tmp_path / "out.store", grid=Grid(128, 3.2))
    assert [s.name for s in report.scanners] == [
        "Canon Aquilion · FC13 · 120 kV",
        "Philips Brilliance 16P · B · 120 kV",
        "Siemens Biograph40 mCT · Br38f · 120 kV",
        "Siemens Sensation 64 · B40f · 120 kV",
    ]
    assert [s.slices for s in report.scanners] == [16, 4, 20, 16]
    assert any("gap of 75 mm between z = 1280 and 1355" in note for note in report.notes)


def test_real_labels_make_a_liver_store(samples: Path, tmp_path):
    series, volume = samples / "dicom/series-a", samples / "nifti/abdomen-3mm.nii.gz"
    manifest = write_manifest(
        tmp_path,
        f"{series},{series}-labels.nii.gz,,",
        f"{volume},{samples}/nifti/abdomen-3mm-labels.nii.gz,p2,Unknown CT",
    )
    with pytest.raises(InputError, match=r"1 spleen .*--others background"):
        run(manifest, tmp_path / "out.store", labels=LIVER)
    liver = parse_label_map(["liver=5"], "background")
    report = run(manifest, tmp_path / "out.store", labels=liver, grid=Grid(128, 3.2))
    assert [s.labelled for s in report.scanners] == [{"liver": 20}, {"liver": 112}]
    store = SliceStore(tmp_path / "out.store")
    for scanner in store.scanners:
        liver = store.hu(scanner)[store.labels(scanner) == 1]
        assert 30 < np.median(liver) < 160
        columns = np.nonzero(store.labels(scanner) == 1)[2]
        assert np.mean(columns < 64) > 0.8  # the patient's right is on the left of the image
