from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cl_seg
from tests.cli.test_command import cl_seg as command


def test_a_prediction_measures_what_the_command_line_writes(
    in_workspace: Path, tmp_path: Path
) -> None:
    prediction = cl_seg.load_model("model/").predict("ct.nii.gz", salt="s", variants=1)
    out = tmp_path / "predictions"
    options = ["--measure", "--salt", "s", "--variants", "1", "--out", str(out)]
    done = command("-q", "predict", "model", "ct.nii.gz", *options)
    assert done.stdout == f"{out}\n", done.stderr
    written = pd.read_csv(out / "measurements.csv")
    pd.testing.assert_frame_equal(prediction.measure(), written)
    per_case = prediction.measure(per="case").set_index("class")
    for name, own in written.groupby("class"):
        assert per_case.loc[name, "area_cm2"] == pytest.approx(own["area_cm2"].mean())


def test_labels_are_saved_as_they_are(in_workspace: Path, tmp_path: Path) -> None:
    prediction = cl_seg.load_model("model/").predict("ct.nii.gz", variants=0)
    labels = prediction.labels["ct"]
    assert labels.ndim == 3 and set(np.unique(labels)) <= {0, 1, 2}
    saved = prediction.save(tmp_path / "mine")
    assert sorted(path.name for path in saved.iterdir()) == [
        *("cases.csv", "ct.nii.gz", "measurements.csv"),
    ]
    with pytest.raises(cl_seg.InputError, match="exists"):
        prediction.save(tmp_path / "mine")


def test_nothing_is_left_of_a_prediction_that_is_not_saved(in_workspace: Path) -> None:
    prediction = cl_seg.load_model("model/").predict("ct.nii.gz", variants=0)
    folder = prediction.folder
    assert folder.is_dir()
    del prediction
    assert not folder.exists()


def test_models_and_predictions_show_themselves(in_workspace: Path) -> None:
    model = cl_seg.load_model("model/")
    assert "Not a medical device" in model._repr_html_()
    page = model.predict("ct.nii.gz", variants=0)._repr_html_()
    assert "area_cm2" in page and "may be of one the model never saw" in page
