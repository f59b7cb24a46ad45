"""CSV from strangers and spreadsheets: manifests, and queues that come back."""

import csv
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from cl_seg.scans.store import SliceStore
from tests.conftest import write_store
from tests.scans.conftest import CANARY, volume, write_nifti, write_series

from .command import GRID, CommandLine

HEADER = "image,labels,patient,scanner\n"
GOOD = "ct.nii.gz,,p1,Ward CT\n"
MANIFESTS: dict[str, tuple[bytes, str]] = {
    "UTF-16": ((HEADER + GOOD).encode("utf-16"), "cannot be read as a CSV file in UTF-8"),
    "Latin-1": ((HEADER + "M\xfcller,,p,X\n").encode("latin-1"), "as a CSV file in UTF-8"),
    "nothing": (b"", "lacks the columns image"),
    "a header alone": (HEADER.encode(), "lists no images"),
    "binary": (bytes(range(256)) * 8, "scans.csv"),
    "a column twice": (b"image,image,labels,patient,scanner\n", "has the column image twice"),
    "semicolons": ((HEADER + GOOD).replace(",", ";").encode(), "separated by commas"),
    "a quote that never ends": ((HEADER + 'ct.nii.gz,,"p1,X\n').encode(), "scans.csv"),
    "an entry too many": (
        (HEADER + "ct.nii.gz,,p1,X,Y\n").encode(),
        ":2: . entries, expected one",
    ),
    "an entry too few": (
        (HEADER + "ct.nii.gz,,p1\n").encode(),
        ":2: . entries, expected one",
    ),
    "an endless entry": (
        (HEADER + "x" * 200_000 + ",,p1,X\n").encode(),
        "cannot be read as a CSV file",
    ),
    "a name longer than any": (
        (HEADER + "x" * 5000 + ",,p1,X\n").encode(),
        ":2: image: File name too long: x+…",
    ),
    "NUL in a name": ((HEADER + "ct\0.nii.gz,,p1,X\n").encode(), r":2: image: .*not exist"),
    "a password file": (
        (HEADER + "../" * 20 + "etc/passwd,,p1,X\n").encode(),
        ":2: image: .*etc/passwd is neither a NIfTI file",
    ),
    "a loop of links": ((HEADER + "loop.nii.gz,,p1,X\n").encode(), "loop.nii.gz does not exist"),
    "one image by two names": (
        (HEADER + GOOD + "link.nii.gz,,p2,X\n").encode(),
        ":3: link.nii.gz is listed already: .*:2",
    ),
    "labels of two series": (
        (HEADER + "dicom,ct.nii.gz,,\n").encode(),
        ":2: dicom holds 2 CT series",
    ),
    "labels that are a folder": ((HEADER + "dicom,dicom,,\n").encode(), "labels: dicom is not a"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_nifti(tmp_path / "ct.nii.gz", volume())
    (tmp_path / "loop.nii.gz").symlink_to("loop.nii.gz")
    (tmp_path / "link.nii.gz").symlink_to("ct.nii.gz")
    write_series(tmp_path / "dicom" / "one")
    write_series(tmp_path / "dicom" / "two", series="s2")
    return tmp_path


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_is_wrong(name: str, cl_seg: CommandLine, place: Path) -> None:
    content, says = MANIFESTS[name]
    (place / "scans.csv").write_bytes(content)
    line = cl_seg.refuses(says, "ingest", "scans.csv", "out.store", *GRID)
    assert "scans.csv" in line


def test_a_folder_named_like_a_manifest(cl_seg: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "scans.csv").mkdir()
    cl_seg.refuses("scans.csv cannot be read as a CSV", "ingest", "scans.csv", "out.store")


def test_every_row_that_is_wrong_has_its_line(cl_seg: CommandLine, place: Path) -> None:
    lines = "gone,,p1,X\n" + GOOD + "ct.nii.gz,gone,p1,X\n" + ",,,\n"
    (place / "scans.csv").write_text(HEADER + lines)
    said = cl_seg("ingest", "scans.csv", "out.store", *GRID)
    assert said.code == 2 and not (place / "out.store").exists()
    first, second = said.complaints
    assert "scans.csv:2: image: gone does not exist" in first
    assert "scans.csv:4: labels: gone does not exist" in second


def test_one_person_by_two_names_is_told_without_them(cl_seg: CommandLine, place: Path) -> None:
    rows = "dicom/one,,Jane Roe,\n" + "dicom/two,,Roe Jane,\n"
    (place / "scans.csv").write_text(HEADER + rows)
    said = cl_seg.takes("ingest", "scans.csv", "out.store", *GRID)
    assert "note: lines 2 and 3 of the manifest name 2 patients, their headers say one" in said
    assert "Roe" not in said and CANARY not in said


@pytest.mark.parametrize(
    ("scanner", "folder", "shown"),
    [
        ("../../etc/cron.d", "etc-cron-d", "../../etc/cron.d"),
        ("/", "scanner-", "/"),
        ("[red]CT[/red]", "red-ct-red", "[red]CT[/red]"),
        ("=1+1", "1-plus-1", "=1+1"),
        ("CT\x1b[2J\x07", "ct-2j", "CT [2J"),
        ("CT\u202egro", "ct-gro", "CT gro"),
        ("東京 CT", "ct", "東京 CT"),
    ],
)
def test_whatever_a_scanner_is_called_its_folder_stays_in_the_store(
    scanner: str, folder: str, shown: str, cl_seg: CommandLine, place: Path
) -> None:
    with (place / "scans.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER.strip().split(","), ["ct.nii.gz", "", "p1", scanner]])
    said = cl_seg.takes("ingest", "scans.csv", "out.store", *GRID)
    assert shown in said and all(line.isprintable() for line in said.splitlines())
    (found,) = SliceStore(place / "out.store").scanners
    assert found.startswith(folder) and (place / "out.store" / found / "hu.npy").is_file()
    assert sorted(p.name for p in place.iterdir() if p.name not in {"dicom", "scans.csv"}) == [
        "ct.nii.gz", "link.nii.gz", "loop.nii.gz", "out.store",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "option", ["liver=" + "9" * 5000, "liver=5,5", "a/b=1", "liver=1e3", "li\0ver=1", "=", ""]
)
def test_labels_that_mean_nothing(option: str, cl_seg: CommandLine, place: Path) -> None:
    cl_seg.refuses("--label", "ingest", "dicom", "out.store", "--label", option)


# A queue that comes back from somebody's spreadsheet and viewer.


@pytest.fixture
def queue(cl_seg: CommandLine, tmp_path: Path) -> Path:
    write_store(tmp_path / "my.store")
    store = SliceStore(tmp_path / "my.store")
    table = store.slices.assign(labelled="")
    table.to_parquet(tmp_path / "my.store" / "slices.parquet", index=False)
    cl_seg.takes("seed", "select", "my.store", "queue", "--scanner", "beta", "--n", 3)
    return tmp_path / "queue"


def first_row(column: str, value: str) -> Callable[[Path], None]:
    """The table with another entry in its first row."""

    def change(queue: Path) -> None:
        path = queue / "queue.csv"
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        rows[0][column] = value
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)

    return change


def written(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda queue: (queue / name).write_bytes(content) and None


def drawn(values: np.ndarray, **meta: str) -> Callable[[Path], None]:
    """A segmentation of 3D Slicer beside the first label file."""

    def change(queue: Path) -> None:
        with (queue / "queue.csv").open(newline="") as file:
            name = min(row["labels"] for row in csv.DictReader(file))
        label = sitk.ReadImage(str(queue / name))
        shape = sitk.GetArrayFromImage(label).shape
        image = sitk.GetImageFromArray(np.broadcast_to(values, shape).astype(values.dtype))
        image.CopyInformation(label)
        for key, text in meta.items():
            image.SetMetaData(key, text)
        sitk.WriteImage(image, str(queue / name.replace(".nii.gz", ".seg.nrrd")))

    return change


def in_layers(queue: Path) -> None:
    values = np.zeros((3, 32, 32, 2), np.uint8)
    for path in sorted((queue / "labels").iterdir()):
        image = sitk.GetImageFromArray(values, isVector=True)
        sitk.WriteImage(image, str(path).replace(".nii.gz", ".seg.nrrd"))


def nrrd(text: str) -> Callable[[Path], None]:
    def change(queue: Path) -> None:
        for path in sorted((queue / "labels").iterdir()):
            other = path.with_name(path.name.replace(".nii.gz", ".seg.nrrd"))
            other.write_bytes(("NRRD0005\n" + text + "\n\n").encode() + bytes(100))

    return change


def nrrd_header(kind: str, sizes: str, **fields: str) -> str:
    lines = {
        "type": kind,
        "dimension": str(len(sizes.split())),
        "space": "left-posterior-superior",
        "sizes": sizes,
        "space directions": "(2,0,0) (0,2,0) (0,0,5)",
        "encoding": "raw",
        "endian": "little",
        "space origin": "(0,0,0)",
        **{name.replace("_", " "): value for name, value in fields.items()},
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


NAMED: dict[str, Any] = {"Segment0_Name": "muscle", "Segment0_LabelValue": "1"}
QUEUES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a table in UTF-16": (written("queue.csv", "rank".encode("utf-16")), "queue.csv cannot be"),
    "no table": (lambda queue: (queue / "queue.csv").unlink(), "queue.csv does not exist"),
    "an empty table": (written("queue.csv", b""), "queue.csv lacks the columns rank"),
    "an endless entry": (first_row("minutes", "x" * 200_000), "queue.csv cannot be read as a CSV"),
    "an endless rank": (first_row("rank", "9" * 5000), ":2: rank: expected a number"),
    "an endless slice": (first_row("slice", "9" * 5000), ":2: slice: expected a number"),
    "minutes without end": (first_row("minutes", "1e999"), ":2: minutes: expected a number"),
    "minutes that are none": (first_row("minutes", "nan"), ":2: minutes: expected a number"),
    "labels elsewhere": (first_row("labels", "/etc/passwd"), ":2: labels: must stay inside"),
    "labels above": (first_row("labels", "labels/../../x"), ":2: labels: must stay inside"),
    "NUL in a name": (first_row("labels", "labels/\0"), r"labels/.x00 is missing"),
    "another slice": (first_row("slice_id", "beta\n"), "has no slice|is slice"),
    "no origin": (written("queue.json", b"[]"), "queue.json is damaged"),
    "an origin 9000 deep": (written("queue.json", b"[" * 9000), "queue.json is damaged .nested"),
    "classes that are a number": (
        written(
            "queue.json", b'{"content":"","scanner":"a","classes":5,"chosen_by":"","slices":1}'
        ),
        "queue.json is damaged .classes: ",
    ),
    "a key twice": (
        written("queue.json", b'{"content": "a", "content": "b"}'),
        "queue.json is damaged .content is given twice",
    ),
    "a drawing of fractions": (drawn(np.full(1, 0.5, np.float32), **NAMED), "no whole numbers"),
    "a drawing of NaN": (drawn(np.full(1, np.nan, np.float32), **NAMED), "no whole numbers"),
    "a drawing of a nameless class": (drawn(np.full(1, 7, np.uint8)), "holds the segment 7"),
    "a drawing numbered oddly": (
        drawn(np.full(1, 1, np.uint8), Segment0_Name="muscle", Segment0_LabelValue="²"),
        "holds the segment 1",
    ),
    "a drawing larger than memory": (
        nrrd(nrrd_header("uint8", "100000 100000 100000")),
        "is larger than its image",
    ),
    "a drawing in layers": (in_layers, "3 dimensions and 2 layers for 0 segments"),
    "a drawing without its end": (nrrd(nrrd_header("uint8", "32 32 3")), "cannot be read as NRRD"),
    "a drawing that is a text": (nrrd("hello"), "cannot be read as NRRD"),
}


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_that_comes_back_wrong(name: str, cl_seg: CommandLine, queue: Path) -> None:
    change, says = QUEUES[name]
    change(queue)
    line = cl_seg.refuses(says, "seed", "import", "queue", "my.store", "new.store")
    assert re.search("queue", line) and len(line) < 1000


@pytest.mark.parametrize("content", [b"", b"slice_id\nx\n", b'a,"b\n', b"\xff\xfe"])
def test_a_table_of_provenance_that_is_damaged(
    content: bytes, cl_seg: CommandLine, queue: Path
) -> None:
    (queue.parent / "my.store" / "labelling.csv").write_bytes(content)
    text = (queue / "queue.csv").read_text().replace("to do", "done")
    (queue / "queue.csv").write_text(text)
    says = "labelling.csv (cannot be read as CSV|lacks the column)"
    cl_seg.refuses(says, "seed", "import", "queue", "my.store", "new.store")


def test_bytes_that_are_no_utf8_make_a_secret_and_no_name(cl_seg: CommandLine, place: Path) -> None:
    (place / "scans.csv").write_text(HEADER + "ct.nii.gz,,p1,CT\n")
    secret, name = os.fsdecode(b"\x9c\xff"), os.fsdecode(b"caf\xe9.store")
    for out in ("one.store", "two.store"):
        cl_seg.takes("ingest", "scans.csv", out, *GRID, "--salt", secret)
    one, two = (SliceStore(place / out).slices for out in ("one.store", "two.store"))
    assert list(one["patient"]) == list(two["patient"])
    cl_seg.refuses(r"is no UTF-8: choose another name", "ingest", "scans.csv", name, *GRID)
    raw = place / "Dataset001_A"
    for folder, end in (("imagesTr", "_0000"), ("labelsTr", "")):
        (raw / folder).mkdir(parents=True)
        shutil.copy(
            place / "ct.nii.gz", raw / folder / os.fsdecode(b"M\xfcller%s.nii.gz" % end.encode())
        )
    content = {"channel_names": {"0": "CT"}, "labels": {"liver": 1}, "file_ending": ".nii.gz"}
    (raw / "dataset.json").write_text(json.dumps(content))
    cl_seg.refuses(r"M.*ller.* is not UTF-8: rename the file", "dataset", "nnunet", raw, "out")
