"""DICOM folders with one hostile series beside a good one: the good one is always ingested."""

import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from cl_seg.scans.store import SliceStore
from tests.scans.conftest import CANARY, SIZE, body_image, write_series

from .command import GRID, CommandLine

Change = Callable[[pydicom.Dataset, int], None]
Build = Callable[[Path], object]
EXPECTED = np.clip(body_image(), -1024, 3071)


def series(change: Change, z_mm: Any = (0, 5, 10)) -> Build:
    """The hostile series, every dataset changed before it is written."""
    return lambda folder: write_series(folder, z_mm, change)


def having(**values: Any) -> Build:
    """The hostile series with some elements set."""

    def change(ds: pydicom.Dataset, _index: int) -> None:
        for name, value in values.items():
            setattr(ds, name, value)

    return series(change)


def typed(name: str, vr: str, value: Any) -> Build:
    """The hostile series with an element of a wrong value representation."""

    def change(ds: pydicom.Dataset, _index: int) -> None:
        if name in ds:
            del ds[name]
        with pydicom.config.disable_value_validation():
            ds.add_new(name, vr, value)

    def build(folder: Path) -> None:
        with pydicom.config.disable_value_validation():
            series(change)(folder)

    return build


def lacking(*names: str) -> Build:
    def change(ds: pydicom.Dataset, _index: int) -> None:
        for name in names:
            delattr(ds, name)

    return series(change)


def files(**content: bytes) -> Build:
    """Files that are no DICOM at all; ``_`` in a name stands for its dot."""

    def build(folder: Path) -> None:
        folder.mkdir()
        for name, data in content.items():
            (folder / name.replace("_", ".")).write_bytes(data)

    return build


def edited(edit: Callable[[bytes], bytes]) -> Build:
    """The hostile series, every file's bytes edited."""

    def build(folder: Path) -> None:
        for path in write_series(folder):
            path.write_bytes(edit(path.read_bytes()))

    return build


def raw(text: bytes) -> bytes:
    """A preamble, the magic word and what follows."""
    return bytes(128) + b"DICM" + text


def transcoded(syntax: UID, **options: Any) -> Build:
    """The hostile series with its data elements in another encoding."""

    def build(folder: Path) -> None:
        for path in write_series(folder):
            ds = pydicom.dcmread(path)
            if syntax == ExplicitVRBigEndian:
                pixels = np.frombuffer(ds.PixelData, "<i2").astype(">i2").tobytes()
                ds["PixelData"] = pydicom.DataElement("PixelData", "OW", pixels)
            ds.file_meta.TransferSyntaxUID = syntax
            fresh = pydicom.Dataset(ds)
            fresh.file_meta = ds.file_meta
            fresh.save_as(path, enforce_file_format=True, **options)

    return build


def compressed(syntax: UID, stream: bytes) -> Build:
    """The hostile series with one compressed frame of some bytes."""

    def build(folder: Path) -> None:
        for path in write_series(folder):
            ds = pydicom.dcmread(path)
            ds.PixelData = encapsulate([stream])
            ds["PixelData"].is_undefined_length = True
            ds.file_meta.TransferSyntaxUID = syntax
            ds.save_as(path)

    return build


def flipped_rle(folder: Path) -> None:
    for path in write_series(folder):
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless)
        frame = bytearray(ds.PixelData)
        frame[24:60] = b"\xff" * 36
        ds.PixelData = bytes(frame)
        ds.save_as(path)


def overlong(content: bytes) -> bytes:
    """PatientName says that it has more bytes than the file."""
    at = content.index(struct.pack("<HH2s", 0x0010, 0x0010, b"PN")) + 6
    return content[:at] + b"\xfe\xff" + content[at + 2 :]


def deflated(dataset: bytes) -> bytes:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2", "1.3"
    buffer = pydicom.filebase.DicomBytesIO()
    pydicom.filewriter.write_file_meta_info(buffer, meta)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return raw(buffer.getvalue() + packer.compress(dataset) + packer.flush())


def deflate_bomb(folder: Path) -> None:
    folder.mkdir()
    # A comment of 70 MB of nothing, in 70 kB.
    head = struct.pack("<HH2sHI", 0x0020, 0x4000, b"UT", 0, 70_000_000)
    (folder / "bomb.dcm").write_bytes(deflated(head + bytes(70_000_000)))


def _stripped(path: Path) -> None:
    path.write_bytes(path.read_bytes()[132:])


def nested(folder: Path) -> None:
    """Sequences in sequences, of undefined length, before the elements that are asked for."""
    folder.mkdir()
    (path,) = write_series(folder, [0])
    content = path.read_bytes()
    opening = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    at = content.index(struct.pack("<HH2s", 0x0010, 0x0010, b"PN"))
    path.write_bytes(content[:at] + opening * 5000 + content[at:])


def shared_series(ds: pydicom.Dataset, index: int) -> None:
    ds.PatientID = f"{CANARY}-{index}"


def sheared(ds: pydicom.Dataset, index: int) -> None:
    x, y, z = ds.ImagePositionPatient
    ds.ImagePositionPatient = [x, y + 2 * index, z]


def no_rescue(ds: pydicom.Dataset, _index: int) -> None:
    del ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing
    ds.SOPClassUID, ds.NumberOfFrames = EnhancedCTImageStorage, 3
    ds.PixelData = ds.PixelData * 3


def screen_save(ds: pydicom.Dataset, _index: int) -> None:
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = bytes(3 * SIZE * SIZE)


def structured_report(ds: pydicom.Dataset, _index: int) -> None:
    ds.Modality = "SR"
    del ds.PixelData, ds.Rows, ds.Columns


def once_more(ds: pydicom.Dataset, _index: int) -> None:
    ds.SOPInstanceUID = generate_uid()


def twice(folder: Path) -> None:
    write_series(folder / "one")
    write_series(folder / "two", change=once_more)


def oriented(*directions: float) -> Build:
    return having(ImageOrientationPatient=list(directions))


SENSIBLE = "position, orientation or pixel spacing is not a sensible number"
DAMAGED = "pixel data are truncated or damaged"
REJECTED: dict[str, tuple[Build, str]] = {
    "zero bytes": (files(empty_dcm=b""), "empty.dcm: not a DICOM file"),
    "a text": (files(notes_txt=b"hello"), "notes.txt: not a DICOM file"),
    "a picture": (files(a_png=b"\x89PNG\r\n\x1a\n" + bytes(200)), "a.png: not a DICOM file"),
    "numbers that begin like an element": (
        files(x_dcm=np.arange(8, 4000, dtype="<u4").tobytes()),
        "x.dcm: ",
    ),
    "noise that begins like one": (
        files(x_dcm=b"\x08\0\5\0\0\0\0\0" + np.random.default_rng(4).bytes(4000)),
        "x.dcm: ",
    ),
    "a bomb without preamble": (
        lambda folder: (deflate_bomb(folder), _stripped(folder / "bomb.dcm")),
        "bomb.dcm: deflated, and holds more than",
    ),
    "magic word alone": (files(x_dcm=raw(b"")), "x.dcm: not a CT image"),
    "noise after the magic word": (
        files(x_dcm=raw(np.random.default_rng(3).bytes(4000))),
        "x.dcm: (cannot be read|not a CT image)",
    ),
    "truncated in the header": (edited(lambda c: c[:700]), "hostile .3 files.: "),
    "truncated in the pixels": (edited(lambda c: c[:3000]), DAMAGED),
    "an element longer than the file": (edited(overlong), "holds no image"),
    "Rows as a word": (typed("Rows", "LO", "forty"), "header field cannot be read"),
    "Rows as bytes": (typed("Rows", "OB", b"\x00\x01\x02\x03"), "header field cannot be read"),
    "pixel spacing as words": (
        typed("PixelSpacing", "LO", ["wide", "high"]),
        "header field cannot be read",
    ),
    "modality as a sequence": (typed("Modality", "SQ", [pydicom.Dataset()]), "not a CT image"),
    "number of frames as a word": (
        typed("NumberOfFrames", "LO", "many"),
        "header field cannot be read",
    ),
    "a codec that is not installed": (
        compressed(HTJ2KLossless, bytes(64)),
        "compression .High-Throughput JPEG 2000.*cannot be decoded: decompress it first",
    ),
    "a codec nobody knows": (
        compressed(UID("1.2.826.0.1.3680043.2.1"), bytes(64)),
        "compression cannot be decoded",
    ),
    "a stream of two bytes": (compressed(JPEG2000Lossless, bytes(2)), DAMAGED),
    "a corrupt JPEG 2000 stream": (compressed(JPEG2000Lossless, b"\xff\x4f" * 40), DAMAGED),
    "a corrupt JPEG-LS stream": (compressed(JPEGLSLossless, b"\xff\xd8\xff" * 40), DAMAGED),
    "a corrupt RLE stream": (flipped_rle, DAMAGED),
    "an RLE header alone": (compressed(RLELossless, bytes(64)), DAMAGED),
    "enhanced multi-frame": (series(no_rescue), "enhanced multi-frame CT"),
    "dose report": (series(structured_report), "Modality SR"),
    "dose report as a picture": (series(screen_save), "a colour picture"),
    "localizer": (having(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "a localizer"),
    "localizer that says nothing": (oriented(0, 1, 0, 0, 0, -1), "not axial"),
    "positions twice": (
        twice,
        "3 slice positions occur more than once .*, as z = 0 mm in one/000.dcm and two/000.dcm",
    ),
    "tilted gantry": (having(GantryDetectorTilt="12.5"), "tilted by 12.5°"),
    "tilted planes": (oriented(1, 0, 0, 0, 0.9848, -0.1736), "tilted by 10.0°"),
    "turned planes": (oriented(0.9962, 0.0872, 0, -0.0872, 0.9962, 0), "turned by 5.0°"),
    "sheared stack": (series(sheared), "shifted by up to 4.0 mm"),
    "two patients in one series": (series(shared_series), "several patients inside one series"),
    "65535 rows and columns": (having(Rows=65535, Columns=65535), "65535 × 65535, larger than"),
    "no rows": (having(Rows=0), "holds no image"),
    "spacing NaN": (typed("PixelSpacing", "DS", ["nan", "nan"]), SENSIBLE),
    "spacing zero": (having(PixelSpacing=[0, 0]), SENSIBLE),
    "spacing negative": (having(PixelSpacing=[-1, 1]), SENSIBLE),
    "spacing of an atom": (having(PixelSpacing=["1e-9", "1e-9"]), r"1e-09 × 1e-09 mm apart"),
    "spacing of a house": (having(PixelSpacing=["1e4", "1e4"]), r"10000 × 10000 mm apart"),
    "one spacing": (typed("PixelSpacing", "DS", "1"), "is incomplete"),
    "positions NaN": (typed("ImagePositionPatient", "DS", ["nan"] * 3), SENSIBLE),
    "positions on the moon": (having(ImagePositionPatient=["4e11", "0", "0"]), "wrong header"),
    "directions zero": (oriented(0, 0, 0, 0, 0, 0), "not axial"),
    "slope NaN": (typed("RescaleSlope", "DS", "nan"), "RescaleSlope or RescaleIntercept"),
    "slope zero": (having(RescaleSlope="0"), "RescaleSlope or RescaleIntercept"),
    "intercept infinite": (
        typed("RescaleIntercept", "DS", "inf"),
        "RescaleSlope or RescaleIntercept",
    ),
    "no intercept": (lacking("RescaleIntercept"), "lacks RescaleIntercept"),
    "iodine": (
        having(ImageType=["DERIVED", "PRIMARY", "AXIAL", "IODINE"]),
        "its values are not HU: an iodine map",
    ),
    "intercept of stored values": (
        having(RescaleIntercept="1024"),
        "run from 24 to 1724: expected Hounsfield units .* adding -1024 makes them plausible",
    ),
    "intercept subtracted twice": (having(RescaleIntercept="-1024"), "expected Hounsfield units"),
    "one slice of stored values": (
        series(lambda ds, i: setattr(ds, "RescaleIntercept", "1024" if i == 1 else "0")),
        r"1 of its 3 slices lie \+1024 off those beside them",
    ),
    "iodine in mg/ml": (having(RescaleType="MGML"), "RescaleType says"),
    "no pixel data": (lacking("PixelData"), DAMAGED),
    "99 bits stored": (having(BitsStored=99), DAMAGED),
    "a bomb of 70 MB in 70 kB": (deflate_bomb, "bomb.dcm: deflated, and holds more than"),
    "deflated noise": (
        files(x_dcm=deflated(b"")[:-2] + b"\x07" * 50),
        "x.dcm: cannot be read: truncated or damaged",
    ),
    "sequences 5000 deep": (nested, "cannot be read: truncated or damaged"),
    "a name as modality": (having(Modality=CANARY), r"Modality missing or unknown\)"),
}


def other_manufacturer_text(ds: pydicom.Dataset, _index: int) -> None:
    ds.ManufacturerModelName = "Sensation\x1b[31m\n64\x07"


def nameless(ds: pydicom.Dataset, _index: int) -> None:
    ds.SeriesInstanceUID = ds.PatientID = ""


def in_a_latin_folder(folder: Path) -> None:
    place = os.fsencode(folder) + b"/M\xfcller"
    os.makedirs(place)  # noqa: PTH103 - a name that is not UTF-8
    write_series(Path(os.fsdecode(place)), change=nameless)
    Path(os.fsdecode(place), "notes.txt").write_text("hello")


def with_a_loop(folder: Path) -> None:
    write_series(folder / "a")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "self").symlink_to("self")


def beside(folder: Path) -> None:
    """Links to a patient on another disk, and two ways back to where the search began."""
    disk = folder.parent.parent / "disk"
    write_series(disk / "p1" / "ct")
    folder.mkdir()
    (folder / "p1").symlink_to(disk / "p1")
    (folder / "once more").symlink_to(disk)
    (disk / "back").symlink_to(folder.parent)
    (folder / "above").symlink_to("../..")
    (folder / "root").symlink_to("/")


def with_a_pipe(folder: Path) -> None:
    write_series(folder)
    os.mkfifo(folder / "pipe.dcm")


def with_a_copy(folder: Path) -> None:
    first, *_ = write_series(folder)
    (folder / "copy.dcm").write_bytes(first.read_bytes())


def two_patients(folder: Path) -> None:
    write_series(folder)
    for path in write_series(folder / "other", [20, 25], patient="p3", series="s3"):
        path.replace(folder / f"other-{path.name}")
    (folder / "other").rmdir()


def odd_identifiers(folder: Path) -> None:
    def change(ds: pydicom.Dataset, _index: int) -> None:
        ds.ProtocolName = ds.ImageComments = ds.DeviceSerialNumber = CANARY
        ds.SeriesInstanceUID = f"{CANARY}.1"
        ds.private_block(0x0009, CANARY, create=True).add_new(1, "LO", CANARY)

    with pydicom.config.disable_value_validation():
        write_series(folder, change=change)


def bare(syntax: UID, *, meta: bool, **options: Any) -> Build:
    """The hostile series without preamble and magic word, and without file meta information."""

    def build(folder: Path) -> None:
        transcoded(syntax, **options)(folder)
        for path in folder.iterdir():
            content = path.read_bytes()[132:]
            length = 12 + int.from_bytes(content[8:12], "little")
            path.write_bytes(content if meta else content[length:])

    return build


def no_syntax(folder: Path) -> None:
    for path in write_series(folder):
        content = path.read_bytes()
        length = 12 + int.from_bytes(content[140:144], "little")
        path.write_bytes(raw(content[132 + length :]))


# What is taken: number of slices, and what is said of it.
TAKEN: dict[str, tuple[Build, int, str]] = {
    "no preamble": (bare(ExplicitVRLittleEndian, meta=True), 3, ""),
    "no preamble, implicit": (bare(ImplicitVRLittleEndian, meta=True), 3, ""),
    "no preamble, deflated": (bare(DeflatedExplicitVRLittleEndian, meta=True), 3, ""),
    "no meta information": (bare(ExplicitVRLittleEndian, meta=False), 3, ""),
    "no meta information, implicit": (bare(ImplicitVRLittleEndian, meta=False), 3, ""),
    "no meta information, big-endian": (
        bare(ExplicitVRBigEndian, meta=False, little_endian=False),
        3,
        "",
    ),
    "no meta information after the magic word": (no_syntax, 3, ""),
    "big-endian": (transcoded(ExplicitVRBigEndian, little_endian=False), 3, ""),
    "implicit": (transcoded(ImplicitVRLittleEndian), 3, ""),
    "deflated": (transcoded(DeflatedExplicitVRLittleEndian), 3, ""),
    "a copy": (with_a_copy, 3, "a second copy of another file"),
    "missing slices": (
        series(lambda ds, i: None, [0, 5, 10, 25]),
        4,
        "gap of 15 mm between z = 10 and 25 mm, slices missing: about 2",
    ),
    "two patients": (two_patients, 5, ""),
    "control characters in a name": (series(other_manufacturer_text), 3, "Sensation"),
    "a folder name that is not UTF-8": (in_a_latin_folder, 3, r"M\\udcfcller.*not a DICOM file"),
    "a loop of links": (with_a_loop, 3, ""),
    "links to another disk": (beside, 3, ""),
    "a pipe": (with_a_pipe, 3, ""),
    "derived": (having(ImageType=["DERIVED", "PRIMARY", "AXIAL", "PROC"]), 3, "ImageType PROC"),
    "the middle one of three is lost": (series(lambda ds, i: None, [-5, 5]), 2, "5 mm lie 10 mm"),
    "identifiers in odd elements": (odd_identifiers, 3, ""),
    "a patient as a sequence": (typed("PatientID", "SQ", [pydicom.Dataset()]), 3, ""),
    "no rescale slope": (lacking("RescaleSlope"), 3, ""),
}


def good(folder: Path) -> None:
    write_series(folder / "in" / "good", patient="p9", series="s9")


@pytest.mark.parametrize("name", REJECTED)
def test_what_cannot_be_used_is_told_and_the_rest_is_ingested(
    name: str, cl_seg: CommandLine, tmp_path: Path
) -> None:
    build, says = REJECTED[name]
    good(tmp_path)
    build(tmp_path / "in" / "hostile")
    said = cl_seg.takes("ingest", "in", "out.store", *GRID)
    lines = [line for line in said.splitlines() if line.startswith("rejected in/hostile")]
    assert lines and all(re.search(says, line) for line in lines), said
    assert CANARY not in said
    store = SliceStore(tmp_path / "out.store")
    (scanner,) = store.scanners
    assert np.array_equal(store.hu(scanner), [EXPECTED] * 3)


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_odd_but_right_is_taken(name: str, cl_seg: CommandLine, tmp_path: Path) -> None:
    build, slices, says = TAKEN[name]
    good(tmp_path)
    build(tmp_path / "in" / "hostile")
    said = cl_seg.takes("ingest", "in", "out.store", *GRID)
    assert re.search(says, said) and CANARY not in said
    assert all(line.isprintable() for line in said.splitlines())
    store = SliceStore(tmp_path / "out.store")
    found = np.concatenate([store.hu(scanner) for scanner in store.scanners])
    assert np.array_equal(found, [EXPECTED] * (slices + 3))
    assert store.slices["patient"].nunique() == (3 if name == "two patients" else 2)


def test_a_single_further_reason_is_one(cl_seg: CommandLine, tmp_path: Path) -> None:
    for name in ("tilted gantry", "no rows", "no intercept"):
        REJECTED[name][0](tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("hello")
    cl_seg.refuses("and 1 more reason; first in/", "ingest", "in", "s")


def test_nothing_but_hostile_files_is_one_line(cl_seg: CommandLine, tmp_path: Path) -> None:
    for number, (build, _) in enumerate(REJECTED.values()):
        if build is not deflate_bomb:
            (tmp_path / "in").mkdir(exist_ok=True)
            build(tmp_path / "in" / str(number))
    cl_seg.refuses(r"in holds no usable CT series .*more reasons; first in/", "ingest", "in", "s")


def test_what_makes_a_scanner_is_said_on_the_command_line(
    cl_seg: CommandLine, tmp_path: Path
) -> None:
    good(tmp_path)
    words = ("ingest", "in", "s", *GRID, "--scanner-by")
    wrong = r"`scanner_by` \(--scanner-by\): serial is none of manufacturer, model"
    cl_seg.refuses(wrong, *words, "serial")
    assert "Siemens Sensation 64 ·" not in cl_seg.takes(*words, "manufacturer,model")
    assert SliceStore(tmp_path / "s").scanners == ["siemens-sensation-64"]


def test_an_unknown_maker_with_control_characters(cl_seg: CommandLine, tmp_path: Path) -> None:
    having(Manufacturer="AC\x1b]0;owned\x07ME\r\nrejected: all")(tmp_path / "in")
    cl_seg.refuses(r"Manufacturer 'AC \]0;owned ME rejected: all'.*--aliases", "ingest", "in", "s")
