"""SEED curves from a saved model, from file to report."""

from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.analysis.claims.claim import Claim
from cl_seg.analysis.claims.judge import judge
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import Plan, resolve
from cl_seg.records.load import load_results
from cl_seg.records.model_card import read_card
from cl_seg.records.run_spec import SavedModelSpec
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites
from cl_seg.suite.run_model import save_run_model
from cl_seg.suite.summary import summary, trainings

from .conftest import NETWORK, run
from .test_update import interrupt_after


def text(store: Path, model: Path, more: str = "", images: str = "[1, 4]") -> str:
    return f"""
kind: seed_curve
name: curve
model: {model}
trusted_network: {NETWORK}
target: plain
data: {{store: {store}}}
split: {{test: 0.3}}
seed_images: {images}
training: {{steps: 3, batch_size: 2, curve_every: 0, device: cpu}}
{more}
"""


def planned(content: str, folder: Path) -> Plan:
    (folder / "suite.yaml").write_text(content)
    return resolve(folder / "suite.yaml", cache=folder / "stages")


def stages(plan: Plan, kind: str) -> list[str]:
    return [key for key, stage in plan.stages.items() if stage.kind == kind]


def test_one_model_is_transferred_ranks_and_is_tested_once(
    store: Path, model: Path, tmp_path: Path
) -> None:
    more = "by: [random, k-center]\nstrategies: [naive, frozen_encoder]\nseeds: [0, 1]"
    plan = planned(text(store, model, more), tmp_path)
    assert len(plan.runs) == (2 + 1) * 2 * 2 * 2, "from scratch strategies make no difference"
    assert trainings(plan.graph) == (24, 24)
    (loaded,) = stages(plan, "load")
    ranks = [plan.stages[key] for key in stages(plan, "rank")]
    assert sorted(rank.state_key for rank in ranks) == ["", "", loaded, loaded]
    assert len(stages(plan, "evaluate")) == 1 + 24 + 2, "the model, all, and untrained per seed"
    assert set(plan.cases) == {"plain"}, "no other scanner is needed"
    of = {planned_run.run_id: planned_run.run for planned_run in plan.runs}
    transfer, scratch = (of[f"build-{name}-random-4-seed1"] for name in ("naive", "scratch"))
    training = plan.context.training
    assert transfer.learning_rates(training) == [0.02, 0.02] and scratch.learning_rate == 0.02
    assert transfer.steps_per_experience(training) == [0, 3]
    assert scratch.steps_per_experience(training) == [3]
    assert transfer.selection(2) == scratch.selection(1)
    assert "saved model → plain" in summary([plan], StageCache(tmp_path / "stages"))


def test_rate_and_steps_of_later_training_are_those_of_transfer(
    store: Path, model: Path, tmp_path: Path
) -> None:
    more = "start: [transfer, scratch]"
    content = text(store, model, more).replace(
        "device: cpu", "device: cpu, later: {rate_factor: 0.1, steps_factor: 2}"
    )
    plan = planned(content, tmp_path)
    transfer, scratch = plan.runs[0].run, plan.runs[-1].run
    assert transfer.learning_rates(plan.context.training)[1] == pytest.approx(0.002)
    assert transfer.steps_per_experience(plan.context.training) == [0, 6]
    assert scratch.learning_rates(plan.context.training) == [0.02]
    assert scratch.steps_per_experience(plan.context.training) == [3]


def test_scratch_alone_loads_the_model_only_to_rank(
    store: Path, model: Path, tmp_path: Path
) -> None:
    plans = [
        planned(text(store, model, f"start: [scratch]\nby: [{by}]"), tmp_path)
        for by in ("stratified", "entropy")
    ]
    assert [len(stages(plan, "load")) for plan in plans] == [0, 1]
    assert "saved model → plain" in summary(plans[:1], StageCache(tmp_path / "stages"))


def test_runs_have_records_a_report_and_a_point_of_no_slices(
    store: Path, model: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    more = "seeds: [0, 1]\nby: [entropy]"
    said, failed = run(text(store, model, more), results)
    assert not failed and not said
    found = {result.run_id: result for result in load_results(results)}
    record = found["build-naive-entropy-4-seed1"].record
    base_model = SavedModelSpec(
        name="model",
        weights_sha256=read_card(model).weights_sha256,
        scanners={"bright": "Bright", "elsewhere": "Elsewhere"},
        simulated=True,
        levels="T9 to S1",
    )
    images = record.spec.seed_images
    assert record.schedule == "seed_curve" and record.spec.order == ("plain",)
    assert images is not None and (images.base, images.base_model) == ((), base_model)
    assert record.spec.parent == base_model
    assert [(row.selection, row.steps) for row in record.stages] == [
        ("saved model", 0),
        ("4 of plain by entropy", 3),
    ]
    assert found["build-scratch-entropy-4-seed1"].record.spec.parent is None

    table = pd.read_csv(results / "summary.csv").set_index(["strategy", "images"])
    assert sorted(table.index) == [
        *(("Naive", count) for count in (0, 1, 4)),
        *(("scratch", count) for count in (1, 4)),
    ]
    as_it_is = table.loc[("Naive", 0)]
    assert as_it_is["Dice"] == pytest.approx(record.R["mean"][1][0])
    assert as_it_is["Dice ±"] > 0 and as_it_is["seeds"] == 2
    page = (results / "report.html").read_text()
    assert f"Starting model: model ({base_model.weights_sha256[:12]}), trained on Bright, " in page
    assert "Elsewhere (simulated CT only); new scanner: plain." in page
    assert "saved model model → Plain" in page and "Base scanners" not in page

    sides = [{"networks": ["build"], "strategy": "Naive", "seed_images": n} for n in (4, 0)]
    contrast = {"suite": "results", "score": "ACC", "a": sides[0], "b": sides[1]}
    claim = Claim.model_validate({"name": "a", "says": "b", "source": "c", "contrasts": [contrast]})
    (evidence,) = judge([claim], tmp_path)[0].evidence
    gain = table.loc[("Naive", 4), "Dice"] - as_it_is["Dice"]
    assert evidence.effect == pytest.approx(gain, abs=1e-6)


def test_one_patient_is_enough_where_cases_are_split(
    store: Path, model: Path, tmp_path: Path
) -> None:
    content = text(store, model, "start: [transfer]", "[2]")
    content = content.replace("{test: 0.3}", "{by: within_case, test: 0.3, validation: 0.2}")
    _, failed = run(content, tmp_path / "results")
    assert not failed
    assert list(pd.read_csv(tmp_path / "results" / "summary.csv")["images"]) == [0, 2]


def test_the_bits_are_the_same_whether_it_is_interrupted(
    store: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, states = text(store, model, "start: [transfer]\nby: [k-center]", "[4]"), []
    for name, steps_before_interruption in (("whole", 1000), ("interrupted", 2)):
        (tmp_path / name).mkdir()
        plans, cache = [planned(content, tmp_path / name)], StageCache(tmp_path / name / "stages")
        engine = SingleEngine(checkpoint_seconds=0)
        with monkeypatch.context() as patch:
            interrupt_after(steps_before_interruption, patch)
            with suppress(KeyboardInterrupt):
                run_suites(plans, [tmp_path / name / "results"], cache, engine, 1, print)
        run_suites(plans, [tmp_path / name / "results"], cache, engine, 1, print)
        found = load_results(tmp_path / name / "results")
        last = [cache.read(result.record.states[-1], "state2.pt") for result in found]
        states.append((last, [result.record.R for result in found]))
    assert states[0] == states[1]


def test_the_network_is_saved_with_its_lineage(store: Path, model: Path, tmp_path: Path) -> None:
    run(text(store, model, "by: [stratified]", "[4]"), tmp_path / "results")
    cards = []
    for name in ("naive", "scratch"):
        folder = tmp_path / "results" / "runs" / f"build-{name}-stratified-4-seed0"
        save_run_model(folder, tmp_path / name, StageCache(tmp_path / "stages"))
        cards.append(read_card(tmp_path / name))
    transfer, scratch = cards
    assert list(transfer.scanners) == ["bright", "elsewhere", "plain"]
    assert transfer.about.levels == "T9 to S1"
    assert transfer.trained["base_model"]["weights_sha256"] == read_card(model).weights_sha256
    assert list(scratch.scanners) == ["plain"] and not scratch.about.levels


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("base: [bright]", "base: a saved model, `model`, takes the place of training on base"),
        ("strategies: [ewc, naive]", "ewc needs slices of an old scanner, of which there is none"),
        ("strategies: [si]", "si has to watch the training on the old scanners"),
        ("strategies: [adabn]", "adabn scores another network"),
        ("strategies: [joint]", "joint has no place in a seed curve"),
        ("classes: [liver]", "classes: ['liver'] is not that of the model"),
        ("image: {size: 16}", "image.size: 16 is not that of the model, 32"),
        ("models: [unet]", "is not that of the model"),
    ],
)
def test_what_cannot_start_from_it_is_refused_by_the_plan(
    store: Path, model: Path, tmp_path: Path, more: str, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        planned(text(store, model, more), tmp_path)
    assert told in str(refused.value) and len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("target: plain", "target: plane", "did you mean plain?"),
        ("[1, 4]", "[1, 400]", "seed_images: 400 slices to be labelled, but plain has"),
        ("model: ", "model: /nowhere", "is no model folder"),
        ("trusted_network", "#", "is code outside this package"),
    ],
)
def test_what_does_not_fit_the_data_is_told(
    store: Path, model: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        planned(text(store, model).replace(old, new, 1), tmp_path)
    assert told in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_a_scanner_that_the_model_knows_is_told(store: Path, model: Path, tmp_path: Path) -> None:
    content = text(store, model).replace("target: plain", "target: bright")
    (note,) = (n for n in planned(content, tmp_path).notes if n.startswith("target: "))
    assert "names bright among the scanners it was trained on" in note
