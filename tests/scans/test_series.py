"""What readers hand on: pseudonyms, HU range, and grouped rejections."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.scans.series import Pseudonyms, RejectedFile, by_folder, to_hu


@given(st.text(max_size=80), st.binary(min_size=1, max_size=64))
def test_pseudonyms_are_stable_salted_and_of_one_kind(identifier, salt):
    names = Pseudonyms(salt)
    assert names.patient(identifier) == Pseudonyms(salt).patient(identifier)
    assert names.patient(identifier) != names.series(identifier)
    assert names.patient(identifier) != Pseudonyms(salt[:-1] + bytes([salt[-1] ^ 1])).patient(
        identifier
    )
    assert names.patient(identifier) != names.patient(identifier + " ")


@pytest.mark.parametrize("salt", [b"", b"x" * 65])
def test_a_salt_has_a_sensible_length(salt):
    with pytest.raises(InputError, match="salt"):
        Pseudonyms(salt)


def test_hu_are_rounded_and_clipped():
    values = np.array([-3024, -1024.4, -0.6, 40.4, 3071.6, 9000], np.float32)
    hu = to_hu(values)
    assert hu.tolist() == [-1024, -1024, -1, 40, 3071, 3071]
    assert hu.dtype == np.int16


def test_rejections_of_one_folder_and_reason_become_one_line():
    folder = Path("x/y")
    items = [
        RejectedFile(folder / "1", "a"),
        RejectedFile(folder / "2", "a"),
        RejectedFile(folder / "3", "b"),
        RejectedFile(folder, "c", 5),
        RejectedFile(folder, "c", 7),
    ]
    assert by_folder(items) == [
        RejectedFile(folder, "a", 2),
        RejectedFile(folder / "3", "b"),
        RejectedFile(folder, "c", 12),
    ]
