"""The network of a finished run as a model folder."""

import json
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch

from cl_seg.benchmark.preprocess import windowed
from cl_seg.inference.monitor import read_monitor
from cl_seg.inference.saved_model import read_card, read_model_folder
from cl_seg.inference.training_features import read_training_features
from cl_seg.messages.errors import InputError
from cl_seg.metrics.segmentation import dice
from cl_seg.records.record import read_record
from cl_seg.scans.store import SliceStore
from cl_seg.suite.cache import StageCache
from cl_seg.suite.run_model import save_run_model
from tests.records.factory import in_record

from .conftest import run

NETWORK = "tests.suite.tiny_network:build"


@pytest.fixture
def finished(suite_text: str, tmp_path: Path) -> Path:
    """Results of a finished suite; its stages are in ``stages`` beside it."""
    _, failed = run(suite_text, tmp_path / "results")
    assert not failed
    return tmp_path / "results"


def test_the_saved_network_scores_as_the_run_did(finished: Path, store: Path) -> None:
    folder = finished / "runs" / "build-naive-order1-seed0"
    out = finished.parent / "model"
    save_run_model(folder, out, StageCache(finished.parent / "stages"))
    model, card = read_model_folder(out, NETWORK)
    assert list(card.scanners) == ["bright", "dark", "plain"] and card.simulated
    record = read_record(folder / "run.json")
    assert card.scores["plain"]["liver"] == record.R["liver"][-1][2]

    opened = SliceStore(store)
    hu = torch.from_numpy(np.array(opened.hu("plain")))
    with torch.no_grad():
        found = model(windowed(hu, card.input.window_hu)).argmax(1).numpy()
    all_cases = dice(found == 2, opened.labels("plain") == 2)
    assert all_cases == pytest.approx(card.scores["plain"]["liver"], abs=0.03)


def test_features_of_the_training_scanners_are_saved_while_the_store_is_there(
    finished: Path,
) -> None:
    folder, cache = finished / "runs" / "build-naive-order1-seed0", finished.parent / "stages"
    card = save_run_model(folder, finished.parent / "model", StageCache(cache))
    record = read_record(folder / "run.json")
    sha = read_card(finished.parent / "model").weights_sha256
    features = read_training_features(finished.parent / "model", sha)
    assert features is not None and features.names == list(card.scanners.values())
    slices = record.slices["plain"]
    assert len(features.held_out[2]) == (slices["validation"] + slices["test"]) / 3

    plan = json.loads((finished / "plan.json").read_text())
    plan["data"]["store"] = str(finished / "moved.store")
    (finished / "plan.json").write_text(json.dumps(plan))
    save_run_model(folder, finished.parent / "without", StageCache(cache))
    assert read_training_features(finished.parent / "without", sha) is None
    assert read_monitor(finished.parent / "without", sha) is None


def test_code_outside_the_package_is_not_imported_unasked(finished: Path) -> None:
    folder = finished / "runs" / "build-joint-order1-seed0"
    save_run_model(folder, finished.parent / "model", StageCache(finished.parent / "stages"))
    with pytest.raises(InputError, match=f"if you trust it, say --trust-network {NETWORK}"):
        read_model_folder(finished.parent / "model")


def test_what_cannot_be_saved_is_told(finished: Path) -> None:
    folder, cache = finished / "runs" / "build-naive-order1-seed0", finished.parent / "stages"
    out = finished.parent / "model"
    with pytest.raises(InputError, match=r"no run.json\): name one of its runs"):
        save_run_model(finished, out, StageCache(cache))
    with pytest.raises(InputError, match=r"is not in .*nowhere"):
        save_run_model(folder, out, StageCache(finished.parent / "nowhere"))
    in_record(folder, "states", value=[])
    with pytest.raises(InputError, match="older version"):
        save_run_model(folder, out, StageCache(cache))
    (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        save_run_model(folder, out, StageCache(cache))
    assert not out.exists()
