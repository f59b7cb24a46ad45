"""Everything a stage imports while it is computed is in its key, or cannot change a number."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

import cl_seg
from cl_seg.inference.saved_model import save_model
from cl_seg.labelling.train import SeedTraining, plan_seed_training
from cl_seg.models.build import build_model
from cl_seg.planning.plan import Plan, resolve
from cl_seg.planning.source import callable_files, stage_files
from cl_seg.planning.source_roots import FRONT_DOORS, SOURCES, WITHOUT_NUMBERS
from cl_seg.planning.stages import Stage
from cl_seg.records.model_card import Input, ModelCard, Network, read_card
from cl_seg.scans.store import SliceStore
from cl_seg.strategies.registry import find_strategy
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites

NETWORK = "cl_seg.models.vnet:build_vnet"
STREAM = """
kind: stream
name: tiny
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [vnet]
strategies: [naive, ewc, replay, stale_statistics]
orders: [[bright, dark]]
training: {{steps: 2, batch_size: 2, curve_every: 2, device: cpu}}
"""
CURVE = """
kind: seed_curve
name: curve
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [vnet]
base: [bright]
target: plain
seed_images: [1]
by: [entropy]
training: {{steps: 2, batch_size: 2, curve_every: 0, device: cpu}}
"""


def planned(text: str, store: Path, folder: Path) -> Plan:
    """A suite of which everything is computed."""
    folder.mkdir()
    (folder / "suite.yaml").write_text(text.format(store=store))
    cache = StageCache(folder.parent / "stages")
    plan = resolve(folder / "suite.yaml", cache=cache.folder)
    (outcome,) = run_suites([plan], [folder / "results"], cache, SingleEngine(), 1, lambda _: None)
    assert not outcome.failures
    return plan


def seed_training(store: Path, folder: Path) -> Plan:
    """A training that goes on from a saved network."""
    torch.manual_seed(0)
    card = ModelCard(
        network=Network(name="vnet", preset="small"),
        classes=["muscle", "liver"],
        input=Input(grid_size=32, spacing_mm=4.0, size=32, window_hu=(-160, 240)),
        scanners={},
        simulated=True,
        trained={"learning_rate": 1e-2},
        scores={},
        versions={},
        git_commit="",
    )
    save_model(folder / "base", build_model("vnet", "small", {}, 3, 32).state_dict(), card)
    opened = SliceStore(store)
    slices = opened.slices[opened.slices["scanner"] == "plain"].assign(part="train")
    wanted = SeedTraining(base=folder / "base", steps=2, device="cpu")
    return plan_seed_training(opened, slices, wanted, read_card(folder / "base"), folder)


def one(plan: Plan, kind: str, strategy: str = "", memory: bool | None = None) -> Stage:
    """The last stage of a kind."""
    found = [
        stage
        for stage in plan.stages.values()
        if stage.kind == kind
        and strategy in ("", stage.run.strategy.name)
        and memory in (None, bool(stage.strategy_state_key))
    ]
    return found[-1]


def reached(edges: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """Modules imported by a module, by those, and so on, where they can change a number."""
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in found or name == "cl_seg" or any(below(name, w) for w in WITHOUT_NUMBERS):
            continue
        found.add(name)
        package = name.rpartition(".")[0]
        waiting += [*edges.get(name, ()), *([package] if package not in FRONT_DOORS else [])]
    return found


def below(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.fixture(scope="module")
def imports(
    store: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Stage, dict[str, list[str]]]]:
    """Stages of all kinds, and what imported what while they were computed."""
    folder = tmp_path_factory.mktemp("imports")
    stream, curve = (
        planned(text, store, folder / name) for name, text in (("a", STREAM), ("b", CURVE))
    )
    stages = {
        "train naive": one(stream, "train", "naive"),
        "train ewc": one(stream, "train", "ewc"),
        "train replay": one(stream, "train", "replay"),
        "consolidate": one(stream, "consolidate", "ewc"),
        "evaluate": one(stream, "evaluate", "naive"),
        "evaluate with memory": one(stream, "evaluate", "stale_statistics", memory=True),
        "rank": one(curve, "rank"),
        "load": one(seed_training(store, folder), "load"),
    }
    files = [folder / f"{number}.stage" for number in range(len(stages))]
    for file, stage in zip(files, stages.values(), strict=True):
        file.write_bytes(pickle.dumps(stage))
    script = Path(__file__).with_name("imports_of_stages.py")
    root = str(Path(cl_seg.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, script, folder / "stages", folder / "again"],
        input="\n".join(map(str, files)),
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    edges = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (stages[name], found) for name, found in zip(stages, edges, strict=True)}


def test_nothing_a_stage_imports_is_missing_from_its_key(
    imports: dict[str, tuple[Stage, dict[str, list[str]]]],
) -> None:
    assert {stage.kind for stage, _ in imports.values()} == SOURCES.keys() - {"untrained"}
    for title, (stage, edges) in imports.items():
        plugin = find_strategy(stage.run.strategy.name).plugin
        acts = stage.uses_strategy and plugin
        in_key = {
            *stage_files(stage.kind),
            *stage_files("untrained"),
            *callable_files(NETWORK),
            *(callable_files(plugin) if acts and plugin else ()),
            # An evaluation imports what it would need for a memory, whose key has this.
            *(stage_files("consolidate") if stage.kind == "evaluate" else ()),
        }
        found = reached(edges, SOURCES[stage.kind])
        assert len(found) > 15, title
        assert found <= in_key, (title, sorted(found - in_key))


def test_what_is_in_a_key_is_what_is_imported(
    imports: dict[str, tuple[Stage, dict[str, list[str]]]],
) -> None:
    for title, (stage, edges) in imports.items():
        unused = stage_files(stage.kind).keys() - reached(edges, SOURCES[stage.kind])
        assert not unused, (title, unused)
