"""Months of scans: kept as ranks, on request alone, and never as dates."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pydicom
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.scans.dicom.header import read_header
from cl_seg.scans.ingest import write_store_from_scans
from cl_seg.scans.ingest_report import IngestReport
from cl_seg.scans.series import Pseudonyms
from cl_seg.scans.store import SliceStore

from .conftest import volume, write_nifti, write_series

DATES = ["20210314", "20190228", "20210301", "20231231"]
RANKS = [1, 0, 1, 2]


def series_of_dates(folder: Path, dates: Sequence[str]) -> Path:
    """A series of a patient of its own for every StudyDate, "" for none."""
    for number, date in enumerate(dates):

        def dated(ds: pydicom.Dataset, _: int, date: str = date) -> None:
            ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = date

        write_series(folder / str(number), change=dated, patient=f"p{number}")
    return folder


def ingest(source: Path, store: Path, months: bool = True) -> IngestReport:
    return write_store_from_scans(source, store, salt=b"s", months=months, show_progress=False)


def ranks_of_patients(store: Path, names: Sequence[str]) -> list[int]:
    slices = SliceStore(store).slices
    month = dict(zip(slices["patient"], slices["month"], strict=True))
    return [int(month[Pseudonyms(b"s").patient(name)]) for name in names]


def forms(date: str) -> Iterator[str]:
    """A date, its year and its month as somebody may write them."""
    year, month, day = date[:4], date[4:6], date[6:]
    yield from (date, f"{year}{month}", year)
    yield from (sign.join(parts) for sign in "-./" for parts in ((year, month), (year, month, day)))


def test_months_are_ranks_without_gaps_and_dates_reach_no_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = series_of_dates(tmp_path / "in", DATES)
    report = ingest(source, tmp_path / "out.store")
    names = [pydicom.dcmread(source / str(k) / "000.dcm").PatientID for k in range(len(DATES))]
    assert ranks_of_patients(tmp_path / "out.store", names) == RANKS
    assert any("3 months" in note for note in report.notes)
    store = SliceStore(tmp_path / "out.store")
    assert store.content_hash() == store.header.content_sha256
    told = capfd.readouterr()
    schema = pq.read_schema(tmp_path / "out.store/slices.parquet").metadata
    # Parquet is compressed: its table is looked at besides.
    texts = [told.out, told.err, repr(report), store.slices.to_csv(), str(schema)]
    texts += [
        path.read_bytes().decode("latin-1") for path in store.folder.rglob("*") if path.is_file()
    ]
    assert len(texts) == 5 + 4
    found = [form for date in DATES for form in forms(date) for text in texts if form in text]
    assert not found
    numbers = {12 * int(date[:4]) + int(date[4:6]) - 1 for date in DATES}
    assert not numbers & set(store.slices["month"])


def test_without_the_option_no_date_is_read_and_no_column_written(tmp_path: Path) -> None:
    source = series_of_dates(tmp_path / "in", DATES)
    for folder, months in (("out.store", False), ("months.store", True)):
        ingest(source, tmp_path / folder, months)
    plain, dated = (SliceStore(tmp_path / name) for name in ("out.store", "months.store"))
    assert "month" not in plain.slices
    pd.testing.assert_frame_equal(plain.slices, dated.slices.drop(columns="month"))
    assert plain.header.content_sha256 != dated.header.content_sha256
    file = source / "0/000.dcm"
    assert read_header(file, source, Pseudonyms(b"s")).month is None
    header = read_header(file, source, Pseudonyms(b"s"), months=True)
    assert header.month == 12 * 2021 + 2 and "month" not in repr(header)


def test_a_store_without_months_has_the_hash_it_always_had(tmp_path: Path) -> None:
    series_of_dates(tmp_path / "in", DATES[:1])
    ingest(tmp_path / "in", tmp_path / "out.store", months=False)
    store = SliceStore(tmp_path / "out.store")
    (scanner,) = store.scanners
    rows = store.slices.sort_values("row").drop(columns="row").to_dict("records")
    columns = (
        "slice_id scanner case patient series z_mm spacing_mm thickness_mm kvp kernel labelled "
        "body body_cut"
    )
    assert [list(row) for row in rows] == [columns.split()] * len(rows)
    digest = hashlib.sha256(repr(rows).encode())
    for array in (store.hu(scanner), store.labels(scanner)):
        digest.update(array.tobytes())
    assert store.header.content_sha256 == digest.hexdigest()


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")  # as the test writes it
@pytest.mark.parametrize("date", ["", "2021", "20211301", "unknown", "20210314120000"])
def test_a_series_without_a_date_is_named(tmp_path: Path, date: str) -> None:
    source = series_of_dates(tmp_path / "in", ["20210314", date])
    with pytest.raises(
        InputError, match=r"no StudyDate can be read in .*1/000\.dcm: leave"
    ) as error:
        ingest(source, tmp_path / "out.store")
    assert not date or date not in str(error.value)
    assert not (tmp_path / "out.store").exists()


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
def test_an_old_date_with_dots_is_read(tmp_path: Path) -> None:
    source = series_of_dates(tmp_path / "in", ["1997.05.01", "19970601"])
    ingest(source, tmp_path / "out.store")
    assert set(SliceStore(tmp_path / "out.store").slices["month"]) == {0, 1}


def manifest(folder: Path, *rows: str) -> Path:
    lines = ["image,labels,patient,scanner,month", *rows]
    (folder / "scans.csv").write_text("\n".join(lines) + "\n")
    return folder / "scans.csv"


@pytest.mark.parametrize("months", [False, True])
def test_a_manifest_gives_months_and_overrules_headers(tmp_path: Path, months: bool) -> None:
    series_of_dates(tmp_path, ["", "20210314"])
    write_nifti(tmp_path / "ct.nii.gz", volume())
    rows = ["0,,a,,202402", "1,,b,,-7", "ct.nii.gz,,c,Ward CT,40"]
    ingest(manifest(tmp_path, *rows), tmp_path / "out.store", months)
    assert ranks_of_patients(tmp_path / "out.store", ["a", "b", "c"]) == [2, 0, 1]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["0,,a,,May 2021", "1,,b,,1"], ":2: month: expected a whole number"),
        (["0,,a,,", "1,,b,,1"], ":2: month: is empty: give it for all images or for none"),
    ],
)
def test_wrong_months_of_a_manifest_are_told(tmp_path: Path, rows: list[str], told: str) -> None:
    series_of_dates(tmp_path, DATES[:2])
    with pytest.raises(InputError, match=told) as error:
        ingest(manifest(tmp_path, *rows), tmp_path / "out.store")
    assert "May" not in str(error.value)


def test_a_manifest_of_dicom_without_months_needs_the_option(tmp_path: Path) -> None:
    series_of_dates(tmp_path, DATES[:2])
    path = tmp_path / "scans.csv"
    path.write_text("image,labels,patient,scanner\n0,,a,\n1,,b,\n")
    ingest(path, tmp_path / "plain.store", months=False)
    assert "month" not in SliceStore(tmp_path / "plain.store").slices
    ingest(path, tmp_path / "out.store")
    assert ranks_of_patients(tmp_path / "out.store", ["a", "b"]) == [1, 0]
