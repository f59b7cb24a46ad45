"""nnU-Net v2 raw and the Decathlon: classes of dataset.json, scanners of a table."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.datasets.dataset import DatasetOptions
from cl_seg.datasets.dataset_json import read_labels
from cl_seg.messages.errors import InputError
from cl_seg.scans.labels.label_map import parse_label_map

from ..scans.conftest import write_nifti
from .conftest import bone, ct, ingested, organ, reasons

CHANNELS = {"0": "CT"}


@pytest.fixture
def nnunet(tmp_path):
    """a has the ignored value on its last slice, c no label file."""
    path = tmp_path / "Dataset011_Abdomen"
    labels = (organ() + 2 * bone()).astype(np.uint8)
    for case in "abcd":
        write_nifti(path / f"imagesTr/{case}_0000.nii.gz", ct())
        write_nifti(path / f"labelsTr/{case}.nii.gz", labels)
    labels[-1] = 3
    write_nifti(path / "labelsTr/a.nii.gz", labels)
    (path / "labelsTr/c.nii.gz").unlink()
    (path / "imagesTr/._a_0000.nii.gz").write_bytes(b"Mac OS X")
    (path / "scanners.csv").write_text(
        "\ufeffcase,scanner,patient\na,CT 1,p1\nb,CT 2,\nc,CT 2,p3\nd,,p4\n", encoding="utf-8"
    )
    write_json(path)
    return path


def write_json(path, **changes):
    content = {
        "channel_names": CHANNELS,
        "labels": {"background": 0, "left kidney": 1, "bone": 2, "ignore": 3},
        "numTraining": 4,
        "file_ending": ".nii.gz",
    }
    (path / "dataset.json").write_text(json.dumps(content | changes))


def test_nnunet_becomes_a_store(nnunet, write):
    written = write("nnunet", nnunet)
    assert written.scanners == {"CT 1": 1, "CT 2": 1}
    assert reasons(written) == {
        "it has no label file": ["imagesTr/c_0000.nii.gz"],
        f"{nnunet / 'scanners.csv'} names no scanner for it": ["imagesTr/d_0000.nii.gz"],
    }
    store = ingested(written)
    assert store.header.classes == ["left_kidney", "bone"]
    assert np.array_equal(store.labels("ct-2"), organ() + 2 * bone())
    rows = csv.DictReader(written.manifest.read_text().splitlines())
    assert [(row["patient"], row["scanner"]) for row in rows] == [("p1", "CT 1"), ("b", "CT 2")]
    assert len(store.hu("ct-1")) == len(ct()) - 1, "the ignored slice is left out"


def test_a_set_without_table_is_one_scanner_and_says_so(nnunet, write):
    (nnunet / "scanners.csv").unlink()
    written = write("nnunet", nnunet)
    assert written.scanners == {"Dataset011_Abdomen": 3}
    assert "names no scanners" in written.notes[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel_names": None, "modality": CHANNELS}, "no channel_names: .*cl-seg dataset msd"),
        ({"channel_names": {"0": "CT", "1": "PET"}}, "channel_names says CT, PET, expected one"),
        ({"channel_names": {"0": "MRI"}}, "channel_names says MRI, .* no Hounsfield units"),
        ({"channel_names": {"0": "zscore"}}, "channel_names says zscore"),
        ({"channel_names": {}}, "channel_names says nothing"),
        ({"file_ending": ".nrrd"}, "file_ending is .nrrd"),
        ({"labels": {"1": "liver"}}, "expected names with whole numbers"),
        ({"labels": {"background": 0}}, "no class besides background"),
        ({"labels": ["liver"]}, "expected names with whole numbers"),
        ({"labels": {"a b": 1, "a_b": 2}}, "two classes are named a_b"),
    ],
)
def test_what_nnunet_must_say(nnunet, write, changes, message):
    write_json(nnunet, **changes)
    with pytest.raises(InputError, match=message) as error:
        write("nnunet", nnunet)
    assert "dataset.json" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("image,scanner\na,CT 1\n", "lacks the column case"),
        (
            "case,scanner,patient\na,CT 1, 120 kV,p0\n",
            r"own\.csv:2: 4 entries, expected one",
        ),
        ("case,scanner\nz,CT 1\n", r"no image that can be used .*names no scanner"),
        ("case,scanner\na,CT 1\nb,CT 1\na,CT 2\n", r"own\.csv: a is listed twice"),
    ],
)
def test_what_a_scanner_table_must_have(nnunet, write, tmp_path, table, message):
    own = tmp_path / "own.csv"
    own.write_text(table)
    with pytest.raises(InputError, match=message):
        write("nnunet", nnunet, DatasetOptions(scanners=own))


def test_of_overlapping_regions_the_smallest_are_classes(nnunet, write):
    write_json(nnunet, labels={"background": 0, "organs": [1, 2], "bone": [2], "ignore": 3})
    written = write("nnunet", nnunet)
    assert written.notes == [
        "organs (1,2) overlaps other classes and is left out: to have it instead, change the "
        "--label options"
    ]
    store = ingested(written)
    assert store.header.classes == ["bone"]
    assert np.array_equal(store.labels("ct-2"), bone()), "1 is of the region alone: background"


def test_a_value_without_a_name_is_no_background(nnunet, write):
    write_json(nnunet, labels={"background": 0, "left kidney": 1, "ignore": 3})
    with pytest.raises(InputError, match=r"values 2 .*--label background=2 .*--label ignore=2 "):
        ingested(write("nnunet", nnunet))


def test_files_beside_the_expected_names_are_told(nnunet, write):
    for case in "ab":
        labels = nnunet / f"labelsTr/{case}.nii.gz"
        labels.rename(labels.with_name(f"{case}_seg.nii.gz"))
    (nnunet / "imagesTr/d_0000.nii.gz").rename(nnunet / "imagesTr/d.nii.gz")
    with pytest.raises(InputError) as error:
        write("nnunet", nnunet)
    assert (
        "2 × it has no label file, but there is CASE_seg.nii.gz: save it as CASE.nii.gz if it is "
        "that; "
    ) in str(error.value)
    assert "1 × its name does not end in _0000.nii.gz" in str(error.value)


def test_background_may_have_several_values(nnunet, write):
    write_json(nnunet, labels={"Background": [0, 2], "left kidney": 1, "ignore": 3})
    store = ingested(write("nnunet", nnunet))
    assert store.header.classes == ["left_kidney"]
    assert np.array_equal(store.labels("ct-2"), organ())


def test_a_channel_may_be_written_small(nnunet, msd, write):
    write_json(nnunet, channel_names={"0": " ct"})
    assert write("nnunet", nnunet).scanners


@given(
    st.dictionaries(
        st.text("abz _1é", min_size=1, max_size=6),
        st.integers(1, 9) | st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
        min_size=1,
    )
)
def test_any_labels_give_options_that_ingest_takes(labels):
    try:
        found = read_labels(labels, Path("dataset.json"))
    except InputError as error:
        assert "two classes are named" in str(error)
        return
    options = [f"{name}={','.join(map(str, v))}" for name, v in found.values.items()]
    every = {value for values in labels.values() for value in np.atleast_1d(values).tolist()}
    named = {value for values in found.values.values() for value in values}
    assert named | set(found.background) == every and named.isdisjoint(found.background)
    assert parse_label_map(options).classes == found.values
    assert len(found.values) + len(found.notes) == len(labels)
    regions = [tuple(v) if isinstance(v, list) else (v,) for v in labels.values()]
    assert set(found.values.values()) <= set(regions)
    assert min(map(len, found.values.values())) == min(map(len, regions))


@pytest.fixture
def msd(tmp_path):
    """liver_2 is listed but absent; the labels are float32, as those of task 10 are."""
    path = tmp_path / "Task03_Liver"
    labels = (organ() + 2 * bone()).astype(np.float32)
    for case in ("liver_0", "liver_1"):
        write_nifti(path / f"imagesTr/{case}.nii.gz", ct().astype(np.float32), "LAS")
        write_nifti(path / f"labelsTr/{case}.nii.gz", labels, "LAS")
        (path / f"imagesTr/._{case}.nii.gz").write_bytes(b"Mac OS X")
    write_task(path)
    return path


def write_task(path, **changes):
    content = {
        "name": "Liver",
        "modality": CHANNELS,
        "labels": {"0": "background", "1": "liver", "2": "cancer"},
        "training": [
            {"image": f"./imagesTr/liver_{i}.nii.gz", "label": f"./labelsTr/liver_{i}.nii.gz"}
            for i in range(3)
        ],
        "test": ["./imagesTs/liver_132.nii.gz"],
    }
    (path / "dataset.json").write_text(json.dumps(content | changes))


def test_a_tasks_ignored_value_is_no_background(msd, write):
    write_task(msd, labels={"0": "background", "1": "liver", "2": "ignore"})
    store = ingested(write("msd", msd))
    assert store.header.classes == ["liver"]
    labels = store.labels("task03-liver")[: len(ct())]
    assert np.array_equal(labels == 255, bone()) and not (labels[bone()] == 0).any()


def test_a_task_becomes_a_store(msd, write):
    written = write("msd", msd)
    assert written.scanners == {"Task03_Liver": 2}
    assert reasons(written) == {"the image is missing": ["imagesTr/liver_2.nii.gz"]}
    store = ingested(written)
    assert store.header.classes == ["liver", "cancer"]
    assert np.array_equal(store.labels("task03-liver")[: len(ct())], organ() + 2 * bone())
    assert store.slices.patient.nunique() == 2


def test_a_task_with_scanners(msd, write):
    (msd / "scanners.csv").write_text("case,scanner\nliver_0,CT A\nliver_1,CT B\nliver_2,CT B\n")
    assert write("msd", msd).scanners == {"CT A": 1, "CT B": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modality": {"0": "MRI"}}, "modality says MRI, .* no Hounsfield units"),
        ({"modality": {"0": "CT", "1": "PET"}}, "modality says CT, PET"),
        ({"modality": "CT"}, "modality says nothing"),
        ({"modality": None, "channel_names": CHANNELS}, "cl-seg dataset nnunet"),
        ({"labels": {"liver": 1}}, "expected values with names"),
        ({"training": ["./imagesTr/liver_0.nii.gz"]}, "expected entries with image and label"),
        ({"training": []}, "no image that can be used"),
        ({"training": 131}, "expected a list of entries"),
    ],
)
def test_what_a_task_must_say(msd, write, changes, message):
    write_task(msd, **changes)
    with pytest.raises(InputError, match=message):
        write("msd", msd)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_json_is_named(msd, write, text):
    (msd / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=r"dataset\.json .*JSON.*Task03_Liver"):
        write("msd", msd)


def test_values_of_one_name_are_one_class(msd, write):
    write_task(msd, labels={"0": "background", "1": "liver", "2": "liver"})
    assert "--label liver=1,2" in write("msd", msd).command
