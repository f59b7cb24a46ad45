"""Suites from their plans to their reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cl_seg.files.write import remove_abandoned, writable, write_text
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.messages.progress import progress_console
from cl_seg.planning.data import open_store
from cl_seg.planning.digests import check_store_content
from cl_seg.planning.gpus import require_gpu
from cl_seg.planning.plan import Plan, merged_graph, notes_of, resolve_checked
from cl_seg.planning.plan_file import write_plan
from cl_seg.planning.stages import PlannedRun
from cl_seg.records.record import recorded_key
from cl_seg.scans.store import SliceStore
from cl_seg.spec.update import UpdateSuite
from cl_seg.suite.cache import StageCache
from cl_seg.suite.check_networks import check_networks
from cl_seg.suite.compute_runs import compute_runs
from cl_seg.suite.engines import Engine
from cl_seg.suite.own_plugins import check_own_plugins
from cl_seg.suite.semi_automatic_scores import score_tools
from cl_seg.suite.stage_queue import Failure
from cl_seg.suite.tensorboard_mirror import TensorBoardMirror
from cl_seg.suite.view import View
from cl_seg.suite.wandb_mirror import WandbMirror
from cl_seg.suite.write_record import is_finished, write_record

RESULTS = Path("results")
Log = Callable[[str], None]


@dataclass(frozen=True)
class SuiteOutcome:
    """The report of a suite, and the runs that failed.

    Attributes:
        report: None when no run finished.
        failures: run and reason in one line.
        answer: of an update suite, in words; its dossier lies beside the report.
    """

    report: Path | None
    failures: dict[str, str] = field(default_factory=dict)
    answer: str = ""


def run_suites(
    plans: Sequence[Plan],
    results: Sequence[Path],
    cache: StageCache,
    engine: Engine,
    workers: int,
    log: Log,
) -> list[SuiteOutcome]:
    """Compute what is missing of some suites, and report all of each.

    Args:
        plans: of the suites; one whose data are still to be simulated is resolved again with them.
        results: folder of each.
        cache: of stages.
        engine: where stages are computed.
        workers: processes side by side where data are still to be simulated.
        log: prints one line for the user.

    Raises:
        InputError: the data do not fit, this machine has not the GPU that is asked for, a strategy
            has no effect on a network, a plugin of the user's breaks the contract for masks, or
            cache or results cannot be written; nothing has been trained.
        KeyboardInterrupt: all is saved; the same call goes on from there.
    """
    if engine.runs_locally:
        _require_device(plans, results)
    with writable(cache.folder):
        cache.working_folder("").mkdir(parents=True, exist_ok=True)
    cache.remove_leftovers()
    for folder in results:
        for part in (folder, *filter(Path.is_dir, folder.glob("*"))):
            remove_abandoned(part)
    plans = [_with_data(plan, cache, workers) for plan in plans]
    for note in notes_of(plans):
        log(f"note: {note}")
    missing = [_missing_runs(*pair, log) for pair in zip(plans, results, strict=True)]
    for plan, runs in zip(plans, missing, strict=True):
        size, classes = plan.context.image.size, plan.context.classes
        check_networks((planned.run for planned in runs), 1 + len(classes), size)
        check_own_plugins((planned.run for planned in runs), size)
    for plan, folder in zip(plans, results, strict=True):
        with writable(folder):
            write_plan(folder, plan)
    for plan, folder in zip(plans, results, strict=True):
        score_tools(plan, folder)
    folders = {
        planned.key: folder
        for runs, folder in zip(missing, results, strict=True)
        for planned in runs
    }
    mirrors = (WandbMirror(log), TensorBoardMirror(log))

    def finish(planned: PlannedRun) -> None:
        folder = record_folder(folders[planned.key], planned)
        write_record(folder, planned, cache)
        for mirror in mirrors:
            mirror.add(folder, planned.context.name)

    failed: dict[str, Failure] = {}
    if folders:
        runs = [planned for runs in missing for planned in runs]
        failed = compute_runs(
            merged_graph(plans), runs, cache, engine, finish, View.for_console(progress_console())
        )
    return [_report(*pair, failed) for pair in zip(plans, results, strict=True)]


def record_folder(results: Path, planned: PlannedRun) -> Path:
    """Where the record of a run is."""
    return results / "runs" / planned.run_id


def recorded_runs(plans: Sequence[Plan], results: Sequence[Path]) -> set[str]:
    """Keys of the runs whose records are in the folder of their suite."""
    pairs = zip(plans, results, strict=True)
    return {
        planned.key
        for plan, folder in pairs
        for planned in plan.runs
        if is_finished(record_folder(folder, planned), planned.key)
    }


def _require_device(plans: Sequence[Plan], results: Sequence[Path]) -> None:
    """Refuse a suite for a GPU that this machine has not, unless all of it is computed."""
    for plan, folder in zip(plans, results, strict=True):
        if plan.context.device == "cpu":
            continue
        if len(recorded_runs([plan], [folder])) == len(plan.runs):
            continue
        try:
            require_gpu(plan.context.device)
        except InputError as error:
            title = plan.checked.title if plan.checked else plan.name
            raise InputError(f"{title}: training.{error}") from None


def _with_data(plan: Plan, cache: StageCache, workers: int) -> Plan:
    """The plan, once its data are there and hold what they are said to hold."""
    checked, kept = plan.checked, cache.folder / "digests"
    remove_abandoned(plan.context.store.parent)
    if plan.has_data or checked is None:
        check_store_content(SliceStore(plan.context.store), kept)
        return plan
    check_store_content(open_store(checked.suite.data, workers), kept)
    return resolve_checked(checked, cache.folder)


def _missing_runs(plan: Plan, folder: Path, log: Log) -> list[PlannedRun]:
    """The runs without a record, after telling of those that have one."""
    missing = [r for r in plan.runs if not is_finished(record_folder(folder, r), r.key)]
    if len(missing) < len(plan.runs):
        planned_runs = counted(len(plan.runs), "run is", "runs are")
        log(f"{len(plan.runs) - len(missing)} of {planned_runs} finished already")
    if others := [
        r for r in missing if recorded_key(record_folder(folder, r)) not in {None, r.key}
    ]:
        log(
            f"{counted(len(others), f'run in {folder} is', f'runs in {folder} are')} of other "
            "data, settings or code, to be replaced by this suite's; --results FOLDER keeps both"
        )
    return missing


def _report(plan: Plan, folder: Path, failed: dict[str, Failure]) -> SuiteOutcome:
    reasons = {}
    for planned in plan.runs:
        log_file = folder / "failed" / f"{planned.run_id}.log"
        failure = failed.get(planned.key)
        if failure is None:
            log_file.unlink(missing_ok=True)
            continue
        if failure.log:
            write_text(log_file, failure.log)
        reasons[planned.run_id] = failure.reason + (f" (see {log_file})" if failure.log else "")
    if len(reasons) == len(plan.runs):
        return SuiteOutcome(None, reasons)
    from cl_seg.analysis.report.write import write_report  # noqa: PLC0415 - matplotlib, not for plans
    from cl_seg.analysis.update.dossier import write_dossier  # noqa: PLC0415
    from cl_seg.analysis.update.sentences import answer  # noqa: PLC0415

    suite = plan.checked.suite if plan.checked else None
    said = ""
    if isinstance(suite, UpdateSuite):
        said = answer(write_dossier(folder, Path(suite.model) if suite.model else None))
    return SuiteOutcome(write_report(folder), reasons, said)
