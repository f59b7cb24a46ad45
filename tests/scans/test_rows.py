"""Rows as text, and back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.scans.rows import format_ranges, parse_ranges, selected_slices


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([0, 1, 2], "0-2"),
        ([0, 1, 5, 7, 8], "0-1 5 7-8"),
        ([3, 2, 1], "3 2 1"),
        ([4, 5, 0, 1], "4-5 0-1"),
    ],
)
def test_neighbours_are_one_stretch(rows: list[int], text: str) -> None:
    assert format_ranges(rows) == text
    assert parse_ranges(text).tolist() == rows


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_every_selection_comes_back_in_its_order(rows: list[int]) -> None:
    assert parse_ranges(format_ranges(rows)).tolist() == rows


def test_patients_take_some_bytes_and_not_their_slices() -> None:
    part = np.repeat(np.random.default_rng(0).integers(0, 3, 2000), 100)
    texts = [format_ranges(np.flatnonzero(part == number)) for number in range(3)]
    assert sum(len(parse_ranges(text)) for text in texts) == 200_000
    assert sum(map(len, texts)) < 20_000


def test_slices_are_found_by_scanner_and_row_wherever_they_are_in_the_table() -> None:
    table = pd.DataFrame({"scanner": list("abaab"), "row": [2, 1, 0, 1, 0], "z": range(5)})
    assert selected_slices(table, "a", "1-2 0")["z"].tolist() == [3, 0, 2]
    assert selected_slices(table, "b", "0")["z"].tolist() == [4]
    assert selected_slices(table, "b", "").empty
