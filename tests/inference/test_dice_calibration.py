"""Calibration files, and lines fitted on one half of the patients."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.inference.dice_calibration import (
    CALIBRATION,
    fit_dice,
    mean_agreement,
    read_calibration,
)
from cl_seg.messages.errors import InputError


def observed(patients: int) -> pd.DataFrame:
    """Dice is 0.9 · agreement; every second patient lies 0.02 above."""
    number = np.arange(patients)
    agreement = 0.5 + 0.4 * number / patients
    return pd.DataFrame({
        "scanner": "A",
        "case": number.astype(str),
        "series": number.astype(str),
        "patient": number.astype(str),
        "class": "liver",
        "agreement": agreement,
        "dice": 0.9 * agreement + 0.02 * (number % 2),
    })  # fmt: skip


def test_half_of_the_patients_give_the_line_and_half_its_margin(tmp_path: Path) -> None:
    found = fit_dice(observed(40), "abc", ["A"])
    line = found.lines["liver"]
    assert (line.slope, line.intercept, line.margin) == pytest.approx((0.9, 0.0, 0.02))
    assert (found.series, found.patients) == (40, 40)
    found.save(tmp_path)
    assert read_calibration(tmp_path, "abc") == found


def test_what_cannot_be_calibrated_or_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than two patients have labels of liver"):
        fit_dice(observed(1), "abc", ["A"])
    assert read_calibration(tmp_path, "abc") is None
    fit_dice(observed(4), "abc", ["A"]).save(tmp_path)
    with pytest.raises(InputError, match="of other weights"):
        read_calibration(tmp_path, "def")
    (tmp_path / CALIBRATION).write_text("{}")
    with pytest.raises(InputError, match="is damaged"):
        read_calibration(tmp_path, "abc")


def test_slices_without_agreement_do_not_count() -> None:
    found = mean_agreement({"liver": [0.5, None, 1.0], "muscle": [None]})
    assert found["liver"] == 0.75 and np.isnan(found["muscle"])
