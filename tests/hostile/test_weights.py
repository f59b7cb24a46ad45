"""Model folders, checkpoints and stages from strangers: nothing is unpickled, misfits are named."""

import hashlib
import io
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save as to_safetensors

from cl_seg.inference.saved_model import save_model
from cl_seg.records.model_card import CARD, WEIGHTS, Input, ModelCard, Network
from cl_seg.runtime.serialise import from_bytes
from cl_seg.suite.cache import CHECKPOINT, StageCache
from cl_seg.training.checkpoint import read_checkpoint
from tests.records.factory import in_record, run_result, write_record
from tests.suite.tiny_network import build

from .command import CommandLine

NETWORK = "tests.suite.tiny_network:build"
EXPORT = ("model", "export", "model", "bundle", "--network", NETWORK)


class Owned:
    """Leaves a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("owned"),)


def pickled(value: Any) -> bytes:
    """What ``torch.save`` makes of anything: an archive with a pickle in it."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return build(1, 3, 32).state_dict()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    card = ModelCard(
        network=Network(name=NETWORK, preset="small"),
        classes=["muscle", "liver"],
        input=Input(grid_size=64, spacing_mm=4.0, size=32, window_hu=(-160.0, 240.0)),
        scanners={"a": "Scanner A"},
        simulated=True,
        trained={},
        scores={},
        versions={},
        git_commit="",
    )
    save_model(tmp_path / "model", weights(), card)
    return tmp_path / "model"


def vouched(content: bytes) -> Callable[[Path], None]:
    """Other weights, with a card that vouches for them."""

    def change(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(content)
        card = json.loads((folder / CARD).read_text())
        card["weights_sha256"] = hashlib.sha256(content).hexdigest()
        (folder / CARD).write_text(json.dumps(card))

    return change


def tensors(**changes: torch.Tensor | None) -> Callable[[Path], None]:
    """Vouched weights, some exchanged or left out; ``_`` in a name stands for its dot."""
    content = weights()
    for name, tensor in changes.items():
        content.pop(name.replace("_", "."), None)
        if tensor is not None:
            content[name.replace("_", ".")] = tensor
    return vouched(to_safetensors(content))


def card(*keys: str, value: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / CARD).read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (folder / CARD).write_text(json.dumps(content))

    return change


def header_of(text: str, length: int | None = None) -> bytes:
    head = text.encode()
    return struct.pack("<Q", len(head) if length is None else length) + head


def a_folder(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).mkdir()


def pickle_instead(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "weights.pth").write_bytes(pickled(Owned()))


MISFIT = "the weights do not fit the network tests.suite.tiny_network:build: "
MODELS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pickled weights": (pickle_instead, "pickled weights are not read"),
    "a pickle by another name": (vouched(pickle.dumps(Owned())), f"{WEIGHTS} is damaged"),
    "a pickle of torch": (vouched(pickled(Owned())), f"{WEIGHTS} is damaged"),
    "half the weights": (
        vouched(to_safetensors(weights())[:600]),
        f"{WEIGHTS} is damaged",
    ),
    "no weights": (vouched(b""), f"{WEIGHTS} is damaged"),
    "an endless header": (vouched(header_of("{}", 2**63)), f"{WEIGHTS} is damaged"),
    "a header that is a list": (vouched(header_of("[]")), f"{WEIGHTS} is damaged"),
    "a tensor beyond the file": (
        vouched(
            header_of('{"x":{"dtype":"F32","shape":[999999999],"data_offsets":[0,3999999996]}}')
        ),
        f"{WEIGHTS} is damaged",
    ),
    "not the weights of the card": (
        lambda folder: (folder / WEIGHTS).write_bytes(b"x") and None,
        "SHA-256 differs",
    ),
    "no file": (lambda folder: (folder / WEIGHTS).unlink(), f"{WEIGHTS} cannot be read"),
    "a folder in its place": (a_folder, f"{WEIGHTS} cannot be read"),
    "another shape": (
        tensors(**{"0_weight": torch.zeros(8, 1, 5, 5)}),
        MISFIT + r"0.weight has the shape \(8, 1, 5, 5\), expected \(8, 1, 3, 3\)",
    ),
    "one missing": (tensors(**{"2_bias": None}), MISFIT + "2.bias is missing"),
    "one too many": (tensors(**{"9_bias": torch.zeros(1)}), MISFIT + "it has no 9.bias"),
    "NaN": (
        tensors(**{"2_bias": torch.full((3,), torch.nan)}),
        MISFIT + "2.bias holds NaN",
    ),
    "a network that is code": (
        card("network", "name", value="os:system"),
        "its network os:system is code outside this package",
    ),
    "a billion pixels": (card("input", "size", value=10**9), "input.size: "),
    "a grid of a billion pixels": (card("input", "grid_size", value=10**9), "input.grid_size: "),
    "a window without end": (card("input", "window_hu", value=[0, 1e999]), "is no JSON"),
    "arguments it does not take": (
        card("network", "arguments", value={"nonsense": 1}),
        "cannot be made: .*nonsense",
    ),
    "300 classes": (card("classes", value=[f"c{i}" for i in range(300)]), "classes: "),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_is_hostile(name: str, cl_seg: CommandLine, model: Path) -> None:
    change, says = MODELS[name]
    change(model)
    line = cl_seg.refuses(says, *EXPORT)
    assert len(line) < 600 and not Path("owned").exists()


def test_the_model_itself_is_right(cl_seg: CommandLine, model: Path) -> None:
    assert "bundle: bundle" in cl_seg.takes(*EXPORT)


@pytest.mark.parametrize("content", [pickled(Owned()), pickle.dumps(Owned()), b"", b"PK\3\4"])
def test_a_state_is_never_unpickled(content: bytes, cl_seg: CommandLine) -> None:
    with pytest.raises(ValueError, match="not a saved state"):
        from_bytes(content)
    assert not Path("owned").exists()


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 500, bytes(32) + pickled({"step": 1})])
def test_a_checkpoint_that_is_damaged_is_none(content: bytes, cl_seg: CommandLine) -> None:
    file = cl_seg.folder / CHECKPOINT
    file.write_bytes(content)
    assert read_checkpoint(file) == {}


def test_a_vouched_checkpoint_with_a_pickle_runs_nothing(cl_seg: CommandLine) -> None:
    file = cl_seg.folder / CHECKPOINT
    content = pickled(Owned())
    file.write_bytes(hashlib.sha256(content).digest() + content)
    with pytest.raises(ValueError, match="not a saved state"):
        read_checkpoint(file)
    assert not Path("owned").exists()


KEY = "ab" * 32


def finished_run(folder: Path, state: bytes) -> None:
    """A run whose last training is in the cache, as somebody else may have put it there."""
    place = StageCache(folder / "stages").folder_of(KEY)
    place.mkdir(parents=True)
    (place / "state1.pt").write_bytes(state)
    files = {"state1.pt": hashlib.sha256(state).hexdigest()}
    (place / "stage.json").write_text(json.dumps({"key": KEY, "files": files}))
    stages = [{"position": 1, "steps": 5, "train_seconds": 1}]
    run = run_result(states=[KEY], grid={"size": 64, "spacing_mm": 1.6}, stages=stages)
    write_record(folder / "run", run)


@pytest.mark.parametrize("state", [pickled(Owned()), b"hello"])
def test_a_stage_with_a_pickle_is_no_model(state: bytes, cl_seg: CommandLine) -> None:
    finished_run(cl_seg.folder, state)
    says = "the trained network of run is not in stages"
    cl_seg.refuses(says, "model", "save", "run", "model", "--cache", "stages")
    assert not Path("owned").exists()


def test_a_record_without_its_network_is_no_model(cl_seg: CommandLine) -> None:
    finished_run(cl_seg.folder, pickled({}))
    in_record(cl_seg.folder / "run", "spec", "model", value={"preset": "small"})
    says = "run.json is damaged .spec.model.name"
    cl_seg.refuses(says, "model", "save", "run", "model", "--cache", "stages")


def test_a_stage_nested_9000_deep_is_set_aside(cl_seg: CommandLine) -> None:
    finished_run(cl_seg.folder, b"")
    cache = StageCache(cl_seg.folder / "stages")
    (cache.folder_of(KEY) / "stage.json").write_text("[" * 9000)
    said = cl_seg("model", "save", "run", "model", "--cache", "stages")
    assert said.code == 2 and "is not in stages" in said.err and "Traceback" not in said.err
    assert not cache.has(KEY)
