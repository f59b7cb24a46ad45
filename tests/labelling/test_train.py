"""Training on SEED images goes through the plan and the engine of suites."""

from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.cli import app
from cl_seg.evaluation.predict import predict
from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.inference.ship import ship_model
from cl_seg.labelling import train
from cl_seg.labelling.train import SeedTraining, train_on_seed_images
from cl_seg.messages.errors import InputError
from cl_seg.metrics.segmentation import dice
from cl_seg.models.build import build_model
from cl_seg.records import shipped
from cl_seg.records.model_card import About, Input, ModelCard, Network, read_card
from cl_seg.scans.splits import usable_slices
from cl_seg.scans.store import UNLABELLED, SliceRow, SliceStore, create_store
from cl_seg.suite.cache import StageCache, state_file
from cl_seg.suite.engines import single
from cl_seg.training.checkpoint import CheckpointPlugin
from tests.conftest import CLASSES, SIZE, SPACING, WINDOW


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An untrained network as a model folder."""
    torch.manual_seed(0)
    model = build_model("unet", "small", {}, 3, SIZE)
    card = ModelCard(
        network=Network(name="unet", preset="small"),
        classes=list(CLASSES),
        input=Input(grid_size=SIZE, spacing_mm=SPACING, size=SIZE, window_hu=WINDOW),
        scanners={"alpha": "Alpha"},
        simulated=True,
        trained={"learning_rate": 1e-2},
        scores={},
        versions={},
        git_commit="",
    )
    save_model(tmp_path / "base", model.state_dict(), card)
    return tmp_path / "base"


def trained(store: SliceStore, wanted: SeedTraining, folder: Path, told: list[tuple]) -> ModelCard:
    return train_on_seed_images(
        store,
        "beta",
        wanted,
        folder,
        StageCache(folder.parent / "stages"),
        lambda *n: told.append(n),
    )


def test_a_damaged_result_is_computed_again_and_gives_the_same_weights(
    store: SliceStore, base: Path, tmp_path: Path
) -> None:
    wanted, cache = SeedTraining(base, steps=4), StageCache(tmp_path / "stages")
    first = trained(store, wanted, tmp_path / "first", [])
    (state,) = (tmp_path / "stages").glob(f"??/*/{state_file(2)}")
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)
    again = trained(store, wanted, tmp_path / "again", [])
    assert again.weights_sha256 == first.weights_sha256
    assert len(list((cache.folder / "damaged").iterdir())) == 1


def test_an_interrupted_training_goes_on_from_its_checkpoint_to_the_same_weights(
    store: SliceStore, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = SeedTraining(base, steps=12)
    (tmp_path / "elsewhere").mkdir()
    undisturbed = trained(store, wanted, tmp_path / "elsewhere" / "whole", [])
    monkeypatch.setattr(train, "SingleEngine", lambda: single.SingleEngine(checkpoint_seconds=0))
    after_step, done = CheckpointPlugin.after_training_iteration, 0

    def counted(self: CheckpointPlugin, strategy: Any, **kwargs: Any) -> None:
        nonlocal done
        after_step(self, strategy, **kwargs)
        done += 1
        if done == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointPlugin, "after_training_iteration", counted)
    with pytest.raises(KeyboardInterrupt):
        trained(store, wanted, tmp_path / "out", [])
    assert done == 7 and not (tmp_path / "out").exists()
    card = trained(store, wanted, tmp_path / "out", [])
    assert done == 12, "only the other steps are made"
    assert card.weights_sha256 == undisturbed.weights_sha256


def test_steps_are_told_while_it_trains(
    store: SliceStore, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "TICK_SECONDS", 0.001)
    told: list[tuple[int, int]] = []
    trained(store, SeedTraining(base, steps=40), tmp_path / "out", told)
    assert told and {steps for _, steps in told} == {40}
    assert [step for step, _ in told] == sorted(step for step, _ in told)


def test_a_training_that_fails_is_one_line_and_makes_no_model(
    store: SliceStore, base: Path, tmp_path: Path
) -> None:
    wanted = SeedTraining(base, steps=30, learning_rate=1e30)
    with pytest.raises(InputError, match="loss was not finite") as refused:
        trained(store, wanted, tmp_path / "out", [])
    assert "\n" not in str(refused.value) and not (tmp_path / "out").exists()


def test_what_a_model_cannot_be_trained_with_names_the_model(
    store: SliceStore, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"base: batch_size: .*greater than 0"):
        trained(store, SeedTraining(base, batch_size=0), tmp_path / "out", [])
    assert not (tmp_path / "stages").exists()


def test_labels_of_one_class_leave_what_the_base_model_knows_of_the_other(
    store: SliceStore, base: Path, tmp_path: Path
) -> None:
    """The base learns both classes on one scanner; of the next only liver is labelled."""
    known, adapted = tmp_path / "known", tmp_path / "adapted"
    stages = StageCache(tmp_path / "stages")
    first, then = SeedTraining(base, steps=80), SeedTraining(known, steps=40)
    train_on_seed_images(store, "alpha", first, known, stages, quiet)
    before = dice_on_beta(store, known)
    liver = labelled_for_liver(store, tmp_path / "liver.store")
    card = train_on_seed_images(liver, "beta", then, adapted, stages, quiet)
    after = dice_on_beta(store, adapted)
    assert card.trained["labelled"] == {"muscle": 0, "liver": len(liver.slices)}
    assert before["muscle"] > 0.7, "there is something to unlearn"
    assert after["muscle"] > before["muscle"] - 0.1 and after["liver"] > 0.9


def quiet(_done: int, _total: int) -> None:
    """Steps are of no interest."""


def labelled_for_liver(store: SliceStore, folder: Path) -> SliceStore:
    """One scanner on which muscle is not told from background, as in labels of the liver alone."""
    own = store.slices[store.slices["scanner"] == "beta"].drop(columns="row")
    rows = [SliceRow(**{**row, "labelled": "liver"}) for row in own.to_dict("records")]
    labels = np.asarray(store.labels("beta"))
    with create_store(folder, list(CLASSES), store.header.grid, {"kind": "simulated"}) as writer:
        writer.add_scanner("beta", "Beta", rows, store.hu("beta"), np.where(labels == 1, 0, labels))
    return SliceStore(folder)


def dice_on_beta(store: SliceStore, folder: Path) -> dict[str, float]:
    """Dice of each class over all labelled pixels of a scanner."""
    model, card = read_model_folder(folder)
    rows = usable_slices(store.slices[store.slices["scanner"] == "beta"], CLASSES)
    images = TaskImages(store, Task(CLASSES, SIZE, card.input.window_hu), torch.device("cpu"))
    predicted, truth = predict(model, SliceDataset(images, rows))
    known = truth != UNLABELLED
    return {
        name: dice((predicted == label)[known], (truth == label)[known])
        for label, name in enumerate(CLASSES, start=1)
    }


def test_training_starts_from_the_base_model_where_no_other_is_named(
    store: SliceStore, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = About(trained_on="bodies", tested_on="others", levels="T9 to S1")
    ship_model(base, tmp_path / "package" / "base", about)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "package")
    line = ["seed", "train", str(store.folder), "new", "--scanner", "beta", "--steps", "1"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    card = read_card(Path("new"))
    assert card.trained["base"] == read_card(Path("base")).weights_sha256
    assert card.about == About(levels="T9 to S1"), "what was said of the base is not of this one"
