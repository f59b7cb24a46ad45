"""The network a finished run has trained, as a model folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
import torch

from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.inference.saved_model import save_model
from cl_seg.inference.training_features import TrainingFeatures, measure_training_features
from cl_seg.messages.errors import InputError, one_line
from cl_seg.metrics.returns import first_visits
from cl_seg.models.build import build_model
from cl_seg.planning.plan_file import planned_split
from cl_seg.planning.split import Rows
from cl_seg.records.load import read_plan
from cl_seg.records.model_card import About, Input, ModelCard, Network
from cl_seg.records.record import RUN_FILE, RunRecord, read_record
from cl_seg.runtime.serialise import from_bytes
from cl_seg.scans.rows import selected_slices
from cl_seg.scans.splits import SPLIT_PARTS
from cl_seg.scans.store import SliceStore, is_store
from cl_seg.suite.cache import DamagedStage, StageCache, state_file


def save_run_model(run: Path, out: Path, cache: StageCache) -> ModelCard:
    """Save the network of a run as it is after its last experience.

    Where the results say which slices it was trained on, and their store is still there, features
    of its training scanners are saved with it.

    Args:
        run: folder of the run's record, ``<results>/runs/<run>``.
        out: model folder to make.
        cache: which still holds the run's last training.

    Raises:
        InputError: no record, one of a strategy whose network differs from scanner to scanner, or
            its training is no longer in the cache.
    """
    record = _record(run)
    if record.scores_with_memory:
        raise InputError(
            f"{run}: {record.strategy} has a network for every scanner, a model folder holds one"
        )
    last = record.stages[-1].position
    try:
        weights = from_bytes(cache.read(record.states[-1], state_file(last)), "cpu")
    except (DamagedStage, ValueError) as damaged:
        raise InputError(
            f"the trained network of {run} is not in {cache.folder}: name the --cache it was "
            "trained with, or remove the run's folder and run its suite again"
        ) from damaged
    try:
        card = _card(record)
    except ValueError as error:
        raise _damaged(run / RUN_FILE, error) from error
    save_model(out, weights, card, _training_features(run, record, card, weights))
    return card


def _training_features(
    run: Path, record: RunRecord, card: ModelCard, weights: dict[str, Any]
) -> TrainingFeatures | None:
    found = _store_and_split(run.parent.parent, record)
    if found is None:
        return None
    store, rows = found
    if not card.scanners.keys() <= rows.keys():  # an updated model has learned some elsewhere
        return None
    network = card.network
    model = build_model(
        network.name, network.preset, network.arguments, len(card.classes) + 1, card.input.size
    )
    model.load_state_dict(weights)
    parts = {s: _trained_and_held_out(store, s, rows[s]) for s in card.scanners}
    task = Task(tuple(card.classes), card.input.size, card.input.window_hu)
    try:
        return measure_training_features(model, TaskImages(store, task, torch.device("cpu")), parts)
    except InputError:  # a network without feature maps, or a single series: no monitor
        return None


def _store_and_split(results: Path, record: RunRecord) -> tuple[SliceStore, Rows] | None:
    """The store as the run was trained on it, and which of its slices trained."""
    if read_plan(results).get(record.run_id) != record.key:
        return None
    split = planned_split(results)
    if split is None or not is_store(split[0]):
        return None
    store = SliceStore(split[0])
    return (store, split[1]) if store.header.content_sha256 == record.data.content else None


def _trained_and_held_out(
    store: SliceStore, scanner: str, rows: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = {
        part: selected_slices(store.slices, scanner, rows[part])
        for part in rows
        if part in SPLIT_PARTS
    }
    held_out = [own for part, own in parts.items() if part != "train"]
    return parts["train"], pd.concat(held_out)


def _record(run: Path) -> RunRecord:
    path = run / RUN_FILE
    if not path.is_file():
        inside = sorted(p.parent.name for p in run.glob(f"runs/*/{RUN_FILE}"))
        hint = f": name one of its runs, e.g. {run / 'runs' / inside[0]}" if inside else ""
        raise InputError(f"{run} is no folder of a finished run (no {RUN_FILE}){hint}")
    try:
        record = read_record(path)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if record.states and record.grid and record.stages and record.stages[-1].position:
        return record
    raise InputError(
        f"{path} does not say which training is its last, it was written by an older version: "
        "remove the run's folder and run its suite again; finished stages are not repeated"
    )


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is damaged ({one_line(error)}): run its suite again")


def _card(record: RunRecord) -> ModelCard:
    spec, grid = record.spec, record.grid
    assert grid is not None, "asked before"
    scanners = tuple(first_visits(spec.order))
    seen = spec.order[-1:] if record.schedule == "single" else scanners
    parent = spec.parent
    before = parent.scanners if parent else {}
    simulated = record.data.kind == "simulated"
    rows = {name: matrix[-1] for name, matrix in record.R.items()}
    return ModelCard(
        network=Network(
            name=spec.model.name, preset=spec.model.preset, arguments=spec.model.arguments
        ),
        classes=list(spec.classes),
        input=Input(
            grid_size=grid.size,
            spacing_mm=grid.spacing_mm,
            size=spec.image.size,
            window_hu=spec.image.window_hu,
        ),
        scanners={**before, **{scanner: record.scanner_names[scanner] for scanner in seen}},
        simulated=simulated and (parent is None or parent.simulated),
        trained={"run": record.run_id, "suite": record.suite, **spec.as_suite_fields()},
        scores={s: {c: row[j] for c, row in rows.items()} for j, s in enumerate(scanners)},
        versions=record.versions,
        git_commit=record.git_commit,
        about=About(levels=parent.levels if parent else ""),
    )
