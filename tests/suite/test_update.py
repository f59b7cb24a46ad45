"""Update suites from a saved model to records."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
from safetensors.torch import save_file

from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.planning.plan import Plan, resolve
from cl_seg.planning.saved_model import can_update, needs_old_slices
from cl_seg.records import shipped
from cl_seg.records.load import load_results
from cl_seg.records.model_card import About, read_card
from cl_seg.records.run_spec import MarginsSpec, UpdateSpec
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites
from cl_seg.suite.run_model import save_run_model
from cl_seg.suite.summary import summary, trainings
from cl_seg.training.checkpoint import CheckpointPlugin

from .conftest import NETWORK, run


def text(store: Path, model: Path, more: str = "", strategies: str = "[naive, lwf]") -> str:
    return f"""
kind: update
name: gate
model: {model}
trusted_network: {NETWORK}
new: plain
data: {{store: {store}}}
split: {{test: 0.3, validation: 0.2}}
strategies: {strategies}
training: {{steps: 4, batch_size: 4, curve_every: 2, device: cpu}}
{more}
"""


def planned(content: str, folder: Path) -> Plan:
    (folder / "suite.yaml").write_text(content)
    return resolve(folder / "suite.yaml", cache=folder / "stages")


def kinds(plan: Plan) -> dict[str, int]:
    each = [stage.kind for stage in plan.stages.values()]
    return {kind: each.count(kind) for kind in dict.fromkeys(each)}


def test_the_model_as_it_is_is_loaded_and_tested_once(
    store: Path, model: Path, tmp_path: Path
) -> None:
    more = "labelled: [2, all]\nseeds: [0, 1]\nby: stratified"
    plan = planned(text(store, model, more, "[naive, l2, ewc]"), tmp_path)
    assert len(plan.runs) == 3 * 2 * 2
    assert kinds(plan) == {
        "load": 1,
        "rank": 2,
        "train": 12,
        "consolidate": 2,
        "evaluate": 3 * (1 + 12),
    }, "a ranking and a consolidation for every seed"
    assert trainings(plan.graph) == (12, 12)
    assert "saved model (old scanners: bright, dark) → plain" in summary(
        [plan], StageCache(tmp_path / "stages")
    )
    run_, (note,) = plan.runs[0].run, (n for n in plan.notes if n.startswith("old: "))
    assert "does not name dark among" in note
    assert run_.experiences == (("bright", "dark"), ("plain",))
    assert run_.learning_rates(plan.context.training) == [0.02, pytest.approx(0.002)]
    assert run_.steps_per_experience(plan.context.training) == [0, 4]


def test_the_base_model_is_updated_by_its_name(
    store: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model, tmp_path / "package" / "base")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    named, given = (
        planned(text(store, each, strategies="[naive]"), tmp_path) for each in (Path("base"), model)
    )
    assert named.stages.keys() == given.stages.keys()
    assert named.runs[0].run.starting_model.folder == Path("base"), "no place of this machine"
    (outcome,) = run_suites(
        [named], [tmp_path / "r"], StageCache(tmp_path / "s"), SingleEngine(), 1, lambda _: None
    )
    assert not outcome.failures


def test_records_say_what_was_updated(store: Path, model: Path, tmp_path: Path) -> None:
    more = "labelled: [2]\nheld_out: [dark]\nmargins: {dice: 0.05}\nby: k-center"
    _, failed = run(text(store, model, more, "[naive, ewc, replay]"), tmp_path / "results")
    assert not failed
    results = load_results(tmp_path / "results")
    assert (tmp_path / "results" / "update.html").is_file(), "the dossier"
    assert [r.run_id for r in results] == [f"build-{s}-2-seed0" for s in ("naive", "ewc", "replay")]
    record = results[1].record
    assert record.schedule == "update" and record.spec.seed_images is None
    update = record.spec.update
    assert update == UpdateSpec(
        new="plain",
        old=("bright",),
        held_out=("dark",),
        budget=2,
        by="k-center",
        margins=MarginsSpec(dice=0.05, area=0.02),
        parent=update.parent if update else "",
        parent_scanners={"bright": "Bright", "elsewhere": "Elsewhere"},
        parent_simulated=True,
        parent_levels="T9 to S1",
    )
    assert record.spec.order == ("bright", "plain")
    cases = results[0].cases
    assert set(zip(cases["stage"], cases["scanner"], strict=True)) == {
        (stage, scanner) for stage in (1, 2) for scanner in ("bright", "dark", "plain")
    }
    assert all(value is None for value in record.R["mean"][0]), "no untrained network"
    before = [r.record.R["mean"][1] for r in results]
    assert before[0] == before[1] == before[2] and len({r.record.R["mean"][2] for r in results}) > 1
    assert [(row.steps, row.kept_slices > 0) for row in results[2].record.stages] == [
        (0, True),
        (4, False),
    ]
    assert "Update" in (tmp_path / "results" / "report.html").read_text()


@pytest.mark.parametrize(
    ("strategies", "more", "told"),
    [
        ("[ewc]", "held_out: [bright, dark]", "ewc needs slices of an old scanner, of which"),
        ("[si]", "", "si has to watch the training on the old scanners"),
        ("[joint]", "", "joint has no place where a saved model"),
        ("[adabn]", "", "adabn scores another network"),
        ("[naive]", "old: [plain]", "a scanner is either new, old or held out"),
        ("[naive]", "held_out: [drak]", "unknown scanner drak"),
        ("[naive]", "labelled: [400]", "labelled: 400 slices to be labelled, but plain has"),
        ("[naive]", "image: {size: 16}", "image.size: 16 is not that of the model, 32"),
        ("[naive]", "classes: [liver]", "is not that of the model"),
        ("[naive]", "models: [unet]", "is not that of the model"),
    ],
)
def test_what_cannot_be_updated_is_refused_by_the_plan(
    store: Path, model: Path, tmp_path: Path, strategies: str, more: str, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        planned(text(store, model, more, strategies), tmp_path)
    assert told in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_the_plan_says_what_leaves_it_undecided(store: Path, model: Path, tmp_path: Path) -> None:
    more = "held_out: [dark, bright]\nseeds: [0]"
    notes = "\n".join(planned(text(store, model, more), tmp_path).notes)
    assert "trained on Bright, Elsewhere, and the data have none of them" in notes
    assert "seeds: verdicts need at least 2" in notes
    assert "plain has 2 test cases, verdicts need at least 3 test patients" in notes


def test_the_others_are_named_that_run_without_old_slices(
    store: Path, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        planned(text(store, model, "held_out: [bright, dark]", "[ewc]"), tmp_path)
    for name in ("lwf", "l2", "frozen_encoder", "weight_averaging", "pod"):
        assert name in str(refused.value)


def test_without_an_old_scanner_others_run(store: Path, model: Path, tmp_path: Path) -> None:
    strategies = "[naive, {name: l2, settings: {l2_lambda: 10000}}]"
    more = "held_out: [bright, dark]\nrate_factor: 1"
    content = text(store, model, more, strategies)
    _, failed = run(content, tmp_path / "results")
    assert not failed
    results = load_results(tmp_path / "results")
    assert {r.record.spec.order for r in results} == {("plain",)}
    naive, l2 = (r.record.R_held_out["mean"] for r in results)
    assert naive[1] == l2[1] and naive[2] != l2[2], "L2 acts from the second experience on"


def test_weights_that_the_network_loads_itself_are_a_model_too(
    store: Path, model: Path, tmp_path: Path
) -> None:
    weights = model / "model.safetensors"
    lines = f"""image: {{size: 32}}
models: [{{name: "{NETWORK}", load: {weights}, learning_rate: 0.02}}]"""
    own = text(store, model, lines).replace(f"model: {model}\ntrusted_network: {NETWORK}\n", "")
    for content, folder in ((own, "own"), (text(store, model), "saved")):
        (tmp_path / folder).mkdir()
        _, failed = run(content, tmp_path / folder / "results")
        assert not failed
    own_runs, saved_runs = (load_results(tmp_path / f / "results") for f in ("own", "saved"))
    assert [r.record.R for r in own_runs] == [r.record.R for r in saved_runs]
    with pytest.raises(
        InputError, match="give `model`, a model folder, or one network with `load`"
    ):
        planned(own.replace(f"load: {weights}, ", ""), tmp_path)


def test_the_bits_are_the_same_whether_it_is_interrupted(
    store: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = text(store, model, "labelled: [3]\nby: stratified", "[replay]")
    states = []
    for name, steps_before_interruption in (("whole", 1000), ("interrupted", 3)):
        (tmp_path / name).mkdir()
        plans, cache = [planned(content, tmp_path / name)], StageCache(tmp_path / name / "stages")
        engine = SingleEngine(checkpoint_seconds=0)
        with monkeypatch.context() as patch:
            interrupt_after(steps_before_interruption, patch)
            with suppress(KeyboardInterrupt):
                run_suites(plans, [tmp_path / name / "results"], cache, engine, 1, print)
        assert (tmp_path / name / "results" / "runs").is_dir() == (name == "whole")
        run_suites(plans, [tmp_path / name / "results"], cache, engine, 1, print)
        (result,) = load_results(tmp_path / name / "results")
        states.append((cache.read(result.record.states[-1], "state2.pt"), result.record.R))
    assert states[0] == states[1]


def interrupt_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    after_step, done = CheckpointPlugin.after_training_iteration, 0

    def counted(self: CheckpointPlugin, strategy: Any, **kwargs: Any) -> None:
        nonlocal done
        after_step(self, strategy, **kwargs)
        done += 1
        if done == steps:
            raise KeyboardInterrupt

    patch.setattr(CheckpointPlugin, "after_training_iteration", counted)


def test_the_updated_network_is_saved_with_its_lineage(
    store: Path, model: Path, tmp_path: Path
) -> None:
    run(text(store, model, "held_out: [dark]", "[naive]"), tmp_path / "results")
    folder = tmp_path / "results" / "runs" / "build-naive-all-seed0"
    save_run_model(folder, tmp_path / "new", StageCache(tmp_path / "stages"))
    parent, card = read_card(model), read_card(tmp_path / "new")
    assert card.trained["update"]["parent"] == parent.weights_sha256 != card.weights_sha256
    assert list(card.scanners) == ["bright", "elsewhere", "plain"] and card.simulated
    assert card.about == About(levels="T9 to S1")
    plan = planned(text(store, tmp_path / "new", "", "[naive]"), tmp_path)
    assert plan.runs[0].run.learning_rate == 0.02, "it can be updated again"


@pytest.mark.slow
def test_every_strategy_that_can_update_does(store: Path, tmp_path: Path) -> None:
    weights = tmp_path / "unet.safetensors"
    save_file(build_model("unet", "small", {}, 3, 32).state_dict(), weights)
    no_batch_norm = {"frozen_statistics"}
    names = [n for n, s in STRATEGIES.items() if can_update(s) and n not in no_batch_norm]
    content = f"""
kind: update
name: all
image: {{size: 32}}
models: [{{name: unet, load: {weights}}}]
new: plain
data: {{store: {store}}}
split: {{test: 0.3, validation: 0.2}}
strategies: [{", ".join(names)}]
training: {{steps: 2, batch_size: 4, curve_every: 0, device: cpu}}
"""
    _, failed = run(content, tmp_path / "results")
    assert not failed
    states = {r.record.spec.strategy.name: r.record for r in load_results(tmp_path / "results")}
    assert states.keys() == set(names)
    with_old = {name for name, record in states.items() if record.stages[0].kept_bytes}
    assert with_old == {name for name in names if needs_old_slices(STRATEGIES[name])}
