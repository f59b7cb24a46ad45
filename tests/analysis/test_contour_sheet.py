"""Contours on a few slices of every case."""

from pathlib import Path

import numpy as np
import pytest

from cl_seg.analysis.contour_sheet import (
    COLOURS,
    ContourSheet,
    LabelledCase,
    body_box,
    cases_of_store,
    framed,
    slices_to_show,
)
from cl_seg.scans.store import SliceStore
from tests.conftest import write_store


@pytest.mark.parametrize(
    ("labelled", "shown"),
    [
        ([], [0, 5, 10, 14, 19]),
        ([7], [7]),
        (range(4, 9), [4, 5, 6, 7, 8]),
        (range(0, 20, 2), [0, 4, 8, 14, 18]),
    ],
)
def test_slices_with_a_class_are_shown(labelled: list[int], shown: list[int]) -> None:
    labels = np.full((20, 8, 8), 255, np.uint8)
    labels[:, 0] = 0
    labels[list(labelled), 3, 3] = 1
    assert slices_to_show(labels) == shown


def test_a_contour_lies_where_the_label_is_and_nothing_else_is_coloured() -> None:
    hu = np.full((128, 96), 40, np.int16)
    labels = np.zeros((128, 96), np.uint8)
    labels[10:30, 40:60] = 2
    labels[100:, :] = 255
    picture = framed(hu, labels)
    assert picture.shape == (256, 256, 3)
    coloured = (picture != picture[..., :1]).any(axis=-1)
    assert {tuple(pixel) for pixel in picture[coloured].tolist()} == {COLOURS[1]}
    rows, columns = np.nonzero(coloured)
    assert (rows.min(), rows.max()) == (20, 59), "twice as large, at the top where it is"
    assert (columns.min(), columns.max()) == (32 + 80, 32 + 119), "between margins"
    assert not coloured[30:50, 122:142].any(), "the picture shows inside"


def test_air_around_the_body_is_cut_off() -> None:
    hu = np.full((2, 20, 30), -1000, np.int16)
    assert body_box(hu) == (slice(None), slice(None))
    hu[0, 4, 9] = hu[1, 15, 20] = 0
    assert body_box(hu) == (slice(4, 16), slice(9, 21))


def test_a_page_of_a_store_has_every_series_and_needs_no_other_file(tmp_path: Path) -> None:
    store = SliceStore(write_store(tmp_path / "tiny.store"))
    cases = list(cases_of_store(store))
    assert sum(len(case.hu) for case in cases) == len(store.slices)
    sheet = ContourSheet("A <store>", store.header.classes)
    for case in cases[:3]:
        sheet.add(case)
    sheet.add(LabelledCase("<b>", cases[0].hu, cases[0].labels))
    sheet.write(tmp_path / "sheet.html")
    page = (tmp_path / "sheet.html").read_text()
    assert page.count("<img") == 4 and page.count("data:image/png;base64,") == 4
    assert "A &lt;store&gt;" in page and "&lt;b&gt;: slices 1" in page and "<b>:" not in page
    assert "http" not in page and "muscle</b>" in page and cases[0].name in page
