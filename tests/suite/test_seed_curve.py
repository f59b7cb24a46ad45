"""SEED curves from file to report."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning import environment
from cl_seg.planning.plan import resolve
from cl_seg.planning.stages import Graph
from cl_seg.records.record import read_record
from cl_seg.records.run_spec import SeedImagesSpec
from cl_seg.suite.cache import RANKING, StageCache
from cl_seg.suite.stages.compute import compute_stage
from cl_seg.suite.stages.experience import experience
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.stop_control import StopControl
from cl_seg.suite.summary import trainings

from .conftest import made_with, run


def text(store: Path, more: str = "", images: str = "[1, 4]", steps: int = 4) -> str:
    return f"""
kind: seed_curve
name: curve
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [{{name: "tests.suite.tiny_network:build", learning_rate: 0.01}}]
base: [bright, dark]
target: plain
seed_images: {images}
training: {{steps: {steps}, batch_size: 2, curve_every: 0, device: cpu}}
{more}
"""


def planned(content: str, folder: Path) -> Graph:
    (folder / "suite.yaml").write_text(content)
    return resolve(folder / "suite.yaml", cache=folder / "stages").graph


def test_base_training_and_rankings_are_shared(store: Path, tmp_path: Path) -> None:
    graph = planned(text(store, "by: [random, k-center]"), tmp_path)
    assert len(graph.runs) == 2 * 2 * 2
    assert trainings(graph)[1] == 1 + 2 * 4, "the base once, then every choice of slices"
    ranks = [stage for stage in graph.stages.values() if stage.kind == "rank"]
    assert sorted(bool(stage.state_key) for stage in ranks) == [False, True]
    from_scratch = [r for r in graph.runs if r.run.strategy.label == "scratch"]
    assert all(r.run.order == ("plain",) and len(r.training_keys) == 1 for r in from_scratch)


def test_only_a_choice_by_the_network_needs_the_base_from_scratch(
    store: Path, tmp_path: Path
) -> None:
    scratch = "start: [scratch]\nby: "
    assert trainings(planned(text(store, scratch + "[random]"), tmp_path))[1] == 2
    assert trainings(planned(text(store, scratch + "[entropy]"), tmp_path))[1] == 1 + 2


def test_runs_have_records_and_a_report(store: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    said, failed = run(text(store, "by: [stratified, entropy]\nseeds: [0, 1]"), results)
    assert not failed and not said
    (folder,) = (results / "runs").glob("build-naive-entropy-4-seed1")
    record = read_record(folder / "run.json")
    assert record.schedule == "seed_curve" and record.order_number == 1
    images = SeedImagesSpec(count=4, by="entropy", start="transfer", base=("bright", "dark"))
    assert record.spec.seed_images == images
    assert [row.selection for row in record.stages] == [
        "bright + dark",
        "4 of plain by entropy",
    ]
    assert [row.steps for row in record.stages] == [8, 4]
    table = pd.read_csv(results / "summary.csv")
    assert len(table) == 2 * 2 * 2 and table["Dice"].between(0, 1).all()
    assert (results / "figures" / "seed_curve.svg").is_file()
    assert "SEED curve" in (results / "report.html").read_text()


def test_a_larger_choice_holds_the_smaller_and_starts_share_it(store: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    run(text(store, "by: [typiclust]"), results)
    graph = planned(text(store, "by: [typiclust]"), tmp_path)
    keys = {stage.ranking_key for stage in graph.stages.values() if stage.ranking_key}
    assert len(keys) == 1, "one ranking for both counts and both starts"
    ranking = json.loads(StageCache(tmp_path / "stages").read(keys.pop(), RANKING))
    assert len(ranking) == len(set(ranking)) and all(name.startswith("plain-") for name in ranking)


def test_more_images_than_there_are_are_refused_by_the_plan(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="400 slices to be labelled, but plain has"):
        planned(text(store, "start: [scratch]", images="[2, 400]"), tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("target: plain", "target: plane", "did you mean plain?"),
        ("target: plain", "target: dark", "is one of `base`"),
        ("[1, 4]", "[4, 4]", "appears twice"),
        ("base:", "strategies: [joint]\nbase:", "joint has no place in a seed curve"),
        ("base:", "by: [luck]\nbase:", "by.0"),
    ],
)
def test_faults_are_told(store: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        planned(text(store).replace(old, new), tmp_path)


@pytest.mark.parametrize("plugin", ["Anchor", "KeptAnchor"])
def test_a_plugin_of_ones_own_learns_from_the_labelled_slices_alone(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    name = f"tests.suite.tiny_plugins:{plugin}"
    more = f'start: [transfer]\nstrategies: [{{name: "{name}", settings: {{strength: 0.5}}}}]\n'
    graph, sizes, still = planned(text(store, more), tmp_path), {}, StopControl(lambda: False)
    for stage in graph.stages.values():
        if stage.kind == "rank":
            compute_stage(stage, StageCache(tmp_path / "stages"), still)
    for stage in graph.stages.values():
        if stage.kind == "train" and stage.ranking_key:
            work = StageInputs(
                replace(stage, state_key="", strategy_state_key=""),
                StageCache(tmp_path / "stages"),
                still,
            )
            assert stage.run.seed_images is not None
            sizes[stage.run.seed_images.count] = [len(experience(work, k).dataset) for k in (1, 2)]
    assert {count: new for count, (_, new) in sizes.items()} == {1: 1, 4: 4}
    assert all(base > 4 for base, _ in sizes.values())


def test_a_scanner_is_scored_with_the_statistics_it_was_learned_with(
    store: Path, tmp_path: Path
) -> None:
    graph = planned(text(store, "start: [transfer]"), tmp_path)
    run = graph.runs[0].run
    assert [run.learned_at(name) for name in ("bright", "dark", "plain")] == [1, 1, 2]


def test_other_packages_and_places_make_other_rankings(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rankings() -> set[str]:
        graph = planned(text(store, "by: [random, stratified]"), tmp_path)
        return {stage.key for stage in graph.stages.values() if stage.kind == "rank"}

    before = rankings()
    table = pd.read_parquet(store / "slices.parquet")
    table.assign(z_mm=-table["z_mm"]).to_parquet(store / "slices.parquet", index=False)
    made_with(store)
    moved = rankings()
    assert not before & moved
    newer = {**environment.versions(), "numpy": "99"}
    monkeypatch.setattr(environment, "versions", lambda: newer)
    assert not moved & rankings()
