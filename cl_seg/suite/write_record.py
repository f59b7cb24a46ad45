"""Writes the record of a finished run: run.json, cases.parquet, curve.parquet and examples.npz."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cl_seg
from cl_seg.files.write import replaced_folder, write_json
from cl_seg.metrics.segmentation import dice_of_counts
from cl_seg.planning.context import StageContext
from cl_seg.planning.environment import git_commit, versions
from cl_seg.planning.runs import Run, SeedImages
from cl_seg.planning.stages import PlannedRun
from cl_seg.records import tables
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.record import (
    RUN_FILE,
    DataRecord,
    GridRecord,
    Rows,
    RunRecord,
    StageRow,
    matrix_rows,
    recorded_key,
)
from cl_seg.records.run_spec import RunSpec
from cl_seg.scans.store import read_header
from cl_seg.strategies.registry import find_strategy
from cl_seg.strategies.strategy import Settings
from cl_seg.suite.cache import CASES, CURVE, EXAMPLE, StageCache

NEEDED = (RUN_FILE, tables.CASES, tables.CURVE)
MOST_STAGES = 12  # whose predictions on a typical slice are kept


def run_spec(run: Run, context: StageContext) -> RunSpec:
    """Everything of the suite that determines one run's result."""
    split = context.split
    assert split is not None, "a run without a test has no record"
    parts = {"model": run.model, "strategy": run.strategy, "split": split}
    parts |= {"image": context.image, "training": context.training_of(run.model)}
    images = None if context.margins else run.seed_images
    # Not said where it is the default, as in records from before there was a choice.
    unusual: dict[str, Any] = {} if context.evaluate == "all" else {"evaluate": context.evaluate}
    unusual |= {"held_out": context.held_out} if context.held_out else {}
    unusual |= {"months": run.months} if run.months else {}
    unusual |= {"replicate": run.replicate} if run.replicate else {}
    unusual |= {"update": _update(run, context)} if context.margins else {}
    return RunSpec.model_validate({
        "order": run.order,
        "learning_rate": run.learning_rate,
        "seed": run.seed,
        "classes": context.classes,
        "learned_dice": context.learned_dice,
        "seed_images": images and _seed_images(images),
        **unusual,
        **{name: part.model_dump(mode="json") for name, part in parts.items()},
    })  # fmt: skip


def _seed_images(images: SeedImages) -> dict[str, Any]:
    found = {"count": images.count, "by": images.by, "start": images.start}
    found |= {"base": images.base_scanners}
    if (model := images.base_model) is None:
        return found
    assert model.folder is not None, "a seed curve names a model folder"
    base_model = {
        "name": model.folder.name,
        "weights_sha256": model.weights_sha256,
        "scanners": model.scanners,
        "simulated": model.simulated,
        "levels": model.levels,
    }
    return {**found, "base_model": base_model}


def _update(run: Run, context: StageContext) -> dict[str, Any]:
    model, images, new = run.starting_model, run.seed_images, run.order[-1]
    assert model is not None and context.margins is not None
    return {
        "new": new,
        "old": run.order[:-1],
        "held_out": context.held_out,
        "budget": images.count if images else context.counts[new]["train"],
        "by": images.by if images else "",
        "margins": context.margins.model_dump(),
        "parent": model.weights_sha256,
        "parent_scanners": model.scanners,
        "parent_simulated": model.simulated,
        "parent_levels": model.levels,
    }


def is_finished(folder: Path, key: str) -> bool:
    """True where ``folder`` holds the record of a run with this key, be it without pictures."""
    return all((folder / name).is_file() for name in NEEDED) and recorded_key(folder) == key


def write_record(folder: Path, planned: PlannedRun, cache: StageCache) -> None:
    """Collect a run's record from its stages and write it to ``folder``, replacing an older one.

    Raises:
        DamagedStage: a stage is missing or damaged.
    """
    run = planned.run
    cases = case_scores_of(list(chain.from_iterable(planned.evaluation_keys)), cache)
    curve = curve_of(planned.training_keys, cache)
    record = _record(planned, cache, _matrices(planned, cases, run.scanners))
    if held_out := planned.context.held_out:
        unseen = _matrices(planned, cases, held_out)
        record = record.model_copy(update={"R_held_out": unseen})
    with replaced_folder(folder) as building:
        cases.to_parquet(building / tables.CASES, index=False)
        curve.to_parquet(building / tables.CURVE, index=False)
        np.savez_compressed(building / tables.EXAMPLES, **_examples(planned, cache))
        write_json(building / RUN_FILE, record.as_json())


def _matrices(planned: PlannedRun, cases: pd.DataFrame, scanners: Sequence[str]) -> dict[str, Rows]:
    matrices = accuracy_matrices(cases, scanners, planned.context.classes)
    return {name: matrix_rows(r) for name, r in matrices.items()}


def case_scores_of(tested: Sequence[str], cache: StageCache) -> pd.DataFrame:
    """Scores per case and class of evaluations, by their keys, "" for none.

    Raises:
        DamagedStage: one is missing or damaged.
    """
    return pd.concat([_table(cache, key, CASES) for key in filter(None, tested)])


def curve_of(trained: Sequence[str], cache: StageCache) -> pd.DataFrame:
    """Validation Dice during trainings, by their keys.

    Raises:
        DamagedStage: one is missing or damaged.
    """
    curve = pd.concat([_table(cache, key, CURVE) for key in trained])
    counts = zip(curve.pop("overlap"), curve.pop("predicted"), curve.pop("true"), strict=True)
    curve["dice"] = np.array([dice_of_counts(*row) for row in counts], dtype=float)
    return curve


def _record(planned: PlannedRun, cache: StageCache, matrices: dict[str, Rows]) -> RunRecord:
    run, context = planned.run, planned.context
    header = read_header(context.store)
    strategy = find_strategy(run.strategy.name)
    trained = [cache.metadata(key) for key in planned.training_keys]
    last = trained[-1]
    return RunRecord(
        run_id=run.run_id,
        suite=context.name,
        key=planned.key,
        spec=run_spec(run, context),
        model=run.titles["model"],
        strategy=run.titles["strategy"],
        order_number=run.order_number,
        place=run.grid_position,
        schedule=_schedule(planned),
        scores_with_memory=strategy.changes_scoring,
        scanner_names={s: header.scanners[s] for s in planned.tested_scanners},
        data=DataRecord(
            content=header.content_sha256,
            kind=header.provenance.get("kind", "scans"),
            implausible_hu=len(header.provenance.get("implausible_hu", [])),
        ),
        grid=GridRecord(size=header.grid.size, spacing_mm=header.grid.spacing_mm),
        R=matrices,
        states=planned.training_keys,
        stages=_stage_rows(planned, cache, trained),
        device=last["device"],
        processor=last["processor"],
        parameters=last["parameters"],
        slices={name: dict(parts) for name, parts in context.counts.items()},
        versions={"cl_seg": cl_seg.__version__, **versions()},
        git_commit=git_commit(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _schedule(planned: PlannedRun) -> str:
    run = planned.run
    if planned.context.margins:
        return "update"
    if run.months and not run.joint:
        return "months"
    return "seed_curve" if run.seed_images else find_strategy(run.strategy.name).training_regime


def _table(cache: StageCache, key: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(cache.read(key, name)))


def _stage_rows(
    planned: PlannedRun, cache: StageCache, trained: list[dict[str, Any]]
) -> tuple[StageRow, ...]:
    kept = dict(enumerate((cache.metadata(key) for key in planned.consolidation_keys), start=1))
    rows = []
    for metadata in trained:
        for row in metadata["trained"]:
            position = row["position"]
            keys = zip(planned.tested_scanners, planned.evaluation_keys[position], strict=True)
            tested = {scanner: cache.metadata(key) for scanner, key in keys if key}
            testing = sum(found["seconds"] for found in tested.values())
            routes = {s: found["routes"] for s, found in tested.items() if "routes" in found}
            memory = kept.get(position, metadata)
            peaks = [one.get("peak_bytes") for one in (metadata, memory)]
            rows.append(
                StageRow(
                    position=position,
                    selection=row["selection"],
                    steps=row["steps"],
                    train_seconds=round(row["seconds"], 2),
                    consolidate_seconds=kept[position]["seconds"] if position in kept else 0.0,
                    test_seconds=round(testing, 2),
                    peak_bytes=max((peak for peak in peaks if peak), default=None),
                    kept_slices=memory.get("kept_slices", 0),
                    kept_bytes=memory.get("kept_bytes", 0),
                    **_slices_per_step(planned, position),
                    routes=routes,
                )
            )
    return tuple(rows)


def _slices_per_step(planned: PlannedRun, position: int) -> dict[str, Any]:
    """Of a strategy of ours; how many a plugin of somebody else draws is not known."""
    choice, size = planned.run.strategy, planned.context.training.batch_size
    strategy = find_strategy(choice.name)
    settings = strategy.settings.model_validate(choice.settings)
    if not isinstance(settings, Settings):
        return {}
    active = strategy.is_active_at(position)
    new, replayed = settings.slices_per_step(size) if active else (size, 0)
    return {"new_slices": new, "replayed_slices": replayed}


def _examples(planned: PlannedRun, cache: StageCache) -> dict[str, Any]:
    """Per scanner a typical slice, and the worst, median and best one of two moments.

    ``scanner/image|truth|first|last`` are (S, S): the typical slice, its truth, and what is
    predicted after the first and the last stage. ``scanner/ranked/learned|last`` are (3, 3, S, S):
    worst, median, best by image, truth, prediction, after the first stage on the scanner and after
    the last; with ``/dice`` their Dice, (3,). ``scanner/first`` is missing where the scanner was
    not tested after the first stage. ``scanner/predictions`` are (K, S, S), what is predicted on
    the typical slice after the K stages of ``scanner/stages``: all that were followed by a test, of
    a long stream that which learned the scanner and the last.
    """
    examples = {}
    for j, scanner in enumerate(planned.run.scanners):
        learned = planned.run.learned_at(scanner)
        own, last = (_example(cache, planned.evaluation_keys[i][j]) for i in (learned, -1))
        if planned.evaluation_keys[1][j]:
            first = _example(cache, planned.evaluation_keys[1][j])
            examples[f"{scanner}/first"] = first["prediction"][0]
        examples[f"{scanner}/last"] = last["prediction"][0]
        for name in ("image", "truth"):
            examples[f"{scanner}/{name}"] = own[name][0]
        for name, example in (("learned", own), ("last", last)):
            planes = [example[plane][1:] for plane in ("image", "truth", "prediction")]
            examples[f"{scanner}/ranked/{name}"] = np.stack(planes, axis=1)
            examples[f"{scanner}/ranked/{name}/dice"] = example["dice"][1:]
        stages = _shown_stages(planned, j)
        typical = [_example(cache, planned.evaluation_keys[i][j])["prediction"][0] for i in stages]
        examples[f"{scanner}/stages"] = np.array(stages)
        examples[f"{scanner}/predictions"] = np.stack(typical)
    return examples


def _shown_stages(planned: PlannedRun, column: int) -> list[int]:
    """Stages whose predictions on a scanner are kept to be shown."""
    tested = [i for i, keys in enumerate(planned.evaluation_keys) if i and keys[column]]
    if len(tested) <= MOST_STAGES:
        return tested
    learned = planned.run.learned_at(planned.run.scanners[column])
    return [i for i in tested if i in {learned, tested[-1]}]


def _example(cache: StageCache, key: str) -> dict[str, Any]:
    with np.load(io.BytesIO(cache.read(key, EXAMPLE)), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
