"""The graph of stages gives what each run gives alone, bit for bit."""

import copy
from pathlib import Path
from typing import Any, ClassVar

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import pytest
import torch

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.predict import ImageBatches, predict
from cl_seg.planning.context import StageContext
from cl_seg.planning.plan import resolve
from cl_seg.planning.runs import Run
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.scans.rows import selected_slices
from cl_seg.scans.store import SliceStore
from cl_seg.strategies.registry import find_strategy
from cl_seg.suite.stages.initial import initial_model
from cl_seg.suite.stages.plugin_state import memory_footprint, strategy_plugin
from cl_seg.training.experience import (
    augmentation_config,
    experience_loop,
    loop_settings,
    train_experience,
)
from cl_seg.training.seeds import derive_seeds

from .conftest import run
from .test_run import records

STRATEGIES = """strategies:
  - naive
  - {name: replay, settings: {budget: 4}}
  - {name: replay, label: chosen, settings: {select: k-center, by: patient, batch: added}}
  - {name: ewc, label: ewc_weak, settings: {ewc_lambda: 0.001, fisher_images: 4}}
  - {name: ewc, label: ewc_strong, settings: {ewc_lambda: 0.02, fisher_images: 4}}
  - {name: ewc, label: ewc_online, settings: {ewc_lambda: 0.005, mode: online, decay: 0.9}}
  - {name: agem, settings: {budget: 4}}
  - {name: der, settings: {percent: 30, by: patient}}
  - {name: mas, settings: {images: 3}}
  - si
  - {name: rwalk, settings: {every: 5}}
  - lwf
  - l2
  - {name: frozen_encoder, settings: {encoder: "0"}}
  - frozen_statistics
  - stale_statistics
  - never_update
  - {name: weight_averaging, settings: {ema: 0.8, recount_statistics: true}}
  - adabn
  - {name: test_statistics, settings: {prior: 2}}
  - {name: tent, settings: {steps: 3, learning_rate: 0.1}}
  - norm_per_scanner
  - {name: norm_per_scanner, label: norm_ewc, settings: {filters: ewc, ewc_lambda: 0.02}}
  - adapters
  - single
  - cumulative
  - {name: cumulative, label: restart, settings: {restart: true}}
  - joint
orders: [[bright, dark, plain], [bright, plain, dark]]
seeds: [0, 1]
training"""


def alone(planned: Run, suite: StageContext, store: SliceStore) -> dict[str, Any]:
    """R of one run: one model, one plugin, one Avalanche loop after the other, in memory."""
    images = TaskImages(
        store,
        Task(tuple(suite.classes), suite.image.size, suite.image.window_hu),
        torch.device("cpu"),
    )
    mm = store.header.grid.spacing_mm

    def rows(scanner: str, part: str) -> pd.DataFrame:
        return selected_slices(store.slices, scanner, suite.rows[scanner][part])

    train = [pd.concat([rows(s, "train") for s in e]) for e in planned.experiences]
    stream = dense_benchmark(images, {"train": train}).train_stream
    model, plugin = initial_model(planned, suite), strategy_plugin(planned)
    cases: list[dict[str, Any]] = []

    def score(stage: int) -> None:
        trained = copy.deepcopy(model.state_dict())
        scoring = find_strategy(planned.strategy.name).scoring if stage else "as_trained"
        for position, scanner in enumerate(planned.order):
            own = rows(scanner, "test")
            parts = [one for _, one in own.groupby("case")] if scoring == "per_case" else [own]
            for part in parts:
                slices = SliceDataset(images, part)
                if scoring != "as_trained":
                    plugin.prepare_scoring(model, position, ImageBatches(slices))
                found, truth = predict(model, slices)
                model.load_state_dict(trained)
                scores = case_scores(found, truth, list(part["case"]), suite.classes, mm)
                cases.extend({"stage": stage, "scanner": scanner, **row} for row in scores)

    score(0)
    steps = planned.steps_per_experience(suite.training)
    rates = planned.learning_rates(suite.training)
    for position, experience in enumerate(stream, start=1):
        if planned.from_scratch:
            model = initial_model(planned, suite)
        loop = experience_loop(
            model,
            derive_seeds(planned.seed, position, planned.training_set_name(position)),
            loop_settings(suite.training, rates[position - 1], steps[:position]),
            augmentation_config(suite.training, suite.image.window_hu),
            [plugin] if plugin else [],
        )
        train_experience(loop, experience)
        score(position)
    return accuracy_matrices(pd.DataFrame(cases), planned.order, suite.classes)


@pytest.mark.slow
def test_shared_runs_equal_the_same_runs_alone(
    suite_text: str, store: Path, tmp_path: Path
) -> None:
    head = suite_text[: suite_text.index("strategies:")]
    tail = suite_text[suite_text.index("training") + len("training") :]
    text = (head + STRATEGIES + tail).replace("steps: 12", "steps: 40").replace("0.05", "0.02")
    text = text.replace("tiny_network:build", "tiny_network:build_normed")
    _, failed = run(text, tmp_path / "results", workers=2)
    assert not failed
    shared = records(tmp_path / "results")
    planned = resolve(tmp_path / "suite.yaml", cache=tmp_path / "stages")
    assert len(planned.runs) == len(shared) == 27 * 2 * 2 + 2
    distinct = {str(record.R) for record in shared.values()}
    assert len(distinct) == len(shared), "every run gives numbers of its own"
    for one in (stages.run for stages in planned.runs):
        expected = alone(one, planned.context, SliceStore(store))
        for name, matrix in shared[one.run_id].R.items():
            assert (np.array(matrix, dtype=float) == expected[name]).all(), one.run_id


def test_a_network_that_draws_with_numpy_is_the_same_in_every_process(
    suite_text: str, tmp_path: Path
) -> None:
    (tmp_path / "suite.yaml").write_text(suite_text.replace(":build", ":build_drawn_by_numpy"))
    planned = resolve(tmp_path / "suite.yaml", cache=tmp_path / "stages")
    models = [initial_model(planned.runs[0].run, planned.context) for _ in range(2)]
    one, other = (model.state_dict() for model in models)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_a_plugin_of_ones_own_calls_memory_is_no_slices() -> None:
    class Remembering:
        memory: ClassVar[dict[str, object]] = {"weight": 0.5, "more": torch.zeros(64, 128)}

        def state_dict(self) -> dict[str, object]:
            return self.memory

    assert memory_footprint(Remembering(), 512) == {"kept_slices": 0, "kept_bytes": 64 * 128 * 4}
