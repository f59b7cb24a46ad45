"""``cl-seg calibrate`` and ``cl-seg monitor`` on a store and on CT."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import cl_seg
from cl_seg.cli import app
from cl_seg.inference.training_features import FEATURES
from tests.api.conftest import in_workspace, workspace  # noqa: F401 (fixtures)


def command(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture
def model(in_workspace: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A copy of the workspace's model that a test may calibrate."""
    return Path(shutil.copytree("model", tmp_path / "model"))


@pytest.mark.slow
def test_from_a_labelled_store_to_a_table_with_estimated_dice(model: Path, tmp_path: Path) -> None:
    said = command("calibrate", model, "tiny.store")
    assert "15 series of 11 patients: Dice of muscle ±" in said
    out = tmp_path / "out"
    said = command("monitor", model, "tiny.store", "ct.nii.gz", "--out", out)
    assert "Gamma" in said and "unknown" in said
    table = pd.read_csv(out / "monitor.csv")
    assert len(json.loads((out / "monitor.json").read_text())) == len(table) == 3 * 7 + 2
    assert list(table["source"].unique()) == ["tiny.store", "ct.nii.gz"]
    of_series = table[table["level"] == "series"]
    assert (of_series["dice_liver_low"] <= of_series["dice_liver"]).all()

    cases = cl_seg.load_model(model).predict("ct.nii.gz").cases
    of_ct = of_series.iloc[-1]
    assert cases["distance"][0] == pytest.approx(of_ct["distance"], abs=2e-4)
    assert cases["dice_liver"][0] == pytest.approx(of_ct["dice_liver"], abs=2e-4)


def test_a_queue_needs_a_store(model: Path, tmp_path: Path) -> None:
    with pytest.raises(cl_seg.InputError, match="`cl-seg ingest` makes one"):
        cl_seg.load_model(model).monitor("ct.nii.gz", queue=tmp_path / "queue")


def test_an_older_model_folder_predicts_and_says_what_the_monitor_needs(model: Path) -> None:
    (model / FEATURES).unlink()
    old = cl_seg.load_model(model)
    prediction = old.predict("ct.nii.gz", variants=0)
    assert list(prediction.cases["verdict"]) == [""]
    assert any("no features of its training scanners" in note for note in prediction.notes)
    with pytest.raises(cl_seg.InputError, match="save it again from its run"):
        old.monitor("tiny.store")
