"""Manifests with one hostile NIfTI image or label file beside a good scan."""

import gzip
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from cl_seg.scans.store import SliceStore
from tests.scans.conftest import SIZE, SPACING, volume, write_nifti

from .command import GRID, CommandLine

Build = Callable[[Path], object]
EXPECTED = np.clip(volume(), -1024, 3071)
TRUTH = (volume() == 110).astype(np.uint8) * 2
HEADER_BYTES = 348


def image(values: np.ndarray, affine: Any = None) -> Build:
    """A file of (N, H, W) LPS values, with the affine of a good one or another."""

    def build(path: Path) -> None:
        write_nifti(path, values)
        if affine is not None:
            stored = np.asarray(nibabel.load(path).dataobj)
            nibabel.save(nibabel.Nifti1Image(stored, affine), path)

    return build


def as_stored(values: np.ndarray) -> Build:
    """A file of an array of whatever form."""
    return lambda path: nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)


def header(*changes: tuple[int, str, Any], data: bytes | None = None) -> Build:
    """A good file with some bytes of its header replaced: offset, format, value."""

    def build(path: Path) -> None:
        write_nifti(path, volume())
        content = bytearray(gzip.decompress(path.read_bytes()))
        for offset, form, value in changes:
            values = value if isinstance(value, tuple) else (value,)
            struct.pack_into("<" + form, content, offset, *values)
        if data is not None:
            content[HEADER_BYTES:] = data
        path.write_bytes(gzip.compress(content, 1))

    return build


def raw(content: bytes) -> Build:
    return lambda path: path.write_bytes(content)


def edited(edit: Callable[[bytes], bytes]) -> Build:
    def build(path: Path) -> None:
        write_nifti(path, np.random.default_rng(0).integers(-1000, 999, (3, SIZE, SIZE), np.int16))
        path.write_bytes(edit(path.read_bytes()))

    return build


def with_value(values: np.ndarray, value: float) -> np.ndarray:
    changed = values.astype(np.float32)
    changed[1, 5, 5] = value
    return changed


def bomb(path: Path) -> None:
    """A header that asks for 2 GB, and a stream of zeros that would give them."""
    shape = (3, 8, 8192, 8192, 1, 1, 1, 1)
    header((40, "8h", shape), data=bytes(20_000_000))(path)


def turned(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    affine = np.diag([-SPACING, -SPACING, 5.0, 1.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    affine[:2, :2] = turn @ affine[:2, :2]
    return affine


DIM, DATATYPE, PIXDIM, OFFSET, SLOPE, UNITS, QFORM, SROW, MAGIC = (
    *(40, 70, 76, 108, 112, 123, 252, 280, 344),
)
UNREADABLE = "cannot be read: not a NIfTI file, or a damaged one"
VOXELS = "its voxels cannot be read: truncated or damaged file"
REJECTED: dict[str, tuple[Build, str]] = {
    "zero bytes": (raw(b""), UNREADABLE),
    "a text": (raw(b"hello"), UNREADABLE),
    "a text in gzip": (raw(gzip.compress(b"hello" * 100)), UNREADABLE),
    "noise": (raw(np.random.default_rng(1).bytes(5000)), UNREADABLE),
    "a header alone": (header(data=b""), VOXELS),
    "half a stream": (edited(lambda c: c[: len(c) // 2]), "cannot be read"),
    "a stream without its end": (edited(lambda c: c[:-6]), "cannot be read"),
    "a wrong checksum": (edited(lambda c: c[:-8] + bytes(8)), "cannot be read"),
    "NaN": (image(with_value(volume(), np.nan)), "holds NaN or infinite values"),
    "infinite": (image(with_value(volume(), -np.inf)), "holds NaN or infinite values"),
    "raw values": (image(volume() + 1024), "run from 24 to 1724: expected Hounsfield units"),
    "4-D": (as_stored(np.zeros((4, 4, 2, 2), np.int16)), "is 4-D"),
    "2-D": (as_stored(np.zeros((4, 4), np.int16)), "is 2-D"),
    "colours": (
        as_stored(np.zeros((4, 4, 2), [(c, "u1") for c in "RGB"])),
        "its voxels are of the type .*: expected numbers",
    ),
    "complex": (as_stored(np.zeros((4, 4, 2), np.complex64)), "of the type complex64"),
    "no rows": (header((DIM, "8h", (3, 40, 0, 3, 1, 1, 1, 1))), "is 3-D .*expected one 3-D volume"),
    "negative rows": (header((DIM, "8h", (3, 40, -40, 3, 1, 1, 1, 1))), ""),
    "no dimensions": (header((DIM, "8h", (0, 40, 40, 3, 1, 1, 1, 1))), ""),
    "a type nobody knows": (header((DATATYPE, "h", 9999)), UNREADABLE),
    "32767 voxels a side": (
        header((DIM, "8h", (3, 32767, 32767, 32767, 1, 1, 1, 1))),
        "32767 × 32767 × 32767, larger than any CT",
    ),
    "a bomb": (bomb, "8192 × 8192 × 8, larger than any CT"),
    "voxels beyond the file": (header((OFFSET, "f", 1e9)), "cannot be read"),
    "voxels at infinity": (header((OFFSET, "f", np.inf)), UNREADABLE),
    "voxels nowhere": (header((OFFSET, "f", np.nan)), UNREADABLE),
    "infinite intercept": (header((SLOPE, "2f", (2.0, np.inf))), "cannot be read"),
    "affine of zeros": (header((SROW, "12f", (0.0,) * 12)), "affine is not a geometry"),
    "affine NaN": (header((SROW, "12f", (np.nan,) * 12)), "affine is not a geometry"),
    "oblique": (image(volume(), turned(12)), "tilted by 12.0°"),
    "no orientation": (header((QFORM, "2h", (0, 0))), "sform_code and qform_code are 0"),
    "voxels of a cell": (
        image(volume(), np.diag([-5e-3, -5e-3, 1, 1])),
        "voxels 0.005 × 0.005 × 1 mm apart",
    ),
    "voxels of a house": (image(volume(), np.diag([-1e4, -1e4, 1e4, 1])), "mm apart"),
    "far away": (image(volume(), turned(0) + np.eye(4, k=3) * 1e7), "wrong header"),
    "a bomb after the voxels": (
        edited(lambda _: gzip.compress(good_bytes() + bytes(20_000_000), 1)),
        "holds more bytes than its header says",
    ),
    "wrong magic word": (header((MAGIC, "4s", b"zip\0")), UNREADABLE),
}
METRES = np.diag([-SPACING / 1e3, -SPACING / 1e3, 5e-3, 1.0])
METRES[:2, 3] = SPACING * (SIZE - 1) / 2e3


def in_metres(path: Path) -> None:
    image(volume(), METRES)(path)
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[UNITS] = 1
    path.write_bytes(gzip.compress(content))


def nifti_2(path: Path) -> None:
    write_nifti(path, volume())
    one = nibabel.load(path)
    nibabel.save(nibabel.Nifti2Image(np.asarray(one.dataobj), one.affine), path)


def big_endian(path: Path) -> None:
    write_nifti(path, volume())
    one = nibabel.load(path)
    other = nibabel.Nifti1Image(np.asarray(one.dataobj), one.affine, one.header.as_byteswapped(">"))
    nibabel.save(other, path)


TAKEN: dict[str, Build] = {
    "slope NaN means none": header((SLOPE, "2f", (np.nan, 0.0))),
    "slope zero means none": header((SLOPE, "2f", (0.0, 7.0))),
    "in metres": in_metres,
    "NIfTI-2": nifti_2,
    "big-endian": big_endian,
    "some bytes after the voxels": edited(lambda _: gzip.compress(good_bytes() + bytes(500), 1)),
}


def good_bytes() -> bytes:
    affine = np.diag([-SPACING, -SPACING, 5.0, 1.0])
    affine[:2, 3] = SPACING * (SIZE - 1) / 2
    stored = nibabel.Nifti1Image(np.ascontiguousarray(volume().transpose(2, 1, 0)), affine)
    return bytes(stored.to_bytes())


def manifest(folder: Path, *lines: str) -> None:
    write_nifti(folder / "good.nii.gz", volume())
    rows = ["image,labels,patient,scanner", "good.nii.gz,,p9,Ward CT", *lines]
    (folder / "scans.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("name", REJECTED)
def test_an_image_that_cannot_be_used_is_told_and_the_rest_is_ingested(
    name: str, cl_seg: CommandLine, tmp_path: Path
) -> None:
    build, says = REJECTED[name]
    manifest(tmp_path, "hostile.nii.gz,,p1,Ward CT")
    build(tmp_path / "hostile.nii.gz")
    said = cl_seg.takes("ingest", "scans.csv", "out.store", *GRID)
    assert re.search(f"rejected hostile.nii.gz: .*{says}", said), said
    assert np.array_equal(SliceStore(tmp_path / "out.store").hu("ward-ct"), EXPECTED)


@pytest.mark.parametrize("name", TAKEN)
def test_an_odd_image_is_read_as_it_is_meant(
    name: str, cl_seg: CommandLine, tmp_path: Path
) -> None:
    manifest(tmp_path, "hostile.nii.gz,,p1,Ward CT")
    TAKEN[name](tmp_path / "hostile.nii.gz")
    said = cl_seg.takes("ingest", "scans.csv", "out.store", *GRID)
    assert "rejected" not in said, said
    found = SliceStore(tmp_path / "out.store").hu("ward-ct")
    assert np.array_equal(found, [*EXPECTED, *EXPECTED])


LABELS: dict[str, tuple[Build, str]] = {
    "halves": (image(TRUTH * np.float32(0.5) + np.float32(0.25)), "must be whole numbers"),
    "NaN": (image(with_value(TRUTH, np.nan)), "must be whole numbers"),
    "negative": (
        image(-TRUTH.astype(np.int16)),
        r"holds the values -2 \(.*, expected 0 b",
    ),
    "unknown": (image(TRUTH * 30), r"holds the values 60 .*, expected .*--label"),
    "many unknown": (
        image(np.arange(3 * SIZE * SIZE, dtype=np.int32).reshape(3, SIZE, SIZE)),
        r"values 3 .*, 10 \(.* on 1 slice\) and 4788 more, expected .*=3-254,256-4799 \(or --",
    ),
    "beyond any label": (image(with_value(TRUTH, 2.0**40)), "whole numbers up to 16777216"),
    "scaled": (header((SLOPE, "2f", (0.5, 0.25))), "must be whole numbers"),
    "another size": (image(TRUTH[:, 1:]), "on another grid than its image"),
    "fewer slices": (image(TRUTH[:2]), "on another grid than its image"),
    "moved": (image(TRUTH, turned(0)), "on another grid than its image"),
    "turned": (image(TRUTH, turned(30)), "tilted by 30.0°"),
    "4-D": (as_stored(np.zeros((SIZE, SIZE, 3, 1), np.uint8)), "is 4-D"),
    "truncated": (edited(lambda c: c[: len(c) // 2]), "cannot be read"),
    "a text": (raw(b"hello"), UNREADABLE),
    "no orientation": (header((QFORM, "2h", (0, 0))), "sform_code and qform_code are 0"),
    "a bomb": (bomb, "larger than any CT"),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_that_cannot_be_used_stop_the_ingest(
    name: str, cl_seg: CommandLine, tmp_path: Path
) -> None:
    build, says = LABELS[name]
    manifest(tmp_path, "ct.nii.gz,hostile.nii.gz,p1,Ward CT")
    write_nifti(tmp_path / "ct.nii.gz", volume())
    build(tmp_path / "hostile.nii.gz")
    says = f"scans.csv:3: label file hostile.nii.gz.*{says}"
    cl_seg.refuses(says, "ingest", "scans.csv", "out.store", *GRID)


@pytest.mark.parametrize("codes", ["RAS", "RPI", "LPS", "ASL"])
def test_labels_stored_the_other_way_round_are_turned(
    codes: str, cl_seg: CommandLine, tmp_path: Path
) -> None:
    manifest(tmp_path, "ct.nii.gz,labels.nii.gz,p1,Other CT")
    write_nifti(tmp_path / "ct.nii.gz", volume(), "LAS")
    write_nifti(tmp_path / "labels.nii.gz", TRUTH, codes)
    cl_seg.takes("ingest", "scans.csv", "out.store", *GRID)
    assert np.array_equal(SliceStore(tmp_path / "out.store").labels("other-ct"), TRUTH)


def test_a_pipe_is_no_image(cl_seg: CommandLine, tmp_path: Path) -> None:
    manifest(tmp_path, "pipe.nii.gz,,p1,Ward CT")
    os.mkfifo(tmp_path / "pipe.nii.gz")
    cl_seg.refuses(r":3: image: pipe.nii.gz is neither", "ingest", "scans.csv", "out.store")
