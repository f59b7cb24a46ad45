"""Nothing that identifies a patient is kept or said, whatever file it might have ended up in.

Every attribute of the Basic Application Level Confidentiality Profile (DICOM PS3.15, Annex E,
Table E.1-1) is given a value of its own in a small labelled series, down to private elements and
names of files and folders; the series goes through the commands a study takes, and every byte they
leave is searched for those values.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from cl_seg.scans.store import SliceStore
from tests.scans.conftest import ct_dataset, save, volume, write_nifti

from .command import GRID, CommandLine

KEYWORDS = (Path(__file__).parent / "identifying_attributes.txt").read_text().split()
NAME = "CANARY7"
DAY, CLOCK, AGE, NUMBER, UID = "19770707", "070707.777", "077Y", 777.125, "1.2.77777"
REPEATED = {0x50003000: "OB", 0x60003000: "OB", 0x60004000: "LT"}
"""Curve data, overlay data and overlay comments, which the dictionary has by pattern."""
COMMAND_GROUP, META_GROUP = 0x0000, 0x0002  # never in a data set
TEXT = {"LO", "SH", "PN", "ST", "LT", "UT", "UC", "AE", "UR", "CS"}
NEEDLES = (NAME, DAY, CLOCK, UID, str(NUMBER), "77707770")
PATIENTS = 4
LIVER = (volume() == 110).astype(np.uint8)


def canary(vr: str, number: int) -> Any:
    """A value of a kind that is found nowhere else, told apart by number where there is room."""
    if vr in TEXT:
        return f"{NAME}-{number:04d}"
    if vr == "SQ":
        item = pydicom.Dataset()
        item.PatientName, item.CodeMeaning = f"{NAME}^{number}", f"{NAME} item {number}"
        return [item]
    values = {
        **{"DA": DAY, "TM": CLOCK, "DT": DAY + CLOCK, "AS": AGE, "UI": f"{UID}.{number}"},
        **{"DS": str(NUMBER), "IS": "77707770", "FD": NUMBER, "FL": NUMBER},
    }
    return values.get(vr, f"{NAME}{number:05d}".encode())


def mark(ds: pydicom.Dataset) -> dict[str, Any]:
    """Give every attribute of the list a canary; returns what was written."""
    written = {}
    for number, keyword in enumerate(KEYWORDS):
        tag = tag_for_keyword(keyword)
        assert tag is not None, keyword
        if tag >> 16 in {COMMAND_GROUP, META_GROUP}:
            continue
        vr = dictionary_VR(tag).split(" or ")[0]
        value = {"US": 7770, "SS": 7770, "UL": 77707770, "AT": 0x00100010}.get(vr)
        ds.add_new(tag, vr, canary(vr, number) if value is None else value)
        written[keyword] = ds[tag].value
    for tag, vr in REPEATED.items():
        ds.add_new(tag, vr, canary(vr, 0))
    block = ds.private_block(0x0009, f"{NAME} PRIVATE", create=True)
    for at, vr in enumerate(("LO", "UN", "PN", "OB", "SQ", "DA"), start=1):
        block.add_new(at, vr, canary(vr, at))
    return written


def write_patients(folder: Path) -> None:
    """Patients of two scanners with liver labels, a manifest, and canaries all over."""
    rows = ["image,labels,patient,scanner"]
    for number in range(2 * PATIENTS):
        ward = f"{NAME}^Jane {number}"
        for z in range(3):
            ds = ct_dataset(5.0 * z)
            with pydicom.config.disable_value_validation():
                mark(ds)
                ds.PatientID = f"{NAME}-{number}"
                ds.SeriesInstanceUID = f"{UID}.1.{number}"
                ds.SOPInstanceUID = f"{UID}.2.{number}.{z}"
                if number % 2:
                    ds.Manufacturer, ds.ManufacturerModelName = "Philips", "Brilliance"
                save(ds, folder / "scans" / ward / f"{NAME}-{DAY}-{z}.dcm")
        labels = f"labels/{NAME} {number}.nii.gz"
        write_nifti(folder / labels, LIVER)
        patient = f"{NAME} no {number}" if number % 3 else ""
        rows.append(f"scans/{ward},{labels},{patient},")
    (folder / f"{NAME}.csv").write_text("\n".join(rows) + "\n")


SUITE = """kind: stream
name: tiny
data: {store: my.store}
classes: [liver]
image: {size: 40}
split: {test: 0.3, validation: 0.2}
models: [{name: "tests.suite.tiny_network:build", learning_rate: 0.05}]
strategies: [naive, {name: replay, settings: {budget: 2}}]
training: {steps: 4, batch_size: 2, curve_every: 2, device: cpu}
"""


def test_every_attribute_of_the_list_has_a_value_that_is_searched_for() -> None:
    ds = pydicom.Dataset()
    with pydicom.config.disable_value_validation():
        written = mark(ds)
    assert len(written) > 600, "attributes of Table E.1-1 that a data set can hold"
    unmarked = [k for k, value in written.items() if not is_marked(value)]
    assert unmarked == [], "every one of them has a value that is searched for"


def is_marked(value: Any) -> bool:
    if isinstance(value, pydicom.Sequence):
        return NAME in str(value[0].PatientName)
    text = value.decode() if isinstance(value, bytes) else str(value)
    return any(needle in text for needle in (*NEEDLES, AGE, "7770"))


def pieces(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """A file's content, and what is packed in it: archives, compressed streams, tables, images."""
    yield content
    if depth > 3:
        return
    if content[:2] == b"\x1f\x8b":
        yield from pieces(gzip.decompress(content), depth + 1)
    elif content[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(content))
        yield table.to_pandas().to_csv().encode()
        yield str(table.schema.metadata).encode()
    elif zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            for name in members.namelist():
                yield name.encode()
                yield from pieces(members.read(name), depth + 1)
    elif content[:8] == b"\x89PNG\r\n\x1a\n":
        yield from chunks(content)


def chunks(png: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(png):
        (length,), kind = struct.unpack_from(">I", png, at), png[at + 4 : at + 8]
        data = png[at + 8 : at + 8 + length]
        yield data
        if kind in {b"zTXt", b"iTXt"}:
            yield zlib.decompress(data[data.index(0) + 2 :])
        at += length + 12


def found_in(content: bytes) -> list[str]:
    """Which of the needles are in some bytes, in any encoding of text, in any case of letters."""
    spellings = {
        needle: [
            needle.lower().encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le")
        ]
        for needle in NEEDLES
    }
    return [
        needle
        for needle, spelled in spellings.items()
        if any(one in piece.lower() for piece in pieces(content) for one in spelled)
    ]


def leaks(folder: Path) -> dict[str, list[str]]:
    """Files below a folder that hold a needle, or are named by one."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        needles = [*found_in(name.encode()), *found_in(content)]
        if needles:
            found[name] = needles
    return found


def test_the_search_sees_into_what_is_packed(tmp_path: Path) -> None:
    text = f"a {NAME} b"
    (tmp_path / "plain.txt").write_text(text)
    (tmp_path / "wide.bin").write_bytes(b"\0" + text.encode("utf-16-le"))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(text.encode()))
    pd.DataFrame({"x": [text] * 50}).to_parquet(tmp_path / "table.parquet", compression="zstd")
    pd.DataFrame({text: [1]}).to_parquet(tmp_path / "column.parquet")
    np.savez_compressed(tmp_path / "arrays.npz", x=np.frombuffer(text.encode() * 9, np.uint8))
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as members:
        members.writestr(f"{DAY}.txt", gzip.compress(text.encode()))
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    image.header["descrip"] = NAME
    nibabel.save(image, tmp_path / "image.nii.gz")
    (tmp_path / f"{NAME}.txt").write_text("")
    (tmp_path / "clean.txt").write_text("nothing")
    assert set(leaks(tmp_path)) == {p.name for p in tmp_path.iterdir()} - {"clean.txt"}


@pytest.mark.slow
def test_no_identifying_value_is_kept_or_said(
    cl_seg: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, place = tmp_path / "source", tmp_path / "study"
    write_patients(source)
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("WANDB_MODE", "offline")
    (place / "suite.yaml").write_text(SUITE)
    assert len(leaks(source)) > 6 * PATIENTS, "what is searched for is there"
    said = []

    def command(*arguments: object) -> None:
        outcome = cl_seg(*arguments)
        assert outcome.code == 0, outcome.err
        said.append(outcome.out + outcome.err)

    command("ingest", source / f"{NAME}.csv", "my.store", "--label", "liver=1", *GRID)
    command("ingest", source / "scans", "unlabelled.store", "--label", "liver=1", *GRID)
    store = SliceStore(place / "my.store")
    assert store.slices["patient"].nunique() == 2 * PATIENTS and len(store.scanners) == 2
    command("plan", "suite.yaml")
    command("run", "suite.yaml", "--workers", 2)
    command("report", "results/tiny", "--also", "png", "--also", "pdf")
    command("status", "suite.yaml")
    command("cache", "ls")
    (run, *_) = sorted((place / "results" / "tiny" / "runs").iterdir())
    command("model", "save", run, "model")
    command("model", "show", "model")
    trusted = ("--network", "tests.suite.tiny_network:build")
    command("model", "export", "model", "bundle", *trusted)
    command("predict", "model", source / "scans", "--measure", "--variants", 1, *trusted)
    scanner = store.scanners[0]
    chosen = ("--scanner", scanner, "--n", 3)
    command("seed", "select", "unlabelled.store", "queue", *chosen)
    command("seed", "propose", "unlabelled.store", "model", "rest", "--scanner", scanner, *trusted)
    for name in ("data/stages", "results/tiny/wandb", "predictions", "queue/images", "bundle"):
        assert any((place / name).iterdir()), name
    assert found_in("\n".join(said).encode()) == []
    assert leaks(place) == {}
