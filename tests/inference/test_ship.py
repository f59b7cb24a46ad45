"""A model as it is shipped: half the size, the same labels, and a card that says what it is."""

import shutil
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import cl_seg
from cl_seg.cli import app
from cl_seg.inference import ship
from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.inference.ship import ship_model
from cl_seg.inference.training_features import TrainingFeatures, read_training_features
from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.records import shipped
from cl_seg.records.model_card import WEIGHTS, About, read_card
from tests.scans.conftest import write_series

from .test_saved_model import CONTENT, folder  # noqa: F401 (a fixture)

ABOUT = About(trained_on="bodies", tested_on="other bodies", levels="T9 to S1")


def test_half_the_bytes_are_loaded_as_float32(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    ship_model(folder, tmp_path / "small", ABOUT)
    sizes = [(each / WEIGHTS).stat().st_size for each in (folder, tmp_path / "small")]
    assert sizes[1] < 0.52 * sizes[0]
    before, after = (read_model_folder(each)[0] for each in (folder, tmp_path / "small"))
    for (name, own), rounded in zip(
        before.state_dict().items(), after.state_dict().values(), strict=True
    ):
        assert rounded.dtype == own.dtype, name
        expected = own.half().to(own.dtype) if own.is_floating_point() else own
        assert torch.equal(rounded, expected), name
    on_disk = load_file(tmp_path / "small" / WEIGHTS)
    assert {t.dtype for t in on_disk.values()} == {torch.float16, torch.int64}


def test_the_card_says_what_it_is_and_scores_stay(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    ship_model(folder, tmp_path / "small", ABOUT)
    own, card = read_card(folder), read_card(tmp_path / "small")
    assert card.about == ABOUT and "not for diagnosis" in card.intended_use
    assert (card.scores, card.trained, card.simulated) == (own.scores, own.trained, True)
    assert card.weights_sha256 != own.weights_sha256


def test_features_of_training_scanners_go_along(tmp_path: Path) -> None:
    features = TrainingFeatures("down", ["A"], np.ones((1, 2)), np.eye(2), [np.zeros((1, 2))])
    model = build_model("vnet", "small", {}, 3, 32)
    save_model(tmp_path / "model", model.state_dict(), CONTENT, features)
    ship_model(tmp_path / "model", tmp_path / "small", ABOUT)
    card = read_card(tmp_path / "small")
    found = read_training_features(tmp_path / "small", card.weights_sha256)
    assert found is not None and (found.means == features.means).all()


def test_what_cannot_be_shipped_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = build_model("vnet", "small", {}, 3, 32).state_dict()
    weights["out_tr.conv2.bias"][0] = 1e5
    save_model(tmp_path / "model", weights, CONTENT)
    with pytest.raises(InputError, match=r"out_tr\.conv2\.bias has weights beyond 65504"):
        ship_model(tmp_path / "model", tmp_path / "small", ABOUT)
    monkeypatch.setattr(ship, "MAX_BYTES", 1000)
    weights["out_tr.conv2.bias"][0] = 0
    save_model(tmp_path / "again", weights, CONTENT)
    with pytest.raises(InputError, match=r"have \d+\.\d MB in float16, at most 0.001 MB"):
        ship_model(tmp_path / "again", tmp_path / "small", ABOUT)
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize("path", sorted(shipped.FOLDER.glob("*/")), ids=lambda path: path.name)
def test_what_is_shipped_can_be_loaded_and_says_what_it_is(path: Path) -> None:
    _, card = read_model_folder(path)
    assert (path / WEIGHTS).stat().st_size < ship.MAX_BYTES * 1.01
    assert all(card.about.model_dump().values()) and "not for diagnosis" in card.intended_use


@pytest.fixture
def package(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A stand-in that is shipped, made by the command; the current folder holds no model."""
    told = ["--trained-on", "bodies", "--tested-on", "others", "--levels", "T9 to S1"]
    base = tmp_path / "package" / "base"
    done = CliRunner().invoke(app, ["model", "ship", str(folder), str(base), *told])
    assert done.exit_code == 0 and "MB" in done.output, done.output
    monkeypatch.setattr(shipped, "FOLDER", base.parent)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return base


def test_the_base_model_predicts_and_says_what_it_was_made_for(package: Path) -> None:
    write_series(Path("ct"))
    done = CliRunner().invoke(app, ["predict", "base", "ct", "--measure", "--variants", "1"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "simulated CT" in said and "T9 to S1" in said and "agreement" in said
    copied = cl_seg.load_model(package).predict("ct", variants=1)
    named = cl_seg.load_model("base").predict("ct", variants=1)
    for name, labels in named.labels.items():
        assert (labels == copied.labels[name]).all()


def test_what_is_shipped_is_not_changed_but_a_copy_can_be(package: Path) -> None:
    features = TrainingFeatures("down", ["A"], np.ones((1, 2)), np.eye(2), [np.zeros((1, 2))])
    card = read_card(package)
    (package / "features.safetensors").write_bytes(features.to_bytes(card.weights_sha256))
    with pytest.raises(InputError, match="base is part of cl_seg and is not changed: copy "):
        cl_seg.load_model("base").calibrate("any.store")
    shutil.copytree(package, "copy")
    with pytest.raises(InputError, match=r"any\.store"):
        cl_seg.load_model("copy").calibrate("any.store")
