"""Models on disk: the same bits when loaded, and nothing else is loaded."""

import json
import subprocess
import sys
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.records.model_card import CARD, WEIGHTS, Input, ModelCard, Network, read_card

CONTENT = ModelCard(
    network=Network(name="vnet", preset="small"),
    classes=["muscle", "liver"],
    input=Input(grid_size=64, spacing_mm=4.0, size=32, window_hu=(-160.0, 240.0)),
    scanners={"a": "Scanner A"},
    simulated=True,
    trained={"seed": 0},
    scores={"a": {"muscle": 0.9, "liver": None}},
    versions={"torch": torch.__version__},
    git_commit="abc",
)
PREDICT = """
import sys, torch
from pathlib import Path
from cl_seg.inference.saved_model import read_model_folder
model, _ = read_model_folder(Path(sys.argv[1]))
images = torch.load(sys.argv[2], weights_only=True)
with torch.no_grad():
    torch.save(model(images), sys.argv[3])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = build_model("vnet", "small", {}, 3, 32)
    save_model(tmp_path / "model", model.state_dict(), CONTENT)
    return tmp_path / "model"


def test_a_fresh_process_predicts_the_same_bits(folder: Path, tmp_path: Path) -> None:
    images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    torch.save(images, tmp_path / "images.pt")
    torch.manual_seed(0)
    model = build_model("vnet", "small", {}, 3, 32).eval()
    with torch.no_grad():
        expected = model(images)
    files = [str(tmp_path / name) for name in ("images.pt", "logits.pt")]
    subprocess.run([sys.executable, "-c", PREDICT, str(folder), *files], check=True)
    assert torch.equal(torch.load(files[1], weights_only=True), expected)


def test_the_card_says_what_it_is(folder: Path) -> None:
    card = read_card(folder)
    assert card.model_copy(update={"weights_sha256": ""}) == CONTENT
    assert "Not a medical device" in card.intended_use


def test_one_changed_byte_of_the_weights_is_detected(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(content))
    with pytest.raises(InputError, match="SHA-256 differs"):
        read_model_folder(folder)


def test_pickled_weights_are_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    for path in (tmp_path, tmp_path / "weights.pth"):
        with pytest.raises(InputError, match="pickled weights are not read"):
            read_model_folder(path)
    assert not Path("owned").exists()


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    card["network"]["name"] = "unet"
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match="do not fit the network unet"):
        read_model_folder(folder)


@pytest.mark.parametrize("damage", ["{", '{"format": 2}', "[]"])
def test_damaged_cards_are_told(folder: Path, damage: str) -> None:
    (folder / CARD).write_text(damage)
    with pytest.raises(InputError, match=CARD):
        read_model_folder(folder)


def test_no_model_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model folder"):
        read_model_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": {"window_hu": [240, -160]}}, "low < high"),
        ({"input": {"size": 4000}}, "size must be at most grid_size"),
        ({"input": {"size": 8, "grid_size": 64}}, "does not fit vnet"),
        ({"classes": ["liver", "liver"]}, "named twice"),
        ({"classes": []}, "classes"),
        ({"network": {"preset": "huge"}}, "no preset huge"),
        ({"network": {"name": "os:system"}}, "code outside this package"),
    ],
)
def test_a_card_edited_by_hand_is_one_clear_error(folder: Path, change, message) -> None:
    card = json.loads((folder / CARD).read_text())
    for part, value in change.items():
        card[part] = {**card[part], **value} if isinstance(value, dict) else value
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match=message):
        read_model_folder(folder)


def test_a_card_nested_endlessly_is_damaged(folder: Path) -> None:
    (folder / CARD).write_text("[" * 100_000)
    with pytest.raises(InputError, match="damaged"):
        read_card(folder)


def test_weights_that_share_memory_are_saved(tmp_path: Path) -> None:
    weights = build_model("vnet", "small", {}, 3, 32).state_dict()
    tied = {**weights, "again": next(iter(weights.values()))}
    save_model(tmp_path / "tied", tied, CONTENT)
    assert read_card(tmp_path / "tied").weights_sha256
