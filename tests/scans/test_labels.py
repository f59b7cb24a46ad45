"""Label maps and label files on the grid of their image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.files import InputError
from cl_seg.scans import nifti
from cl_seg.scans.labels import DEFAULT_LABELS, LabelMap, parse_label_map, read_labels
from cl_seg.scans.store import UNLABELLED

from .conftest import volume, write_nifti

values = st.integers(1, 300)
maps = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda n: n != "background"),
    st.lists(values, min_size=1, max_size=4, unique=True),
    min_size=1,
    max_size=5,
).filter(lambda m: len({v for vs in m.values() for v in vs}) == sum(map(len, m.values())))


@given(maps.filter(lambda m: set(m) - {"ignore"}), st.lists(st.integers(0, 300), min_size=1))
def test_every_value_goes_where_its_map_says(mapping, pixels):
    label_map = parse_label_map([f"{n}={','.join(map(str, vs))}" for n, vs in mapping.items()])
    classes = [name for name in mapping if name != "ignore"]
    assert list(label_map.classes) == classes
    labels = label_map.apply(np.array(pixels))
    for pixel, label in zip(pixels, labels, strict=True):
        meaning = next((name for name, vs in mapping.items() if pixel in vs), None)
        if meaning is None:
            assert label == 0
        else:
            assert label == (UNLABELLED if meaning == "ignore" else classes.index(meaning) + 1)


def test_no_options_is_muscle_liver_and_strict():
    assert parse_label_map([]) is DEFAULT_LABELS
    assert DEFAULT_LABELS.apply(np.array([0, 1, 2, 255])).tolist() == [0, 1, 2, UNLABELLED]
    assert DEFAULT_LABELS.unknown([0, 1, 2, 5, 255]) == [5]


@pytest.mark.parametrize(
    "options",
    [["liver"], ["liver="], ["=5"], ["liver=0"], ["liver=5,5"], ["liver=-1"], ["liver=a"],
     ["liver=5", "liver=6"], ["liver=5", "spleen=5"], ["ignore=255"], ["background=3"],
     ["li,ver=3"]],
)  # fmt: skip
def test_malformed_options_are_refused(options):
    with pytest.raises(InputError, match="--label") as error:
        parse_label_map(options)
    assert "\n" not in str(error.value)


@pytest.fixture
def image(tmp_path):
    return nifti.load(write_nifti(tmp_path / "ct.nii.gz", volume()))


@pytest.mark.parametrize("codes", ["LPS", "RAS", "LAI", "SPL", "ARS"])
def test_labels_follow_the_image_however_they_are_stored(tmp_path, image, codes):
    truth = (volume() == 110).astype(np.uint8) * 5
    path = write_nifti(tmp_path / "labels.nii", truth, codes)
    labels = read_labels(path, image, LabelMap({"liver": (5,)}), "row")
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, truth // 5)
    assert labels.any()


def test_unknown_values_are_named_with_the_option(tmp_path, image):
    path = write_nifti(tmp_path / "labels.nii.gz", np.full((3, 40, 40), 7, np.uint8))
    with pytest.raises(InputError, match=r"m.csv, line 2.*labels.nii.gz.*values 7.*--label"):
        read_labels(path, image, DEFAULT_LABELS, "m.csv, line 2")
    with pytest.raises(InputError, match=r"255 unlabelled: draw these alone$"):
        read_labels(path, image, DEFAULT_LABELS, "row", "draw these alone")


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_nifti(path, np.zeros((3, 20, 20), np.uint8)),
        lambda path: write_nifti(path, np.zeros((2, 40, 40), np.uint8)),
        lambda path: write_nifti(path, np.zeros((3, 40, 40), np.uint8), spacing=7.9),
        lambda path: write_nifti(path, np.zeros((3, 40, 40), np.uint8), spacing=7.99),
    ],
    ids=["size", "slices", "spacing", "far corner"],
)
def test_labels_on_another_grid_are_refused(tmp_path, image, write):
    path = write(tmp_path / "labels.nii.gz")
    with pytest.raises(InputError, match="on another grid") as error:
        read_labels(path, image, DEFAULT_LABELS, "row")
    assert "\n" not in str(error.value)


def test_labels_must_be_whole_numbers(tmp_path, image):
    path = write_nifti(tmp_path / "labels.nii.gz", np.full((3, 40, 40), 0.5, np.float32))
    with pytest.raises(InputError, match="whole numbers"):
        read_labels(path, image, DEFAULT_LABELS, "row")
