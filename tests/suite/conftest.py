import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from cl_seg.planning.gpus import CPU
from cl_seg.planning.plan import resolve
from cl_seg.scans.store import NO_MONTH, Grid, SliceRow, SliceStore, create_store
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines import Engine
from cl_seg.suite.engines.local import LocalEngine
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites

NETWORK = "tests.suite.tiny_network:build"


def run(
    text: str, results: Path, workers: int = 0, gpus: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Run a suite; its stages are kept beside its results. Returns what was said and failed.

    Computed by workers on the CPU, or by one for each of some GPUs, else in this process.
    """
    path = results.parent / "suite.yaml"
    path.write_text(text)
    said: list[str] = []
    cache = StageCache(results.parent / "stages")
    devices = [*gpus] or [CPU] * workers
    engine: Engine = LocalEngine(devices, 1, 1e9) if devices else SingleEngine()
    plans = [resolve(path, cache=cache.folder)]
    (outcome,) = run_suites(plans, [results], cache, engine, max(1, workers), said.append)
    return said, [f"{run_id}: {reason}" for run_id, reason in outcome.failures.items()]


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny store of :func:`write_store`."""
    return write_store(tmp_path_factory.mktemp("stores") / "tiny.store")


def write_store(
    folder: Path, patients: int = 6, months: Mapping[str, Sequence[int]] | None = None
) -> Path:
    """Three scanners, some patients each, three slices per case, brightness telling them apart.

    ``months`` are those of the patients of every scanner.
    """
    random = np.random.default_rng(0)
    with create_store(folder, ["muscle", "liver"], Grid(32, 4.0), {"kind": "simulated"}) as writer:
        for scanner, offset in (("bright", 60), ("dark", -60), ("plain", 0)):
            rows = [
                SliceRow(
                    slice_id=f"{scanner}-{i}",
                    scanner=scanner,
                    case=f"{scanner}-case{i // 3}",
                    patient=f"{scanner}-patient{i // 3}",
                    series="s",
                    z_mm=float(i % 3),
                    spacing_mm=1.0,
                    thickness_mm=5.0,
                    kvp=120.0,
                    kernel="B",
                    labelled="muscle,liver",
                    month=months[scanner][i // 3] if months else NO_MONTH,
                )
                for i in range(3 * patients)
            ]
            labels = np.zeros((3 * patients, 32, 32), np.uint8)
            labels[:, 4:14, 6:26], labels[:, 18:28, 8:20] = 1, 2
            hu = np.array([-100, 50, 150])[labels] + offset + random.normal(0, 10, labels.shape)
            writer.add_scanner(scanner, scanner.title(), rows, hu.astype(np.int16), labels)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with its first weights, on the grid of the tiny store, as a model folder."""
    import torch

    from cl_seg.inference.saved_model import save_model
    from cl_seg.models.build import build_model
    from cl_seg.records.model_card import About, Input, ModelCard, Network

    torch.manual_seed(3)
    card = ModelCard(
        network=Network(name=NETWORK, preset="small"),
        classes=["muscle", "liver"],
        input=Input(grid_size=32, spacing_mm=4.0, size=32, window_hu=(-160, 240)),
        scanners={"bright": "Bright", "elsewhere": "Elsewhere"},
        simulated=True,
        trained={"learning_rate": 0.02},
        scores={},
        versions={},
        git_commit="",
        about=About(levels="T9 to S1"),
    )
    folder = tmp_path_factory.mktemp("models") / "model"
    save_model(folder, build_model(NETWORK, "small", {}, 3, 32).state_dict(), card)
    return folder


def made_with(store: Path) -> None:
    """The content hash of a store that a test has changed is that of what it holds now."""
    content = SliceStore(store).content_hash()
    header = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps({**header, "content": content}))


@pytest.fixture
def suite_text(store: Path) -> str:
    """A suite of all strategies on the tiny store."""
    return tiny_suite(store)


def tiny_suite(store: Path) -> str:
    """Four strategies, one order, one seed, a network of two layers."""
    return f"""
kind: stream
name: tiny
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [{{name: "tests.suite.tiny_network:build", learning_rate: 0.05}}]
strategies:
  - naive
  - {{name: replay, settings: {{budget: 4}}}}
  - {{name: ewc, settings: {{ewc_lambda: 10, fisher_images: 4}}}}
  - joint
training: {{steps: 12, batch_size: 4, curve_every: 6, device: cpu}}
"""
