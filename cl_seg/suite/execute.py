"""Suites from their files to their reports."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from rich.console import Console

from cl_seg.files.write import remove_abandoned, writable, write_json, write_text
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.planning.checks import (
    check_batches,
    check_classes,
    check_seed_images,
    device_notes,
    plan_notes,
)
from cl_seg.planning.data import (
    check_data,
    check_unchanged,
    classes_of_cases,
    fingerprint,
    open_store,
    part_digests,
    scanner_names,
    split_slices,
    store_folder,
    symbolic_digests,
)
from cl_seg.planning.runs import Run, load_suite, plan_runs
from cl_seg.planning.source import callable_files
from cl_seg.planning.stage_graph import plan_graph
from cl_seg.planning.stages import Graph, RunStages, Setting, Stage, environment
from cl_seg.records.record import recorded_key
from cl_seg.runtime.import_path import check_target, module_file
from cl_seg.scans.store import SliceStore
from cl_seg.spec.suite import SeedCurveSuite, StreamSuite
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.engines import Engine
from cl_seg.suite.own_plugins import check_own_plugins
from cl_seg.suite.record import is_finished, write_record
from cl_seg.suite.schedule import Failure, Schedule
from cl_seg.suite.tools import check_tools, score_tools
from cl_seg.suite.tracking import Mirror
from cl_seg.suite.view import View

RESULTS = Path("results")
Say = Callable[[str], None]


@dataclass(frozen=True)
class SuiteOutcome:
    """What became of a suite.

    Attributes:
        report: None when no run finished.
        failures: run and reason in one line.
    """

    report: Path | None
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedSuite:
    """A suite whose data are known to fit, and its runs.

    Attributes:
        file: of the suite.
        suite: its content.
        runs: what it asks for.
        modules: files of the modules it names and those they import from beside them.
        processor: the one that will compute it, "" for this machine's.
    """

    file: Path
    suite: StreamSuite | SeedCurveSuite
    runs: list[Run]
    modules: dict[str, Path]
    processor: str = ""

    @property
    def scanners(self) -> list[str]:
        """The scanners its runs use."""
        used = {scanner for run in self.runs for scanner in run.order}
        return sorted(used.union(*(run.seed_images.base for run in self.runs if run.seed_images)))

    @property
    def environment(self) -> dict[str, str]:
        """What its results depend on besides spec and data."""
        found = environment(self.suite)
        return {**found, "processor": self.processor or found["processor"]}


def plan_suite(file: Path, data: Path | None = None, processor: str = "") -> PlannedSuite:
    """Read a suite and list its runs.

    Args:
        file: of the suite.
        data: a store that replaces the suite's own data.
        processor: the one that will compute it, as :func:`capability` names it there; "" for this
            machine's.

    Raises:
        InputError: the suite is wrong, or its data do not fit.
    """
    suite = load_suite(file, data)
    add_to_path(file)
    modules: dict[str, Path] = {}
    for name in [*(m.name for m in suite.models), *(s.name for s in suite.strategies)]:
        if ":" in name:
            check_target(name, file)
            modules |= callable_files(name)
    if processor and suite.training.device == "auto":
        raise InputError(
            f"{file}: training.device is auto, which looks at this machine: say cpu or cuda where "
            "another processor computes"
        )
    scanners = scanner_names(suite.data)
    try:
        runs = plan_runs(suite, scanners)
        check_tools(suite)
        check_batches(suite, runs)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    planned = PlannedSuite(file, suite, runs, modules, processor)
    check_data(suite, planned.scanners)
    return planned


def add_to_path(suite_file: Path) -> None:
    """Let ``module:callable`` name modules beside a suite."""
    folder = str(suite_file.resolve().parent)
    sys.path[:] = [folder, *(other for other in sys.path if other != folder)]


def plan_stages(planned: PlannedSuite, cache: StageCache) -> Graph:
    """The stages of a suite, without simulating its data where they are still to be.

    Raises:
        InputError: another suite read since has modules of the same name, or the data lack what
            its runs need.
    """
    for name, path in planned.modules.items():
        if module_file(name) != path:
            raise InputError(
                f"{planned.file}: the module {name} is {path}, but {module_file(name)} for another "
                "suite given with it: run them one by one, or rename one"
            )
    suite, scanners = planned.suite, planned.scanners
    folder = store_folder(suite.data)
    if suite.data.phantom is not None and not folder.exists():
        digests = symbolic_digests(suite.data, scanners)
        notes = tuple(device_notes(suite))
        setting = Setting(
            *(suite, folder, tuple(scanners), digests, "", planned.environment, {}, notes)
        )
        return plan_graph(setting, planned.runs)
    store = SliceStore(folder)
    seen = fingerprint(folder)
    split = split_slices(store.slices, suite, scanners)
    counts: dict[str, dict[str, int]] = {scanner: {} for scanner in scanners}
    for (scanner, part), rows in split.groupby(["scanner", "part"]):  # type: ignore[misc]
        counts[str(scanner)][str(part)] = len(rows)
    kept = cache.folder / "digests"
    cases = classes_of_cases(store, split, suite.classes, kept)
    try:
        check_classes(cases)
        check_seed_images(planned.runs, counts)
    except InputError as error:
        raise InputError(f"{planned.file}: {error}") from None
    notes = (*device_notes(suite), *plan_notes(suite, cases, counts))
    digests = part_digests(store, split, scanners, kept)
    setting = Setting(
        *(suite, folder, tuple(scanners), digests, seen, planned.environment, counts, notes)
    )
    return plan_graph(setting, planned.runs)


def execute_suites(
    planned: Sequence[PlannedSuite],
    results: Sequence[Path],
    cache: StageCache,
    engine: Engine,
    workers: int,
    say: Say,
) -> list[SuiteOutcome]:
    """Compute what is missing of some suites, and report all of each.

    Args:
        planned: the suites.
        results: folder of each.
        cache: of stages.
        engine: where stages are computed.
        workers: processes side by side where data are still to be simulated.
        say: prints one line for the user.

    Raises:
        InputError: the data do not fit, this machine has not the GPU that is asked for, a plugin
            of the user's breaks the contract for masks, or cache or results cannot be written;
            nothing has been trained.
        KeyboardInterrupt: all is saved; the same call goes on from there.
    """
    if engine.here:
        _require_device(planned, results, cache)
    with writable(cache.folder):
        cache.partial("").mkdir(parents=True, exist_ok=True)
    cache.tidy()
    for folder in results:
        for part in (folder, *filter(Path.is_dir, folder.glob("*"))):
            remove_abandoned(part)
    for one in planned:
        remove_abandoned(store_folder(one.suite.data).parent)
        check_unchanged(open_store(one.suite.data, workers), cache.folder / "digests")
    graphs = [plan_stages(one, cache) for one in planned]
    every = reduce(Graph.add, graphs)
    for note in every.notes:
        say(f"note: {note}")
    missing: dict[str, Path] = {}
    for graph, folder in zip(graphs, results, strict=True):
        runs = [r for r in graph.runs if not is_finished(record_folder(folder, r), r.key)]
        check_own_plugins((r.run for r in runs), graph.runs[0].setting.suite.image.size)
        with writable(folder):
            write_json(folder / "plan.json", {run.run.run_id: run.key for run in graph.runs})
        missing |= {run.key: record_folder(folder, run) for run in runs}
        if len(runs) < len(graph.runs):
            planned_runs = counted(len(graph.runs), "run is", "runs are")
            say(f"{len(graph.runs) - len(runs)} of {planned_runs} finished already")
        others = [r for r in runs if recorded_key(record_folder(folder, r)) not in {None, r.key}]
        if others:
            say(
                f"{counted(len(others), f'run in {folder} is', f'runs in {folder} are')} of other "
                "data, settings or code, to be replaced by this suite's; --results FOLDER keeps "
                "both"
            )
    for graph, folder in zip(graphs, results, strict=True):
        score_tools(graph.runs[0].setting, folder)
    failed = _compute(every, missing, cache, engine, say) if missing else {}
    return [
        _report(one, graph, folder, failed)
        for one, graph, folder in zip(planned, graphs, results, strict=True)
    ]


def _require_device(
    planned: Sequence[PlannedSuite], results: Sequence[Path], cache: StageCache
) -> None:
    """Refuse a suite for a GPU that this machine has not, unless all of it is computed."""
    for one, folder in zip(planned, results, strict=True):
        if one.environment["device"] != "cuda":
            continue
        graph = plan_stages(one, cache)
        if len(recorded_runs([graph], [folder])) == len(graph.runs):
            continue
        from cl_seg.runtime.torch_setup import pick_device  # noqa: PLC0415 - slow, and only for a GPU

        try:
            pick_device("cuda")
        except InputError as error:
            raise InputError(f"{one.file}: training.{error}") from None


def record_folder(results: Path, run: RunStages) -> Path:
    """Where the record of a run is."""
    return results / "runs" / run.run.run_id


def recorded_runs(graphs: Sequence[Graph], results: Sequence[Path]) -> set[str]:
    """Keys of the runs whose records are in the folder of their suite."""
    pairs = zip(graphs, results, strict=True)
    every = ((run, folder) for graph, folder in pairs for run in graph.runs)
    return {run.key for run, folder in every if is_finished(record_folder(folder, run), run.key)}


def _compute(
    graph: Graph,
    missing: dict[str, Path],
    cache: StageCache,
    engine: Engine,
    say: Say,
) -> dict[str, Failure]:
    """Compute the runs whose records are missing, by key; returns those that failed."""
    durations = Durations()
    durations.learn_from(cache, graph.stages.values())
    runs = [run for run in graph.runs if run.key in missing]
    schedule = Schedule(graph, runs, cache.keys(), durations.seconds, engine.workers)
    mirror = Mirror(say)
    view = View(schedule, cache, durations, engine.workers, Console(stderr=True, highlight=False))

    def complete(run: RunStages) -> None:
        folder = missing[run.key]
        try:
            write_record(folder, run, cache)
        except DamagedStage as damaged:
            schedule.lose(damaged.key)
            return
        mirror.add(folder, run.setting.suite.name)

    def ended(stage: Stage) -> None:
        new = not durations.known(stage)
        with suppress(DamagedStage):  # somebody else may have removed it
            durations.learn(cache.about(stage.key))
        complete_now = schedule.end(stage)
        if new:
            schedule.rank()
        view.ended(stage)
        for run in complete_now:
            complete(run)

    with view.shown():
        for run in schedule.complete():
            complete(run)
        engine.execute(schedule, cache, ended, view.update)
    return {run.key: f for run in runs if (f := schedule.failure_of(run)) is not None}


def _report(
    one: PlannedSuite, graph: Graph, folder: Path, failed: dict[str, Failure]
) -> SuiteOutcome:
    reasons = {}
    for run in graph.runs:
        log = folder / "failed" / f"{run.run.run_id}.log"
        failure = failed.get(run.key)
        if failure is None:
            log.unlink(missing_ok=True)
            continue
        if failure.log:
            write_text(log, failure.log)
        reasons[run.run.run_id] = failure.reason + (f" (see {log})" if failure.log else "")
    if len(reasons) == len(graph.runs):
        return SuiteOutcome(None, reasons)
    from cl_seg.analysis.report.write import write_report  # noqa: PLC0415 - matplotlib, not for plans

    return SuiteOutcome(write_report(folder), reasons)
