"""Scores of series: all slices count, and what is found where nothing is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.inference.predicted_case import PredictedCase
from cl_seg.scans.series import Volume
from experiments.base_model import on_patients

TRUE = np.zeros((4, 20, 20), bool)
TRUE[1:, 5:15, 5:15] = True
FOUND = TRUE.copy()
FOUND[0, :5, :10] = True  # on a slice without it
FOUND[2, 5:10] = False  # half of it missed


def case(labels: np.ndarray) -> PredictedCase:
    hu = np.full(labels.shape, 40, np.int16)
    volume = Volume(hu, np.arange(4.0), (2.0, 2.0), (0.0, 0.0))
    return PredictedCase({"case": "one"}, volume, labels.astype(np.uint8), [], [])


def scores(structure: str) -> pd.Series:
    rows = on_patients.slice_rows("a", structure, case(FOUND), FOUND, TRUE)
    (row,) = on_patients.by_series(pd.DataFrame(rows)).to_dict("records")
    return pd.Series(row)


def test_slices_without_the_structure_count() -> None:
    row = scores("liver")
    assert row["volume dice"] == pytest.approx(2 * 250 / (300 + 300))
    assert row["false, %"] == pytest.approx(100 * 50 / 300)
    assert (row["slices"], row["with it"], row["median slice dice"]) == (4, 3, 1)
    assert row["worst slice dice"] == pytest.approx(2 * 50 / 150)
    assert row["area error, cm²"] == pytest.approx(-50 * 0.04 / 3)


def test_of_a_part_of_a_class_only_what_is_found_counts() -> None:
    row = scores("part of muscle")
    assert row["found"] == pytest.approx(250 / 300) and "volume dice" not in row


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    rows = list(on_patients.slice_rows("a", "liver", case(FOUND), FOUND, TRUE))
    on_patients.draw(tmp_path / "a.png", case(FOUND), 1, TRUE, rows)
    assert (tmp_path / "a.png").stat().st_size > 1000
