"""``cl-seg certify``: from results and their suite to a certificate beside them."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cl_seg
from cl_seg.files.json_file import read_json
from cl_seg.messages.errors import InputError
from cl_seg.planning.checked_suite import SuiteSource, check_suite
from cl_seg.planning.data import open_store
from cl_seg.planning.digests import check_store_content
from cl_seg.planning.environment import cpu_name, device_name, git_commit, versions
from cl_seg.planning.plan import Plan, resolve_checked
from cl_seg.records.certified import Certificate, CertifiedStage, add_certificate
from cl_seg.records.load import PLAN, load_results
from cl_seg.records.results import RunResult
from cl_seg.scans.store import SliceStore
from cl_seg.suite.cache import StageCache
from cl_seg.suite.certify.compare import CASE, POINT, Difference, largest_difference
from cl_seg.suite.certify.sample import SampledTraining, sample
from cl_seg.suite.write_record import case_scores_of, curve_of, run_spec

Log = Callable[[str], None]


@dataclass(frozen=True)
class CertifyOptions:
    """Size of the sample, and the suite, data and stages it is recomputed from.

    Attributes:
        stages: how many trainings, at most.
        suite: the suite of the results; None takes that of their plan.
        data: a store that replaces the suite's own data.
        cache: of stages; None computes all of them anew.
        workers: processes side by side where data are still to be simulated.
    """

    stages: int = 8
    suite: Path | None = None
    data: Path | None = None
    cache: Path | None = None
    workers: int = 1


def certify(results: Path, options: CertifyOptions, log: Log) -> Certificate:
    """Recompute a sample of results, compare it with what was recorded, and record the outcome.

    Args:
        results: folder of finished or packed results.
        options: size of the sample, and where suite, data and stages come from.
        log: prints one line for the user.

    Raises:
        InputError: the suite is not known or is another, or its data are, so that there is nothing
            to compare.
    """
    recorded = {result.run_id: result for result in load_results(results)}
    with _cache(options.cache) as cache:
        plan = _plan(results, options, cache, recorded)
        _check_same_suite(plan, recorded)
        stages = []
        for training in sample(plan, recorded, options.stages):
            result = recorded[training.planned.run_id]
            stage = _recompute_and_compare(training, result, plan, cache)
            log(f"{stage.run_id}, after {stage.selection}: {stage.text}")
            stages.append(stage)
    certificate = Certificate(
        commit=git_commit(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"cl_seg": cl_seg.__version__, **versions()},
        device=plan.context.environment["device"],
        processor=cpu_name(),
        stages=tuple(stages),
    )
    add_certificate(results, certificate)
    return certificate


@contextmanager
def _cache(folder: Path | None) -> Iterator[StageCache]:
    if folder is not None:
        yield StageCache(folder)
        return
    with tempfile.TemporaryDirectory(prefix="cl-seg-certify-") as temporary:
        yield StageCache(Path(temporary))


def _plan(
    results: Path, options: CertifyOptions, cache: StageCache, recorded: Mapping[str, RunResult]
) -> Plan:
    """The plan of the results' suite on the device they were computed on, with its data."""
    checked = check_suite(options.suite or _planned_suite(results), options.data)
    devices = {result.record.device for result in recorded.values()}
    if len(devices) == 1 and {device_name(checked.suite.training.device)} != devices:
        training = checked.suite.training.model_copy(update={"device": devices.pop()})
        suite = checked.suite.model_copy(update={"training": training})
        checked = check_suite(suite, None)
    store = open_store(checked.suite.data, options.workers)
    check_store_content(store, cache.folder / "digests")
    _check_same_data(store, recorded)
    return resolve_checked(checked, cache.folder)


def _planned_suite(results: Path) -> SuiteSource:
    path = results / PLAN
    try:
        suite = read_json(path)["suite"]
    except (OSError, ValueError, KeyError, TypeError):
        suite = None
    if not suite:
        raise InputError(
            f"{results} does not say what was computed ({PLAN} holds no suite): give the suite "
            "with --suite FILE"
        )
    content: Mapping[str, Any] = suite
    return content


def _check_same_data(store: SliceStore, recorded: Mapping[str, RunResult]) -> None:
    """Refuse data that are not those of the results: numbers would differ for that alone."""
    here = store.header.content_sha256
    for result in recorded.values():
        there = result.record.data.content
        if there != here:
            raise InputError(
                f"{result.run_id} was computed on data with the content hash {there[:12]}, "
                f"{store.folder} has {here[:12]}: nothing can be compared; give the store it was "
                "computed on with --data"
            )


def _check_same_suite(plan: Plan, recorded: Mapping[str, RunResult]) -> None:
    planned = {run.run_id: run for run in plan.runs}
    if not planned.keys() & recorded.keys():
        raise InputError(f"{plan.name} has none of the runs of these results: give their suite")
    for run_id in planned.keys() & recorded.keys():
        then, now = recorded[run_id].record.spec, run_spec(planned[run_id].run, plan.context)
        fields = then.as_suite_fields(), now.as_suite_fields()
        not_said_by_default = {
            "evaluate": then.evaluate != now.evaluate,
            "held_out": then.held_out != now.held_out,
            "experience": then.months != now.months,
            "training.later": then.training.later != now.training.later,
            "training.augment": then.training.augment != now.training.augment,
        }
        changed = [name for name, differs in not_said_by_default.items() if differs]
        field = _first_changed_field(*fields) or next(iter(changed), "")
        if field == "training.precision":
            raise InputError(
                f"{run_id} was computed in {then.training.precision}, here it would be in "
                f"{now.training.precision}: certify it on a CPU with the same instructions for "
                "bfloat16, or give the suite as it was then"
            )
        if field:
            raise InputError(
                f"{run_id}: {field} is not what it was when the results were computed: give the "
                "suite as it was then"
            )


def _first_changed_field(before: Any, now: Any, name: str = "") -> str:
    """The first field with another value in both, "" for none; the device may be another."""
    if isinstance(before, dict) and isinstance(now, dict):
        each = (k for k in before if k in now and (name, k) != ("training", "device"))
        found = (
            _first_changed_field(before[k], now[k], f"{name}.{k}" if name else k) for k in each
        )
        return next(filter(None, found), "")
    return "" if before == now else name


def _recompute_and_compare(
    training: SampledTraining, result: RunResult, plan: Plan, cache: StageCache
) -> CertifiedStage:
    # Torch, which is not needed to find out that nothing can be compared.
    from cl_seg.suite.stages.compute import compute_stage  # noqa: PLC0415
    from cl_seg.suite.stages.stop_control import StopControl  # noqa: PLC0415

    for key in training.needed_keys:
        compute_stage(plan.stages[key], cache, StopControl(stop=lambda: False))
    cases = case_scores_of(training.evaluation_keys, cache)
    curve = _rows_at(curve_of([training.training_key], cache), training.position)
    found = [
        largest_difference(_rows_at(result.cases, training.position), cases, CASE),
        largest_difference(_rows_at(result.curve, training.position), curve, POINT),
    ]
    worst = max(found, key=lambda each: each.size) if any(f.size for f in found) else Difference()
    return CertifiedStage(
        run_id=result.run_id,
        position=training.position,
        selection=training.planned.run.training_set_name(training.position),
        verdict=worst.verdict,
        largest=worst.size if np.isfinite(worst.size) else None,
        score=worst.score,
    )


def _rows_at(table: pd.DataFrame, position: int) -> pd.DataFrame:
    return table[table["stage"] == position]
