"""AMOS22: scanners from a table whose dates of birth go nowhere."""

import pytest

from cl_seg.datasets.amos22 import TABLE
from cl_seg.messages.errors import InputError

from ..scans.conftest import write_nifti
from .conftest import bone, ct, ingested, invoke, organ, reasons

COLUMNS = [
    *("amos_id", "Patient's Birth Date", "Patient's Sex", "Patient's Age"),
    *("Manufacturer's Model Name", "Manufacturer", "Acquisition Date", "Site"),
]
BORN, SCANNED = "19570731", "20190817"
ROWS = [
    ("1", "Aquilion ONE", "TOSHIBA"),
    ("4", "Optima CT660", "GE MEDICAL SYSTEMS"),
    ("8", "Optima_CT660", "GE MEDICAL SYSTEMS"),
    ("10", "Optima CT660", ""),
    ("11", "Brilliance16", "Philips"),
    ("11", "Optima CT540", "GE MEDICAL SYSTEMS"),
    ("13", "Aquilion ONE", "TOSHIBA"),
    ("507", "Sonata 9", "MAKER OF MAGNETS"),
]


def miniature(tmp_path):
    """0010 has no maker, 0011 two scanners, 0013 no labels; 0507 is no CT, 0003 of the test set."""
    path = tmp_path / "amos22"
    for number, part in ((1, "Tr"), (4, "Tr"), (10, "Tr"), (11, "Tr"), (8, "Va"), (507, "Va")):
        name = f"amos_{number:04d}.nii.gz"
        write_nifti(path / f"images{part}" / name, ct(), "LAS")
        labels = 6 * organ().astype("uint8") + 10 * bone().astype("uint8")
        write_nifti(path / f"labels{part}" / name, labels, "LAS")
    write_nifti(path / "imagesTr/amos_0013.nii.gz", ct())
    write_nifti(path / "imagesTs/amos_0003.nii.gz", ct())
    (path / "imagesTr/._amos_0001.nii.gz").write_bytes(b"Mac OS X")
    write_table(path, ROWS)
    return path


@pytest.fixture
def folder(tmp_path):
    return miniature(tmp_path)


def write_table(path, rows, columns=COLUMNS):
    lines = [f"{number},{BORN},F,061Y,{model},{maker},{SCANNED},2" for number, model, maker in rows]
    (path / TABLE).write_text("\n".join([",".join(columns), *lines]) + "\n")


def test_ct_with_labels_becomes_a_store(folder, write):
    written = write("amos22", folder)
    assert written.scanners == {"Canon Aquilion ONE": 1, "GE Optima CT660": 2}
    assert reasons(written) == {
        f"{TABLE} names no manufacturer for it, or several": [
            "imagesTr/amos_0010.nii.gz", "imagesTr/amos_0011.nii.gz",
        ],
        "it has no label file": ["imagesTr/amos_0013.nii.gz"],
        "magnetic resonance, not CT": ["imagesVa/amos_0507.nii.gz"],
    }  # fmt: skip
    store = ingested(written)
    assert store.header.classes == ["liver"]
    assert (store.labels("canon-aquilion-one") == organ()).all()
    assert store.slices.groupby("scanner").patient.nunique().tolist() == [1, 2]


def test_no_date_reaches_disk_or_screen(folder, write, tmp_path):
    printed = invoke("dataset", "amos22", folder, tmp_path / "out")
    assert "Canon Aquilion ONE" in printed
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files
    for text in [printed, *(path.read_text(errors="replace") for path in files)]:
        assert BORN not in text and SCANNED not in text and "061Y" not in text


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: (f / TABLE).unlink(), f"{TABLE} does not exist: download it beside amos22.zip"),
        # A table without its first line: what stands there instead is a patient's.
        (lambda f: write_table(f, ROWS, ["1", BORN]), "lacks the columns amos_id, Manufacturer"),
        (lambda f: (f / TABLE).write_bytes(b"\xff\xfe" + BORN.encode()), "cannot be read as a CSV"),
        (lambda f: write_table(f, [("1", "CT 9", "ACME")]), "Manufacturer 'ACME'"),
        (lambda f: (f / "imagesTr").rename(f / "x") and (f / "imagesVa").rename(f / "y"),
         "has no imagesTr/amos_NNNN.nii.gz"),
        (lambda f: write_nifti(f / "imagesTr/amos_1_cut.nii.gz", ct()), "like amos_0001.nii.gz"),
    ],
)  # fmt: skip
def test_mistakes_are_named_and_show_no_date(folder, write, break_it, message):
    break_it(folder)
    with pytest.raises(InputError, match=message) as error:
        write("amos22", folder)
    assert BORN not in str(error.value) and "\n" not in str(error.value)
