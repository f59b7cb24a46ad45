"""DICOM series: what is used, what is refused and why, and that decoding is exact."""

import contextlib
import warnings

import gdcm
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.fileset import FileSet
from pydicom.uid import RLELossless, generate_uid

from cl_seg.messages.errors import InputError
from cl_seg.scans.dicom.series import find_series
from cl_seg.scans.series import Pseudonyms, UnusableError
from cl_seg.scans.sources.find import find_scans_in_source

from ..conftest import CANARY, SIZE, SPACING, body_image, ct_dataset, save, write_series

SALT = Pseudonyms(b"test")
EXPECTED = np.clip(body_image(), -1024, 3071)


def find(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return find_series(files, folder, SALT)


def only_reason(folder):
    series, rejected = find(folder)
    assert not series
    (reason,) = {item.reason for item in rejected}
    assert CANARY not in reason and "\n" not in reason
    return reason


def test_a_series_is_sorted_by_position_and_exact(tmp_path):
    write_series(tmp_path / "a", [10, 0, 5])
    ((series,), rejected) = find(tmp_path)
    volume = series.load()
    assert rejected == []
    assert volume.z_mm.tolist() == [0, 5, 10]
    assert np.array_equal(volume.hu, [EXPECTED] * 3)
    assert volume.spacing_mm == (SPACING, SPACING)
    assert volume.origin_mm == pytest.approx((-SPACING * (SIZE - 1) / 2,) * 2)
    assert (series.n_slices, series.thickness_mm, series.scanner_header.kvp) == (3, 5.0, 120.0)


def test_series_and_patients_are_told_apart_wherever_the_files_lie(tmp_path):
    write_series(tmp_path / "x", [0, 5], series="s1", patient="p1")
    write_series(tmp_path / "y", [10, 15], series="s1", patient="p1")
    write_series(tmp_path / "x" / "deep", [0], series="s2", patient="p1")
    write_series(tmp_path / "z", [0], series="s1", patient="p2")
    series, _ = find(tmp_path)
    assert sorted(s.n_slices for s in series) == [1, 1, 4]
    assert len({s.patient for s in series}) == 2
    assert len({s.name for s in series}) == 3


def test_without_identifiers_folders_are_series_of_patients_of_their_own(tmp_path):
    def anonymous(ds, _):
        ds.PatientID = ds.SeriesInstanceUID = ""

    write_series(tmp_path / "x", change=anonymous)
    write_series(tmp_path / "y", change=anonymous)
    series, _ = find(tmp_path)
    assert len({s.patient for s in series}) == len({s.name for s in series}) == 2
    assert all("no PatientID" in s.notes[0] for s in series)


def rle(path):
    ds = pydicom.dcmread(path)
    ds.compress(RLELossless)
    ds.save_as(path)


def transcode(syntax):
    def change(path):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        coder = gdcm.ImageChangeTransferSyntax()
        coder.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        coder.SetInput(reader.GetImage())
        assert coder.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(coder.GetOutput())
        assert writer.Write()

    return change


COMPRESSIONS = {
    "RLE": rle,
    "JPEG 2000": transcode(gdcm.TransferSyntax.JPEG2000Lossless),
    "JPEG lossless": transcode(gdcm.TransferSyntax.JPEGLosslessProcess14_1),
    "JPEG-LS": transcode(gdcm.TransferSyntax.JPEGLSLossless),
}


def unsigned(ds, _):
    ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 0, 12, 11
    ds.RescaleIntercept = "-1024"
    ds.PixelData = (body_image() + 1024).astype(np.uint16).tobytes()


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_pixels_are_decoded_exactly(tmp_path, name):
    for path in write_series(tmp_path, change=unsigned):
        COMPRESSIONS[name](path)
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    ((series,), _) = find(tmp_path)
    assert np.array_equal(series.load().hu, [EXPECTED] * 3)


# Twelve bits of values in a cell of sixteen: HighBit, and the bits that are of an overlay.
CELLS = {"above": (11, 0xF000), "one": (11, 0x8000), "below": (15, 0x000F), "both": (13, 0xC003)}


@pytest.mark.parametrize("name", ["native", *COMPRESSIONS])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("where", CELLS)
def test_bits_that_are_not_of_the_values_are_ignored(tmp_path, name, signed, where):
    high_bit, overlay = CELLS[where]
    hu = np.clip(body_image(), -1024, 1000)

    def cells(ds, _):
        intercept = 0 if signed else -1024
        ds.PixelRepresentation, ds.RescaleIntercept = int(signed), str(intercept)
        bits = ((hu - intercept).astype(np.uint16) & 0x0FFF) << (high_bit - 11)
        bits[10:30, 5:20] |= overlay
        ds.PixelData = bits.astype("<u2").tobytes()

    for path in write_series(tmp_path, change=cells):
        COMPRESSIONS.get(name, lambda path: None)(path)
        ds = pydicom.dcmread(path)
        ds.BitsStored, ds.HighBit = 12, high_bit
        ds.save_as(path)
    ((series,), _) = find(tmp_path)
    assert np.array_equal(series.load().hu, [hu] * 3)


def test_padding_outside_the_bits_stored_becomes_air(tmp_path):
    def pad(ds, _):
        unsigned(ds, _)
        pixels = np.frombuffer(ds.PixelData, np.uint16).copy().reshape(SIZE, SIZE)
        pixels[0] = 63536  # -2000 in sixteen bits
        ds.PixelData = pixels.tobytes()
        ds.add_new("PixelPaddingValue", "US", 63536)

    write_series(tmp_path, [0], pad)
    hu = find(tmp_path)[0][0].load().hu[0]
    assert np.all(hu[0] == -1024)
    assert np.array_equal(hu[1:], EXPECTED[1:])


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_truncated_compressed_files_are_not_half_decoded(tmp_path, name, share):
    first, *_ = write_series(tmp_path, change=unsigned)
    COMPRESSIONS[name](first)
    content = first.read_bytes()
    first.write_bytes(content[: int(share * len(content))])
    series, rejected = find(tmp_path)
    if series[0].n_slices == 3:
        volume = series[0].load()
        rejected, z = volume.rejected, volume.z_mm
        assert z.tolist() == [5, 10]
        assert np.array_equal(volume.hu, [EXPECTED] * 2)
    assert [item.path for item in rejected] == [first]
    assert "truncated" in rejected[0].reason


@pytest.mark.parametrize("size", [0, 100, 200, 700, 1500, 3000])
def test_truncated_files_are_refused_and_the_rest_is_used(tmp_path, size):
    first, *_ = write_series(tmp_path)
    first.write_bytes(first.read_bytes()[:size])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((series,), rejected) = find(tmp_path)
        volume = series.load()
    assert volume.z_mm.tolist() == [5, 10]
    assert [item.path for item in rejected + volume.rejected] == [first]


@pytest.fixture(scope="module")
def file_content(tmp_path_factory):
    (path,) = write_series(tmp_path_factory.mktemp("one"), [0])
    return path.read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"120 ", b"abc "),
        (b"1.2.777.1.1", f"{CANARY}-.1x".encode()),
        (b"8.0\\8.0", b"-.-\\8.0"),
    ],
)
def test_nonsense_in_a_header_is_never_repeated(tmp_path, file_content, recwarn, caplog, old, new):
    damaged = file_content.replace(old, new)
    assert damaged != file_content and len(damaged) == len(file_content)
    (tmp_path / "x.dcm").write_bytes(damaged)
    _, rejected = find(tmp_path)
    assert not recwarn.list and CANARY not in caplog.text
    assert CANARY not in "".join(item.reason for item in rejected)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(132, 1400), st.integers(0, 255), min_size=1, max_size=8))
def test_damaged_headers_never_stop_the_search(tmp_path, file_content, damage):
    content = bytearray(file_content)
    for position, value in damage.items():
        content[position] = value
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    series, rejected = find(tmp_path)
    assert len(series) + len(rejected) == 1
    for one in series:
        with contextlib.suppress(UnusableError):
            one.load()


@pytest.mark.parametrize("padding", [-2000, -2048, -3024])
def test_padding_becomes_air(tmp_path, padding):
    def pad(ds, _):
        pixels = body_image()
        pixels[0] = padding
        ds.PixelData = pixels.tobytes()

    write_series(tmp_path, [0], pad)
    hu = find(tmp_path)[0][0].load().hu[0]
    assert np.all(hu[0] == -1024)
    assert np.array_equal(hu[1:], EXPECTED[1:])


def test_unsigned_padding_far_above_tissue_becomes_air(tmp_path):
    def pad(ds, _):
        pixels = (body_image() + 1024).astype(np.uint16)
        pixels[0] = 63536
        ds.PixelData, ds.PixelRepresentation = pixels.tobytes(), 0
        ds.RescaleIntercept = "-1024"
        ds.add_new("PixelPaddingValue", "US", 63536)

    write_series(tmp_path, [0], pad)
    hu = find(tmp_path)[0][0].load().hu[0]
    assert np.all(hu[0] == -1024)
    assert np.array_equal(hu[1:], EXPECTED[1:])


def test_slope_and_intercept(tmp_path):
    def scale(ds, _):
        ds.RescaleSlope, ds.RescaleIntercept = "2", "-1000"
        ds.PixelData = np.where(body_image() > 0, 520, 0).astype(np.int16).tobytes()

    write_series(tmp_path, [0], scale)
    hu = np.where(body_image() > 0, 40, -1000)
    assert np.array_equal(find(tmp_path)[0][0].load().hu, [hu])


def test_prone_and_flipped_images_are_turned(tmp_path):
    def turn(ds, _):
        ds.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
        x, y, z = ds.ImagePositionPatient
        ds.ImagePositionPatient = [-x, -y, z]
        ds.PixelData = np.ascontiguousarray(body_image()[::-1, ::-1]).tobytes()

    write_series(tmp_path, change=turn)
    volume = find(tmp_path)[0][0].load()
    assert np.array_equal(volume.hu[0], EXPECTED)
    assert volume.origin_mm == pytest.approx((-SPACING * (SIZE - 1) / 2,) * 2)


def set_to(**values):
    def change(ds, _):
        for name, value in values.items():
            setattr(ds, name, value)

    return change


def only_second(change):
    return lambda ds, i: change(ds, i) if i == 1 else None


def without(name):
    return lambda ds, _: delattr(ds, name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_to(Modality="MR"), "not a CT image (Modality MR)"),
        (without("Modality"), "Modality missing"),
        (set_to(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localizer"),
        (without("Rows"), "holds no image"),
        (set_to(SamplesPerPixel=3), "colour picture"),
        (set_to(NumberOfFrames=9), "multi-frame"),
        (without("ImagePositionPatient"), "lacks ImagePositionPatient"),
        (without("RescaleIntercept"), "lacks RescaleIntercept"),
        (set_to(ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), "not axial"),
        (set_to(GantryDetectorTilt="20"), "tilted by 20.0°"),
        (only_second(set_to(PixelSpacing=[7, 7])), "mixed pixel spacing"),
        (only_second(set_to(ConvolutionKernel="B70f")), "mixed scanners, kernels"),
        (only_second(set_to(PatientID="other")), "several patients"),
        (set_to(ImagePositionPatient=[0, 0, 0]), "more than once"),
    ],
)
def test_unusable_images_are_refused_with_the_reason(tmp_path, change, reason):
    write_series(tmp_path, change=change)
    assert reason in only_reason(tmp_path)


def test_of_repeated_positions_one_is_named_with_its_files(tmp_path):
    for folder, z in (("art", [0, 5, 10]), ("ven", [5, 10])):
        write_series(tmp_path / "one" / folder, z)
    _, ((rejected),) = find(tmp_path)
    assert rejected.reason == (
        "2 slice positions occur more than once (several phases in one series?), as z = 5 mm in "
        "art/001.dcm and ven/000.dcm: split it"
    )


@pytest.mark.parametrize(
    ("z_mm", "thickness", "apart"),
    [
        ([-5, 5], "5", "10"),  # the middle one of three was lost
        ([0, 10, 20, 30], "5", "10"),  # gaps that were left on purpose
        ([0, 5, 10], "5", ""),
        ([0, 5.4, 10.8], "5", ""),
        ([0, 2.5, 5, 10], "5", ""),  # overlapping slices, and a gap that is told as one
        ([0, 5, 20, 25], "5", ""),
        ([0, 10], "0", ""),
        ([0], "5", ""),
    ],
)
def test_slices_further_apart_than_they_are_thick_are_told(tmp_path, z_mm, thickness, apart):
    write_series(tmp_path, z_mm, set_to(SliceThickness=thickness))
    ((series,), _) = find(tmp_path)
    expected = f"slices of 5 mm lie {apart} mm apart: some are missing, or the scanner left gaps"
    assert series.notes == ((expected,) if apart else ())


def test_rounded_positions_leave_no_gaps(tmp_path):
    z_mm = [round(2.6 * i) for i in range(20)]  # most steps are 3 mm
    write_series(tmp_path, z_mm, set_to(SliceThickness="2.6"))
    assert find(tmp_path)[0][0].notes == ()


def test_without_a_thickness_nothing_is_said_of_it(tmp_path):
    write_series(tmp_path, [0, 10], without("SliceThickness"))
    assert find(tmp_path)[0][0].notes == ()


@pytest.mark.parametrize(
    ("image_type", "words"),
    [
        (["DERIVED", "PRIMARY", "AXIAL", "CT_SOM7 SPI DUAL", "PROC"], "DUAL, PROC"),
        (["derived", "secondary", "bone removed"], "BONE, REMOVED"),
        (["DERIVED", "SECONDARY", *"ABCDEFGH"], "A, B, C, D, E, F …"),
        (["DERIVED", "SECONDARY", "x\x1b[2J\n" + 40 * "y"], f"X, [2J, {16 * 'Y'}"),
        (["DERIVED", "SECONDARY", "AXIAL"], ""),
        (["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"], ""),
        (["DERIVED", "PRIMARY", "AXIAL", "CT_SOM5 MPR"], ""),
        (["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI DUAL"], ""),
        ([], ""),
    ],
)
def test_derived_images_are_taken_and_told(tmp_path, image_type, words):
    with pydicom.config.disable_value_validation():
        write_series(tmp_path, change=set_to(ImageType=image_type))
    ((series,), rejected) = find(tmp_path)
    assert series.n_slices == 3 and rejected == []
    assert list(series.notes) == [
        f"derived images (ImageType {words}): leave them out if their values are not those of a "
        "plain CT"
    ] * bool(words)


def test_a_directory_of_a_disk_is_told_as_one(tmp_path):
    ds = ct_dataset(0)
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.SeriesNumber = "20200101", "120000", "1", 1
    ds.InstanceNumber = 1
    directory = FileSet()
    directory.add(save(ds, tmp_path / "000.dcm"))
    directory.write(tmp_path / "disk")
    _, (rejected,) = find(tmp_path / "disk")
    assert rejected.path.name == "DICOMDIR"
    assert rejected.reason == "a DICOMDIR, which is not needed: files are found without it"
    with pytest.raises(
        InputError, match=r"DICOMDIR is not needed: give the folder it is in, .*disk$"
    ):
        find_scans_in_source(rejected.path, [], SALT, False)


def test_copies_of_a_file_are_left_out(tmp_path):
    first, *_ = write_series(tmp_path)
    (tmp_path / "copy.dcm").write_bytes(first.read_bytes())
    ((series,), (copy,)) = find(tmp_path)
    assert series.n_slices == 3
    assert "copy" in copy.reason


def test_other_files_in_the_tree_do_no_harm(tmp_path):
    write_series(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    report = ct_dataset(0)
    report.Modality, report.SOPInstanceUID = "SR", generate_uid()
    save(report, tmp_path / "report.dcm")
    ((series,), rejected) = find(tmp_path)
    assert series.n_slices == 3
    assert {item.reason for item in rejected} == {
        "not a DICOM file", "not a CT image (Modality SR)",
    }  # fmt: skip


def test_one_identifier_for_several_images_is_told(tmp_path):
    def same(ds, _):
        ds.SOPInstanceUID = "1.2.777.1.1.1"

    write_series(tmp_path, change=same)
    assert only_reason(tmp_path) == "images at several positions have one SOPInstanceUID"
