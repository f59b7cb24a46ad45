"""Which stages a suite has, and which of them an edit touches."""

import ast
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import cl_seg
from cl_seg.planning import environment
from cl_seg.planning.plan import resolve
from cl_seg.planning.source import callable_hash, source_hash, stage_source_hash
from cl_seg.planning.stages import Graph, Stage
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.suite.summary import trainings


def stages_of(text: str, folder: Path) -> Graph:
    (folder / "suite.yaml").write_text(text)
    forget_sources()
    return resolve(folder / "suite.yaml", cache=folder / "stages").graph


def forget_sources() -> None:
    for kept in (source_hash, stage_source_hash, callable_hash):
        kept.cache_clear()


def several(store: Path, strategies: str, orders: str = "as_listed", seeds: str = "[0]") -> str:
    return f"""
kind: stream
name: tiny
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [unet]
strategies: {strategies}
orders: {orders}
seeds: {seeds}
training: {{steps: 12, batch_size: 4, curve_every: 6, device: cpu}}
"""


def count(planned: Graph, kind: str) -> int:
    return sum(stage.kind == kind for stage in planned.stages.values())


def test_parents_come_first_and_keys_differ(suite_text: str, tmp_path: Path) -> None:
    planned = stages_of(suite_text, tmp_path)
    seen: set[str] = set()
    for key, stage in planned.stages.items():
        assert key == stage.key and seen.issuperset(stage.needed_keys)
        seen.add(key)


def test_the_first_experience_and_its_memory_are_shared(store: Path, tmp_path: Path) -> None:
    strategies = "[naive, replay, " + ", ".join(
        f"{{name: ewc, label: ewc{k}, settings: {{ewc_lambda: {k}}}}}" for k in (1, 10, 100)
    )
    planned = stages_of(several(store, strategies + "]"), tmp_path)
    assert trainings(planned) == (15, 1 + 5 * 2)
    first = [s for s in planned.stages.values() if s.kind == "consolidate" and s.position == 1]
    assert len(first) == 2, "Fisher and replay memory of the first scanner, whatever λ"
    assert count(planned, "consolidate") == 2 + 4, "none after the last experience"


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("ewc_lambda: 1", "ewc_lambda: 2", True),
        ("fisher_images: 3", "fisher_images: 4", False),
        ("fisher: empirical", "fisher: sampled", False),
    ],
)
def test_settings_that_act_in_training_alone_share_the_memory(
    store: Path, tmp_path: Path, one: str, other: str, shared: bool
) -> None:
    strategies = ", ".join(
        f"{{name: ewc, label: {name}, settings: {{{settings}}}}}"
        for name, settings in (("a", one), ("b", other))
    )
    planned = stages_of(several(store, f"[{strategies}]"), tmp_path)
    first = [s for s in planned.stages.values() if s.kind == "consolidate" and s.position == 1]
    assert len(first) == (1 if shared else 2)


def test_a_strategy_that_watches_the_first_experience_is_not_shared(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    watching = replace(STRATEGIES["ewc"], first_active_experience=1)
    monkeypatch.setitem(STRATEGIES, "ewc", watching)
    planned = stages_of(several(store, "[naive, ewc]"), tmp_path)
    assert trainings(planned) == (6, 6)


@pytest.mark.parametrize("name", ["si", "rwalk"])
def test_a_penalty_has_no_part_in_the_first_experience(
    store: Path, tmp_path: Path, name: str
) -> None:
    strategy = f"{{name: {name}, grid: {{{name}_lambda: [1, 2, 3]}}}}"
    planned = stages_of(several(store, f"[{strategy}]"), tmp_path)
    assert trainings(planned) == (9, 1 + 3 * 2)


def test_a_network_with_settings_of_its_own_has_stages_of_its_own(
    store: Path, tmp_path: Path
) -> None:
    strategy = "{name: l2, settings: {l2_lambda: 1}, settings_of: {other: {l2_lambda: 2}}}"
    text = several(store, f"[{strategy}]")
    networks = "models: [unet, {name: unet, label: other}]"
    alone = stages_of(text.replace(", settings_of: {other: {l2_lambda: 2}}", ""), tmp_path)
    both = stages_of(text.replace("models: [unet]", networks), tmp_path)
    assert trainings(both) == (6, 1 + 2 * 2)
    assert alone.stages.keys() < both.stages.keys()


def test_a_strategy_can_be_for_some_networks_only(store: Path, tmp_path: Path) -> None:
    text = several(store, "[naive, {name: replay, networks: [other]}]")
    text = text.replace("models: [unet]", "models: [unet, {name: unet, label: other}]")
    planned = stages_of(text, tmp_path)
    assert [(run.run.model.label, run.run.strategy.label) for run in planned.runs] == [
        ("unet", "naive"),
        ("other", "naive"),
        ("other", "replay"),
    ]


def test_orders_share_their_beginnings(tmp_path: Path) -> None:
    text = several(tmp_path, "[naive]", "all").replace(
        f"data: {{store: {tmp_path}}}",
        "data: {phantom: {scanners: [siemens_like, ge_like, canon_like, stress_sharp], "
        "own_bodies: 4, shared_bodies: 2, size: 64}}",
    )
    planned = stages_of(text, tmp_path)
    assert len(planned.runs) == 24 and trainings(planned) == (96, 64)


def test_suites_share_with_each_other(store: Path, tmp_path: Path) -> None:
    naive = stages_of(several(store, "[naive]"), tmp_path)
    replay = stages_of(several(store, "[replay]").replace("name: tiny", "name: other"), tmp_path)
    both = naive.add(replay)
    assert trainings(both) == (6, 5)
    grown = stages_of(several(store, "[naive, replay]", seeds="[0, 1]"), tmp_path)
    assert both.stages.keys() < grown.stages.keys(), "a larger grid keeps what there is"


ALL_REGIMES = "[naive, ewc, si, single, joint, cumulative]"


def with_later(text: str, later: str) -> str:
    return text.replace("{steps: 12,", f"{{steps: 12, later: {later},")


@pytest.mark.parametrize("later", ["{}", "{rate_factor: 1, steps_factor: 1}"])
def test_later_stages_like_the_first_change_no_key(store: Path, tmp_path: Path, later: str) -> None:
    text = several(store, ALL_REGIMES)
    before, after = stages_of(text, tmp_path), stages_of(with_later(text, later), tmp_path)
    assert before.stages.keys() == after.stages.keys()
    assert [run.key for run in before.runs] == [run.key for run in after.runs]


@pytest.mark.parametrize("later", ["{rate_factor: 0.1}", "{steps_factor: 0.5}"])
def test_later_stages_of_their_own_change_only_what_trains_on(
    store: Path, tmp_path: Path, later: str
) -> None:
    """Two suites, with and without, share the first stage and all training from scratch."""
    text = several(store, ALL_REGIMES)
    before, after = stages_of(text, tmp_path), stages_of(with_later(text, later), tmp_path)
    for key, stage in before.stages.items():
        changed = stage.position > 1 and stage.run.strategy.name not in {"single", "joint"}
        assert (key in after.stages) != changed, stage.title


def test_later_stages_of_their_own_change_a_run_that_is_one_stage(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_plugin.py").write_text("class Idle:\n    pass\n")
    text = several(store, '["own_plugin:Idle"]')
    before = stages_of(text, tmp_path)
    after = stages_of(with_later(text, "{rate_factor: 0.1}"), tmp_path)
    assert before.runs[0].training_keys != after.runs[0].training_keys


def test_scanners_to_come_do_not_matter(store: Path, tmp_path: Path) -> None:
    a = stages_of(several(store, "[naive]", "[[bright, dark]]"), tmp_path)
    b = stages_of(several(store, "[naive]", "[[bright, plain]]"), tmp_path)
    assert a.runs[0].training_keys[0] == b.runs[0].training_keys[0]
    assert a.runs[0].training_keys[1] != b.runs[0].training_keys[1]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's source, which is what keys are made from."""
    copy = tmp_path / "source" / "cl_seg"
    shutil.copytree(Path(cl_seg.__file__).parent, copy, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(cl_seg, "__file__", str(copy / "__init__.py"))
    yield copy
    forget_sources()


def everything(stage: Stage) -> bool:
    return True


def nothing(stage: Stage) -> bool:
    return False


def trained(stage: Stage) -> bool:
    return stage.position > 0


def scored(stage: Stage) -> bool:
    return stage.kind == "evaluate"


def of(*strategies: str) -> Callable[[Stage], bool]:
    """Consolidations of strategies, their trainings from the second on, and what follows."""
    return lambda stage: stage.uses_strategy and stage.run.strategy.name in strategies


EDITS = [
    ("losses.py", trained),
    ("training/loop.py", trained),
    ("training/checkpoint.py", trained),
    ("training/validation_curve.py", trained),
    ("training/seeds.py", everything),
    ("evaluation/predict.py", everything),
    ("evaluation/pixel_counts.py", everything),
    ("evaluation/case_scores.py", scored),
    ("evaluation/examples.py", scored),
    ("metrics/segmentation.py", scored),
    ("metrics/continual.py", nothing),
    ("metrics/__init__.py", nothing),
    ("suite/stages/train.py", trained),
    ("suite/stages/consolidate.py", of("replay", "ewc")),
    ("suite/stages/evaluate.py", scored),
    ("suite/stages/rank.py", nothing),
    ("suite/stages/compute.py", nothing),
    ("suite/stages/inputs.py", everything),
    ("active_learning/embedding.py", of("replay")),
    ("strategies/ewc/plugin.py", of("ewc")),
    ("strategies/shared/fisher.py", of("ewc")),
    ("strategies/replay/plugin.py", of("replay")),
    ("strategies/si/plugin.py", nothing),
    ("strategies/replay/__init__.py", of("replay")),
    ("strategies/registry.py", nothing),
    ("strategies/__init__.py", nothing),
    ("models/monai_networks.py", everything),
    ("models/build.py", everything),
    ("models/vnet.py", nothing),
    ("benchmark/task_images.py", everything),
    ("scans/area_preserving_labels.py", everything),
    ("scans/rows.py", everything),
    ("scans/ingest.py", nothing),
    ("analysis/figures/curves.py", nothing),
    ("cli/__init__.py", nothing),
    ("spec/suite.py", nothing),
    ("planning/stage_graph.py", nothing),
    ("__init__.py", nothing),
]


def test_an_edit_touches_exactly_the_stages_that_depend_on_it(
    store: Path, tmp_path: Path, package: Path
) -> None:
    text = several(store, "[naive, replay, ewc, joint]")
    before = stages_of(text, tmp_path)
    for file, touched in EDITS:
        content = (package / file).read_text()
        (package / file).write_text(content + "\n_EDITED = 1\n")
        kept = stages_of(text, tmp_path).stages.keys()
        (package / file).write_text(content)
        for key, stage in before.stages.items():
            assert (key in kept) != touched(stage), (file, stage.title)


def test_comments_docstrings_and_formatting_touch_nothing(
    store: Path, tmp_path: Path, package: Path
) -> None:
    text = several(store, "[naive, replay, ewc, joint]")
    before = stages_of(text, tmp_path)
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                node.body.insert(0, ast.Expr(ast.Constant("Another docstring.")))
        path.write_text(f"# A comment.\n{ast.unparse(tree)}\n")
    assert stages_of(text, tmp_path).stages.keys() == before.stages.keys()


def test_another_version_of_a_package_touches_everything(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = several(store, "[naive, ewc]")
    before = stages_of(text, tmp_path)
    newer = {**environment.versions(), "monai": "99"}
    monkeypatch.setattr(environment, "versions", lambda: newer)
    assert not before.stages.keys() & stages_of(text, tmp_path).stages.keys()


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_an_edited_label_touches_what_saw_it(store: Path, tmp_path: Path, part: str) -> None:
    from cl_seg.scans.rows import parse_ranges

    copy = tmp_path / "edited.store"
    shutil.copytree(store, copy)
    text = several(copy, "[naive, replay]")
    before = stages_of(text, tmp_path)
    row = parse_ranges(before.runs[0].context.rows["dark"][part])[0]
    labels = np.load(copy / "dark" / "labels.npy")
    labels[row, 0, 0] = 2
    np.save(copy / "dark" / "labels.npy", labels)
    kept = stages_of(text, tmp_path).stages.keys()
    for key, stage in before.stages.items():
        saw_training = stage.position >= 2
        if part == "test":
            touched = stage.kind == "evaluate" and stage.scanner == "dark"
        else:
            touched = saw_training
        assert (key in kept) != touched, stage.title


@pytest.mark.parametrize("change", ["classes", "spacing"])
def test_what_pixels_and_labels_mean_touches_everything_that_sees_them(
    store: Path, tmp_path: Path, change: str
) -> None:
    copy = tmp_path / "edited.store"
    shutil.copytree(store, copy)
    before = stages_of(several(copy, "[naive]"), tmp_path)
    header = json.loads((copy / "store.json").read_text())
    if change == "classes":
        header["classes"].reverse()
    else:
        header["grid"]["spacing_mm"] /= 2
    (copy / "store.json").write_text(json.dumps(header))
    assert not before.stages.keys() & stages_of(several(copy, "[naive]"), tmp_path).stages.keys()


def test_joint_on_one_scanner_is_not_naive_on_it(store: Path, tmp_path: Path) -> None:
    planned = stages_of(several(store, "[naive, joint]", "[[bright]]"), tmp_path)
    naive, joint = planned.runs
    assert naive.run.training_set_name(1) != joint.run.training_set_name(1), "their seeds differ"
    assert naive.training_keys != joint.training_keys


def test_labels_of_networks_and_strategies_do_not_mix(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    text = several(store, "[{name: ewc, label: training}]").replace(
        "[unet]", '[{name: "own_net:build", label: training, learning_rate: 0.1}]'
    )
    (tmp_path / "own_net.py").write_text("build = 1\n")
    before = stages_of(text, tmp_path)
    (tmp_path / "own_net.py").write_text("build = 2\n")
    assert not before.stages.keys() & stages_of(text, tmp_path).stages.keys()


@pytest.mark.parametrize(
    "change",
    [
        ("batch_size: 4", "batch_size: 5"),
        ("steps: 12", "steps: 13"),
        ("curve_every: 6", "curve_every: 5"),
        ("steps: 12", "steps: 12, augment: {gin: {probability: 0.5}}"),
        ("models: [unet]", "models: [{name: unet, learning_rate: 0.5}]"),
    ],
)
def test_training_settings_touch_what_is_trained(
    store: Path, tmp_path: Path, change: tuple[str, str]
) -> None:
    text = several(store, "[naive]")
    before = stages_of(text, tmp_path)
    kept = stages_of(text.replace(*change), tmp_path).stages.keys()
    assert {s.position for k, s in before.stages.items() if k in kept} == {0}


def test_style_augmentation_that_is_off_touches_nothing(store: Path, tmp_path: Path) -> None:
    text = several(store, "[naive]")
    for off in ("{}", "{gin: {probability: 0, layers: 3}}"):
        same = text.replace("steps: 12", f"steps: 12, augment: {off}")
        assert stages_of(same, tmp_path).stages.keys() == stages_of(text, tmp_path).stages.keys()
