"""Positions of slices: rounded in writing, with gaps, drifting."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.scans import nifti
from cl_seg.scans.labels.grid import matching_slices
from cl_seg.scans.series import Volume
from cl_seg.scans.slice_spacing import even_positions, evenly_spaced_segments, spacing_notes


def rounded(step: float, decimals: int, slices: int, start: float = -100.0) -> np.ndarray:
    return np.array([round(start + step * i, decimals) for i in range(slices)])


ROUNDED = [
    *((1.25, 1), (0.625, 1), (0.3125, 1), (3.27, 1), (1.59998, 2), (0.625, 2)),
    *((1.5, 0), (2.5, 0), (3.3, 0), (1.25, 0), (5.0, 0)),
]


@pytest.mark.parametrize(("step", "decimals"), ROUNDED)
@pytest.mark.parametrize("slices", [20, 40, 333])
@pytest.mark.parametrize("start", [-100.0, -3.37, 712.8])
def test_rounded_positions_are_one_run(step, decimals, slices, start):
    z_mm = rounded(step, decimals, slices, start)
    assert evenly_spaced_segments(z_mm) == [slice(0, slices)]
    assert spacing_notes(z_mm) == []
    even = even_positions(z_mm)
    assert np.diff(even) == pytest.approx(step, abs=2 * 10.0**-decimals / slices)
    assert np.abs(even - (start + step * np.arange(slices))).max() < 10.0**-decimals


@pytest.mark.parametrize(("step", "decimals"), ROUNDED)
@pytest.mark.parametrize("lost", [1, 3])
def test_missing_slices_are_not_taken_for_rounding(step, decimals, lost):
    z_mm = np.delete(rounded(step, decimals, 60, -99.87), slice(30, 30 + lost))
    runs = evenly_spaced_segments(z_mm)
    assert len(runs) > 1
    assert max(run.stop - run.start for run in runs) <= 32
    assert spacing_notes(z_mm)


@given(
    st.floats(0.5, 8),
    st.floats(-500, 500),
    st.integers(2, 60),
    st.sampled_from([2, 3]),
)
def test_what_is_even_but_for_hundredths_is_one_run(step, start, slices, decimals):
    z_mm = rounded(step, decimals, slices, start)
    assert evenly_spaced_segments(z_mm) == [slice(0, slices)]
    assert np.abs(even_positions(z_mm) - z_mm).max() < 10.0**-decimals


@given(st.lists(st.floats(0.1, 50), max_size=40))
def test_every_slice_is_in_one_run_and_near_its_place(steps):
    z_mm = np.cumsum([0.0, *steps])
    runs = evenly_spaced_segments(z_mm)
    assert [i for run in runs for i in range(run.start, run.stop)] == list(range(len(z_mm)))
    for run in runs:
        own = z_mm[run]
        off = np.abs(even_positions(own) - own).max()
        assert off < (0.25 * np.diff(own).max() if len(own) > 1 else 1e-9)


def test_blocks_of_other_distances_are_runs_of_their_own():
    z_mm = np.cumsum([0.0, *[1.0] * 9, *[5.0] * 10, *[2.5] * 10])
    assert [run.stop - run.start for run in evenly_spaced_segments(z_mm)] == [10, 10, 10]


def test_few_slices_are_not_enough_to_speak_of_rounding():
    assert len(evenly_spaced_segments(np.array([0.0, 1, 2, 4]))) > 1
    assert len(evenly_spaced_segments(np.array([0.0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]))) == 2


def test_a_file_has_the_true_distance(tmp_path):
    z_mm = rounded(1.25, 1, 40)
    volume = Volume(np.zeros((40, 4, 5), np.int16), z_mm, (2.0, 3.0), (0.0, 0.0))
    assert nifti.lettered_segments(z_mm) == [("", slice(0, 40))]
    nifti.save(tmp_path / "x.nii.gz", volume.hu, volume)
    _, again = nifti.load_labels(tmp_path / "x.nii.gz")
    assert np.diff(again.z_mm) == pytest.approx(1.25, abs=1e-3)
    assert np.abs(again.z_mm - z_mm).max() <= 0.06


@pytest.mark.parametrize(("step", "decimals"), [(1.5, 0), (2.5, 0), (1.25, 1), (3.27, 0)])
def test_labels_of_the_true_distance_lie_on_rounded_slices(tmp_path, step, decimals):
    z_mm = rounded(step, decimals, 30)
    image = Volume(np.zeros((30, 4, 5), np.int16), z_mm, (2.0, 3.0), (0.0, 0.0))
    true = replace(image, z_mm=-100 + step * np.arange(30))
    for labels in (true, replace(image, z_mm=even_positions(z_mm))):
        found = matching_slices(tmp_path, image, labels, "here")
        assert found.tolist() == list(range(30))
    with pytest.raises(InputError, match="another grid"):
        matching_slices(tmp_path, image, replace(true, z_mm=true.z_mm + step / 2), "here")


def test_gaps_are_measured_and_placed():
    assert spacing_notes(np.array([0.0, 3, 6, 9])) == []
    assert spacing_notes(np.array([5.0])) == []
    (gap,) = spacing_notes(np.array([0.0, 3, 6, 81, 84]))
    assert gap == "gap of 75 mm between z = 6 and 81 mm, slices missing: about 24"
    (lost,) = spacing_notes(np.array([0.0, 10, 15]))
    assert lost.startswith("gap of 10 mm between z = 0 and 10 mm, slices missing: about 1")
    (uneven,) = spacing_notes(np.array([0.0, 3, 6, 9, 13]))
    assert uneven == "uneven slice spacing, 3 to 4 mm"
