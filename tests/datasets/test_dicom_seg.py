"""DICOM with DICOM SEG: bit-packed frames on the slices of the series they refer to."""

import tempfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage, generate_uid
from scipy import ndimage

from cl_seg.datasets.dataset import DatasetOptions
from cl_seg.datasets.segmentation_object import read_masks
from cl_seg.datasets.write import write_dataset
from cl_seg.messages.errors import InputError
from cl_seg.scans.series import UnusableError, Volume

from ..scans.conftest import CANARY, SIZE, SPACING, body_image, save, write_series
from .conftest import ingested, reasons

Z = (0, 5, 10)
CORNER = -SPACING * (SIZE - 1) / 2
KIDNEY = DatasetOptions({"kidney": ("Kidney", "mass")})


def item(**values):
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def write_seg(path, frames, names=("Kidney", "Mass"), patient="p1", series="s1", change=None):
    """A binary segmentation as dcmqi writes it: bits run on from frame to frame.

    ``frames`` lists segment number, z in mm and (H, W) mask.
    """
    masks = np.stack([mask for _, _, mask in frames])
    ds = item(
        SOPClassUID=SegmentationStorage,
        SOPInstanceUID=generate_uid(),
        Modality="SEG",
        SegmentationType="BINARY",
        PatientID=f"{CANARY}-{patient}",
        PatientName=f"{CANARY}^Jane",
        SeriesInstanceUID=f"1.2.777.{patient[1:]}.9",
        ReferencedSeriesSequence=[item(SeriesInstanceUID=f"1.2.777.{patient[1:]}.{series[1:]}")],
        SegmentSequence=[
            item(SegmentNumber=n, SegmentLabel=name) for n, name in enumerate(names, start=1)
        ],
        SharedFunctionalGroupsSequence=[
            item(
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelMeasuresSequence=[item(PixelSpacing=[SPACING, SPACING], SliceThickness=5)],
            )
        ],
        PerFrameFunctionalGroupsSequence=[
            item(
                SegmentIdentificationSequence=[item(ReferencedSegmentNumber=segment)],
                PlanePositionSequence=[item(ImagePositionPatient=[CORNER, CORNER, z])],
            )
            for segment, z, _ in frames
        ],
        NumberOfFrames=len(frames),
        Rows=masks.shape[1],
        Columns=masks.shape[2],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelRepresentation=0,
    )
    packed = np.packbits(masks.astype(np.uint8).ravel(), bitorder="little").tobytes()
    ds.PixelData = packed + b"\0" * (len(packed) % 2)
    if change is not None:
        change(ds)
    return save(ds, path)


def kidney():
    return body_image() == 110


def mass():
    """Overlaps the kidney by a column."""
    mask = np.zeros((SIZE, SIZE), bool)
    rows, columns = np.nonzero(kidney())
    mask[rows.min() : rows.max(), columns.max() : columns.max() + 4] = True
    return mask


FRAMES = [(1, 0, kidney()), (1, 10, kidney()), (2, 10, mass())]


@pytest.fixture
def folder(tmp_path):
    """As the Imaging Data Commons lays it out, and a note that is no DICOM."""
    path = tmp_path / "c4kc_kits"
    for number in (1, 2):
        study = path / f"KiTS-0000{number}" / "study"
        write_series(study / "CT_1", Z, patient=f"p{number}")
        write_seg(study / "SEG_1" / "seg.dcm", FRAMES, patient=f"p{number}")
    write_series(path / "KiTS-00003/study/CT_1", Z, patient="p3")
    (path / "LICENSE.txt").write_text("CC BY 3.0")
    return path


def expected():
    labels = np.zeros((3, SIZE, SIZE), np.uint8)
    labels[0], labels[2] = kidney(), kidney() | mass()
    return labels


def test_series_and_segmentations_become_a_store(folder, write):
    written = write("dicom_seg", folder, KIDNEY)
    assert written.scanners == {"": 2}
    assert reasons(written) == {
        "not a DICOM file": ["c4kc_kits/LICENSE.txt"],
        "no segmentations refer to it, expected one": ["study/CT_1"],
    }
    store = ingested(written)
    (scanner,) = store.scanners
    assert scanner == "siemens-sensation-64-medium-120kv"
    assert store.slices.patient.nunique() == 2
    assert np.array_equal(store.labels(scanner)[:3], expected())
    assert np.all(store.labels(scanner)[1] == 0), "a slice without frame is background"


def test_the_same_manifest_is_written_again(folder, tmp_path):
    texts = {
        write_dataset("dicom_seg", folder, tmp_path / f"out{i}", KIDNEY).manifest.read_text()
        for i in range(6)
    }
    assert len(texts) == 1


def test_segments_apart_and_a_segment_nobody_drew(folder, write):
    study = folder / "KiTS-00002/study"
    write_seg(study / "SEG_1/seg.dcm", FRAMES[:2], names=("Kidney",), patient="p2")
    store = ingested(write("dicom_seg", folder, DatasetOptions({"k": ("Kidney",), "m": ("Mass",)})))
    (scanner,) = store.scanners
    labelled = store.slices.groupby("case", sort=False).labelled.unique().map(list).tolist()
    assert sorted(labelled) == [["k"], ["k,m"]]
    both = int(np.flatnonzero(store.slices.labelled == "k,m")[0])
    assert np.array_equal(store.labels(scanner)[both + 2], kidney() + 2 * (mass() & ~kidney()))


@pytest.mark.parametrize("order", [("k", "m"), ("m", "k")])
@pytest.mark.parametrize("frames", [FRAMES, FRAMES[::-1]], ids=["as drawn", "turned"])
def test_of_overlapping_segments_the_class_named_first_has_the_pixel(folder, write, order, frames):
    """Whatever the order in the file."""
    write_seg(folder / "KiTS-00001/study/SEG_1/seg.dcm", frames)
    (folder / "KiTS-00002/study/SEG_1/seg.dcm").unlink()
    segments = {"k": "Kidney", "m": "Mass"}
    written = write(
        "dicom_seg", folder, DatasetOptions({name: (segments[name],) for name in order})
    )
    area = (kidney() & mass()).sum() * SPACING**2 / 100
    assert area and written.notes == [
        f"{order[0]} and {order[1]} overlap in 1 image, {area:.4g} cm² over all slices (first "
        f"{folder / 'KiTS-00001/study/CT_1'}): {order[0]}, which is named first, has these pixels"
    ]
    masks = {"k": kidney(), "m": mass()}
    first, second = (masks[name] for name in order)
    store = ingested(written)
    assert np.array_equal(store.labels(store.scanners[0])[2], np.where(first, 1, 2 * second))


def test_segments_of_one_class_may_overlap(folder, write):
    assert write("dicom_seg", folder, KIDNEY).notes == []


def test_a_series_with_a_gap_keeps_its_labels_in_place(folder, write):
    (folder / "KiTS-00001/study/CT_1/001.dcm").unlink()
    write_series(folder / "KiTS-00001/study/CT_1", (0, 10, 15, 20), patient="p1")
    store = ingested(write("dicom_seg", folder, KIDNEY))
    gap = store.slices.z_mm.tolist().index(20.0) - 3
    labels = store.labels(store.scanners[0])[gap : gap + 4]
    assert store.slices.z_mm.tolist()[gap : gap + 4] == [0, 10, 15, 20]
    assert [bool(one.any()) for one in labels] == [True, True, False, False]


def test_positions_that_are_written_rounded_are_evenly_spaced(folder, write):
    z = [round(2 / 3 * i, 2) for i in range(60)]
    write_series(folder / "KiTS-00001/study/CT_1", z, patient="p1")
    write_seg(folder / "KiTS-00001/study/SEG_1/seg.dcm", [(1, z[-1], kidney())], patient="p1")
    written = write("dicom_seg", folder, KIDNEY)
    store = ingested(written)
    rows = np.flatnonzero(np.isclose(store.slices.z_mm, z[-1]))
    assert len(rows) == 1 and store.labels(store.scanners[0])[rows[0]].any()


def test_no_identifier_is_written_but_the_paths(folder, write, tmp_path):
    write("dicom_seg", folder, KIDNEY)
    files = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert [path.name for path in files] == ["0001.nii.gz", "0002.nii.gz", "manifest.csv"]
    assert CANARY not in files[-1].read_text() and "1.2.777" not in files[-1].read_text()


def of_nothing(ds):
    del ds.ReferencedSeriesSequence


def in_bytes(ds, masks, kind, allocated=8):
    """Pixels of 8 or 16 bits in place of the packed ones."""
    ds.SegmentationType, ds.NumberOfFrames = kind, len(masks)
    ds.BitsAllocated = ds.BitsStored = allocated
    ds.HighBit = allocated - 1
    ds.PixelData = masks.astype(f"<u{allocated // 8}").tobytes()


def fractional(maximum):
    """Edges of a fifth of the maximum around the kidney, which is .6 of it."""

    def change(ds):
        share = np.where(kidney(), 0.6, np.where(ndimage.binary_dilation(kidney()), 0.2, 0))
        in_bytes(ds, np.rint(np.stack([share] * 3) * (maximum or 255)), "FRACTIONAL")
        ds.SegmentationFractionalType = "PROBABILITY"
        if maximum:
            ds.MaximumFractionalValue = maximum

    return change


def labelmap(allocated, first=1):
    """A frame per slice, whose pixels hold numbers of segments."""

    def change(ds):
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
        both = np.where(kidney(), first, np.where(mass(), first + 1, 0))
        in_bytes(ds, np.stack([kidney() * first, both]), "LABELMAP", allocated)
        for number, segment in enumerate(ds.SegmentSequence, start=first):
            segment.SegmentNumber = number
        groups = ds.PerFrameFunctionalGroupsSequence[:2]
        for group in groups:
            del group.SegmentIdentificationSequence
        ds.PerFrameFunctionalGroupsSequence = groups

    return change


def padded(ds):
    """What is no segment has a value of its own."""
    labelmap(8)(ds)
    pixels = np.frombuffer(ds.PixelData, np.uint8)
    ds.PixelData = np.where(pixels == 0, 9, pixels).astype(np.uint8).tobytes()
    ds.PixelPaddingValue = 9


@pytest.mark.parametrize("maximum", [255, 100, 1])
def test_fractions_of_a_half_or_more_are_inside(folder, write, maximum):
    seg = folder / "KiTS-00001/study/SEG_1/seg.dcm"
    frames = [(1, z, kidney()) for z in Z]
    write_seg(seg, frames, names=("Kidney",), change=fractional(maximum))
    (folder / "KiTS-00002/study/SEG_1/seg.dcm").unlink()
    written = write("dicom_seg", folder, DatasetOptions({"kidney": ("Kidney",)}))
    assert written.notes == [
        f"1 segmentation is FRACTIONAL (first {seg}): pixels of half of MaximumFractionalValue or "
        "more are inside"
    ]
    store = ingested(written)
    assert np.array_equal(store.labels(store.scanners[0]), [kidney()] * 3)


@pytest.mark.parametrize("change", [labelmap(8), labelmap(16, 300), padded])
def test_label_maps_are_read(folder, write, change):
    write_seg(folder / "KiTS-00001/study/SEG_1/seg.dcm", FRAMES, change=change)
    (folder / "KiTS-00002/study/SEG_1/seg.dcm").unlink()
    written = write("dicom_seg", folder, DatasetOptions({"m": ("Mass",), "k": ("Kidney",)}))
    assert not written.notes
    store = ingested(written)
    expected = np.stack([2 * kidney(), 0 * kidney(), np.where(kidney(), 2, 1 * mass())])
    assert np.array_equal(store.labels(store.scanners[0]), expected)


def test_one_segment_may_be_named_for_all_frames(folder, write):
    def shared(ds):
        (first, *rest) = ds.PerFrameFunctionalGroupsSequence
        groups = ds.SharedFunctionalGroupsSequence[0]
        groups.SegmentIdentificationSequence = first.SegmentIdentificationSequence
        for group in (first, *rest):
            del group.SegmentIdentificationSequence

    seg = folder / "KiTS-00001/study/SEG_1/seg.dcm"
    write_seg(seg, FRAMES[:2], names=("Kidney",), change=shared)
    (folder / "KiTS-00002/study/SEG_1/seg.dcm").unlink()
    store = ingested(write("dicom_seg", folder, DatasetOptions({"k": ("Kidney",)})))
    assert np.array_equal(store.labels(store.scanners[0])[0], kidney())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (fractional(None), "SegmentationType is FRACTIONAL, but MaximumFractionalValue is missing"),
        (lambda ds: setattr(ds, "SegmentationType", "SURFACE"), "SegmentationType is SURFACE"),
        (of_nothing, "it does not say of which series"),
    ],
)
def test_where_no_segmentation_can_be_read_the_reason_is_told(folder, write, change, reason):
    """Not that no segment has the name."""
    for number in (1, 2):
        seg = folder / f"KiTS-0000{number}/study/SEG_1/seg.dcm"
        write_seg(seg, FRAMES, patient=f"p{number}", change=change)
    with pytest.raises(InputError, match=f"no image that can be used .*{reason}"):
        write("dicom_seg", folder, DatasetOptions({"liver": ("Kidney",)}))


def surface(ds):
    ds.SegmentationType = "SURFACE"


def without_place(ds):
    for group in ds.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence


def of_other_numbers(ds):
    labelmap(8)(ds)
    ds.PixelData = ds.PixelData.replace(b"\x02", b"\x07")


def truncated(ds):
    ds.PixelData = ds.PixelData[:20]


def shifted(ds):
    for group in ds.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient[2] += 2


def coarser(ds):
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence[0].PixelSpacing = [SPACING, 2 * SPACING]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            surface,
            "its segmentation cannot be read: SegmentationType is SURFACE, expected BINARY, "
            "FRACTIONAL or LABELMAP",
        ),
        (
            of_other_numbers,
            "pixels of the segmentation, a LABELMAP, have the values 7, which are no segments of "
            "it",
        ),
        (
            without_place,
            "frames of the segmentation do not say where they lie (PlanePositionSequence)",
        ),
        (of_nothing, "it does not say of which series it is, or its segments"),
        (truncated, "the segmentation is truncated or damaged"),
        (shifted, "the segmentation is on another grid than its series"),
        (coarser, "the segmentation is on another grid than its series"),
    ],
)
def test_a_segmentation_that_cannot_be_used_is_listed(folder, write, change, reason):
    write_seg(folder / "KiTS-00002/study/SEG_1/seg.dcm", FRAMES, patient="p2", change=change)
    written = write("dicom_seg", folder, KIDNEY)
    assert written.scanners == {"": 1}
    assert len(reasons(written)[reason]) == 1


def test_what_belongs_to_whom_must_be_clear(folder, write):
    write_seg(folder / "KiTS-00001/study/SEG_2/seg.dcm", FRAMES)
    write_series(folder / "KiTS-00002/study/CT_1/more", Z, patient="p2", series="s2")
    for file in (folder / "KiTS-00002/study/CT_1/more").iterdir():
        file.rename(file.parent.parent / f"more-{file.name}")
    write_seg(folder / "KiTS-00003/study/SEG_1/seg.dcm", FRAMES, patient="p3")
    written = write("dicom_seg", folder, KIDNEY)
    assert written.scanners == {"": 1}
    assert reasons(written) == {
        "not a DICOM file": ["c4kc_kits/LICENSE.txt"],
        "2 segmentations refer to it, expected one": ["study/CT_1"],
        "its folder holds several CT series: give each its own": ["study/CT_1"],
        "no segmentations refer to it, expected one": ["study/CT_1"],
    }


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, r"it is not given; .*Kidney \(2\), Mass \(2\)"),
        ({"liver": ("Liver",)}, r"no segment is labelled Liver; .*Kidney \(2\)"),
    ],
)
def test_the_segments_there_are_are_told(folder, write, classes, message):
    with pytest.raises(InputError, match=message):
        write("dicom_seg", folder, DatasetOptions(classes))


MASKS = arrays.arrays(bool, (3, 5, 7))


@settings(max_examples=25, deadline=None)
@given(MASKS, MASKS, st.booleans(), st.booleans())
def test_any_masks_come_back_on_the_pixels_of_the_series(one, other, left, up):
    """Whichever way the rows and columns of the frames run."""

    def turn(ds):
        shared = ds.SharedFunctionalGroupsSequence[0]
        x, y = (-1 if left else 1), (-1 if up else 1)
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = [x, 0, 0, 0, y, 0]
        for group in ds.PerFrameFunctionalGroupsSequence:
            position = group.PlanePositionSequence[0].ImagePositionPatient
            position[0], position[1] = 6 * SPACING * left, 4 * SPACING * up

    stored = [mask[:, :: -1 if up else 1, :: -1 if left else 1] for mask in (one, other)]
    frames = [(n, z, stored[n - 1][i]) for n in (1, 2) for i, z in enumerate(Z)]
    volume = Volume(np.zeros((3, 5, 7), np.int16), np.array(Z, float), (SPACING, SPACING), (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = write_seg(Path(folder) / "seg.dcm", frames, change=turn)
        labels, overlap = read_masks(path, {"one": [1], "other": [2]}, volume)
    area = (one & other).sum() * SPACING**2 / 100
    assert overlap == ({("one", "other"): pytest.approx(area)} if area else {})
    assert np.array_equal(labels, np.where(one, 1, 2 * other))


def test_a_lone_frame_is_read_too(tmp_path):
    path = write_seg(tmp_path / "seg.dcm", FRAMES[:1])
    volume = Volume(np.zeros((1, SIZE, SIZE), np.int16), np.zeros(1), (SPACING,) * 2, (CORNER,) * 2)
    labels, _ = read_masks(path, {"kidney": [1]}, volume)
    assert np.array_equal(labels[0], kidney())


def test_damage_is_told_without_what_the_file_holds(tmp_path):
    path = write_seg(tmp_path / "seg.dcm", FRAMES, change=truncated)
    volume = Volume(np.zeros((3, SIZE, SIZE), np.int16), np.array(Z), (SPACING,) * 2, (CORNER,) * 2)
    with pytest.raises(UnusableError, match="truncated or damaged") as error:
        read_masks(path, {"kidney": [1]}, volume)
    assert CANARY not in str(error.value)
    assert pydicom.dcmread(path).PatientID.startswith(CANARY)


def test_a_series_in_several_folders_is_not_cut(folder, write):
    files = sorted((folder / "KiTS-00001/study/CT_1").glob("*.dcm"))
    (files[0].parent / "more").mkdir()
    for file in files[1:]:
        file.rename(file.parent / "more" / file.name)
    written = write("dicom_seg", folder, KIDNEY)
    assert "its files lie in several folders: put them into one" in reasons(written)
