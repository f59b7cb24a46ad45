"""Label maps and label files on the grid of their image."""

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.scans import nifti
from cl_seg.scans.labels.label_map import (
    DEFAULT_LABELS,
    LabelMap,
    format_label_values,
    parse_label_map,
)
from cl_seg.scans.labels.read import read_labels
from cl_seg.scans.store import UNLABELLED

from ..conftest import SPACING, volume, write_nifti

values = st.integers(1, 300)
maps = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,8}|ignore|background", fullmatch=True),
    st.lists(values, min_size=1, max_size=4, unique=True),
    min_size=1,
    max_size=5,
).filter(lambda m: len({v for vs in m.values() for v in vs}) == sum(map(len, m.values())))


@given(
    maps.filter(lambda m: set(m) - {"ignore", "background"}),
    st.lists(st.integers(0, 300), min_size=1),
    st.sampled_from(["error", "background", "ignore"]),
)
def test_every_value_goes_where_its_map_says(mapping, pixels, others):
    options = [f"{n}={','.join(map(str, vs))}" for n, vs in mapping.items()]
    label_map = parse_label_map(options, others)
    classes = [name for name in mapping if name not in {"ignore", "background"}]
    assert list(label_map.classes) == classes
    meaning = {v: name for name, vs in mapping.items() for v in vs} | {0: "background"}
    nameless = set(pixels) - meaning.keys()
    refused = {"error": nameless, "background": nameless & {UNLABELLED}, "ignore": set()}
    assert label_map.unknown(pixels) == sorted(refused[others])
    labels = label_map.apply(np.array(pixels))
    becomes = {"ignore": UNLABELLED, "background": 0, "error": 0}
    becomes |= {name: label for label, name in enumerate(classes, start=1)}
    expected = [becomes[meaning.get(pixel, others)] for pixel in pixels]
    assert labels.tolist() == expected


@given(st.sets(st.integers(-9, 40), min_size=1))
def test_ranges_are_read_back(found):
    text = format_label_values(found)
    assert set(parse_label_map(["liver=99", f"background={text}"]).background) == found
    assert len(text.split(",")) == sum(v + 1 not in found for v in found)


def test_no_options_is_muscle_liver_and_strict():
    assert parse_label_map([]) == DEFAULT_LABELS
    assert DEFAULT_LABELS.apply(np.array([0, 1, 2, 255])).tolist() == [0, 1, 2, UNLABELLED]
    assert DEFAULT_LABELS.unknown([0, 1, 2, 5, 255]) == [5]


@pytest.mark.parametrize(
    "options",
    [["liver"], ["liver="], ["=5"], ["liver=0"], ["liver=5,5"], ["liver=-1"], ["liver=a"],
     ["liver=5", "liver=6"], ["liver=5", "spleen=5"], ["ignore=255"], ["background=3"],
     ["li,ver=3"], ["liver=3-1"], ["liver=1-99999"], ["ignore=0"], ["liver=2", "background=1-3"]],
)  # fmt: skip
def test_malformed_options_are_refused(options):
    with pytest.raises(InputError, match="--label") as error:
        parse_label_map(options)
    assert "\n" not in str(error.value)


@pytest.fixture
def image(tmp_path):
    return nifti.load_nifti_volume(write_nifti(tmp_path / "ct.nii.gz", volume()))


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
    with pytest.raises(InputError, match=r"m.csv:2.*labels.nii.gz.*values 7 .*--label"):
        read_labels(path, image, DEFAULT_LABELS, "m.csv:2")
    with pytest.raises(InputError, match=r"255 unlabelled: draw these alone$"):
        read_labels(path, image, DEFAULT_LABELS, "row", "draw these alone")


def structures():
    """Three structures besides the liver, of which the label map knows nothing."""
    values = np.zeros((3, 40, 40), np.uint8)
    values[0, :2], values[:2, 5], values[1, 7, :3], values[1, 9] = 5, 1, 2, 3
    return values


def test_a_named_class_does_not_make_background_of_the_rest(tmp_path, image):
    path = write_nifti(tmp_path / "labels.nii.gz", structures())
    with pytest.raises(InputError) as error:
        read_labels(path, image, parse_label_map(["liver=5"]), "row")
    area = 40 * SPACING**2 / 100
    told = f"1 ({2 * area:.4g} cm² on 2 slices), 3 ({area:.4g} cm² on 1 slice"
    assert told in str(error.value), "the largest first"
    assert "expected 0 background, 5 liver:" in str(error.value)
    for option in ("--label background=1-3", "--others background", "--label ignore=1-3"):
        assert option in str(error.value)


@pytest.mark.parametrize(
    ("options", "others", "becomes"),
    [
        (["background=1-3"], "error", 0),
        (["ignore=1-3"], "error", UNLABELLED),
        ([], "background", 0),
        ([], "ignore", UNLABELLED),
    ],
)
def test_what_the_user_says_of_the_rest_is_done(tmp_path, image, options, others, becomes):
    path = write_nifti(tmp_path / "labels.nii.gz", structures())
    labels = read_labels(path, image, parse_label_map(["liver=5", *options], others), "row")
    assert np.array_equal(labels, np.select([structures() == 5, structures() > 0], [1, becomes], 0))


def test_255_is_not_background_among_others(tmp_path, image):
    path = write_nifti(tmp_path / "labels.nii.gz", np.where(structures() == 3, 255, structures()))
    with pytest.raises(InputError, match=r"values 255 .*--label ignore=255"):
        read_labels(path, image, parse_label_map(["liver=5"], "background"), "row")


def test_names_are_told_where_the_header_has_them(tmp_path, image):
    """As TotalSegmentator writes them."""
    path = write_nifti(tmp_path / "labels.nii.gz", structures())
    stored = nibabel.load(path)
    table = b'<Label Key="1" Red="0.0"><![CDATA[spleen]]></Label>\n<Label Key="3"><![CDATA[a<b]]>'
    stored.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, table))
    nibabel.save(stored, path)
    with pytest.raises(InputError, match=r"values 1 spleen \(.*, 3 \("):
        read_labels(path, image, parse_label_map(["liver=5"]), "row")


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


IDENTITIES = [np.diag([x, y, 1.0, 1.0]) for x in (1, -1) for y in (1, -1)]


@pytest.mark.parametrize("affine", IDENTITIES)
@pytest.mark.parametrize("axes", [(2, 1, 0), (0, 1, 2)], ids=["as the image", "turned"])
def test_an_identity_header_is_called_wrong(tmp_path, image, affine, axes):
    """Not a grid to resample from: nothing of the labels would be left."""
    path = tmp_path / "labels.nii.gz"
    nibabel.save(nibabel.Nifti1Image(structures().transpose(axes), affine), path)
    labels = LabelMap({"liver": (5,)}, others="background")
    with pytest.raises(InputError, match=r"identity matrix.*the header .affine. of their") as e:
        read_labels(path, image, labels, "row")
    assert "resample" not in str(e.value)
    assert ("axes in the order of the image" in str(e.value)) == (axes[0] == 0)


def test_as_many_pixels_elsewhere_may_be_a_wrong_header(tmp_path, image):
    path = write_nifti(tmp_path / "labels.nii.gz", structures(), spacing=SPACING / 2)
    with pytest.raises(InputError, match=r"another grid.*header is wrong.*else resample"):
        read_labels(path, image, LabelMap({"liver": (5,)}, others="background"), "row")


def test_labels_must_be_whole_numbers(tmp_path, image):
    path = write_nifti(tmp_path / "labels.nii.gz", np.full((3, 40, 40), 0.5, np.float32))
    with pytest.raises(InputError, match="whole numbers"):
        read_labels(path, image, DEFAULT_LABELS, "row")
