"""Suites: checked, planned and run."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cl_seg.api.display import html_page
from cl_seg.api.engines import Engine, choose_engine, default_workers
from cl_seg.api.stores import AnyPath
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.planning import plan as planning
from cl_seg.planning.request import load_suite, request_suite
from cl_seg.records.tables import PACKED
from cl_seg.suite.cache import StageCache
from cl_seg.suite.execute import RESULTS, SuiteOutcome, execute, recorded_runs
from cl_seg.suite.summary import json_summary, progress_lines, summary

if TYPE_CHECKING:
    from cl_seg.api.results import Results

STAGES = planning.CACHE


class Suite:
    """A suite: networks, strategies, orders of scanners and seeds, checked as a whole.

    Args:
        content: path of a YAML file, or a dict of what such a file holds.
        data: store that replaces the suite's own data.

    Attributes:
        spec: every field with its default filled in.

    Raises:
        InputError: every mistake at once, a line each.

    Examples:
        >>> import cl_seg
        >>> suite = cl_seg.Suite("quick.yaml")
        >>> suite
        Suite('quick'): 2 networks, 2 strategies, 1 seed
        >>> suite.spec.training.steps
        2
        >>> cl_seg.Suite({"kind": "stream", "name": "mine"})
        Traceback (most recent call last):
        ...
        cl_seg.messages.errors.InputError: data is missing
        image is missing
        models is missing
        strategies is missing
        training is missing
    """

    def __init__(self, content: AnyPath | Mapping[str, Any], data: AnyPath | None = None) -> None:
        self.given = _plain(content) if isinstance(content, Mapping) else Path(content)
        self.data = None if data is None else Path(data)
        self.spec = load_suite(self.given, self.data)

    @property
    def name(self) -> str:
        """Of the suite, and of its folder of results."""
        return self.spec.name

    def __repr__(self) -> str:
        counts = (
            counted(len(self.spec.models), "network"),
            counted(len(self.spec.strategies), "strategy", "strategies"),
            counted(len(self.spec.seeds), "seed"),
        )
        return f"Suite({self.name!r}): {', '.join(counts)}"

    def _repr_html_(self) -> str:
        training = self.spec.training
        rows = {
            "networks": ", ".join(model.label for model in self.spec.models),
            "strategies": ", ".join(choice.label for choice in self.spec.strategies),
            "classes": ", ".join(self.spec.classes),
            "seeds": ", ".join(map(str, self.spec.seeds)),
            "training": f"{counted(training.steps, 'step')} of {training.batch_size} slices",
        }
        return html_page(repr(self), pd.DataFrame(rows.items(), columns=["field", "value"]))


class Plan:
    """The runs of some suites, and the stages that are to be computed for them.

    Args:
        suites: planned together: what they share is computed once.
        results: folder of each.
        cache: folder of finished stages.
        processor: the one that will compute the stages; "" for this machine's.

    Raises:
        InputError: the data do not fit a suite, or results cannot be written to a folder.
    """

    def __init__(
        self,
        suites: Sequence[Suite],
        results: AnyPath | None = None,
        cache: AnyPath = STAGES,
        processor: str = "",
    ) -> None:
        self.suites = list(suites)
        self.folders = result_folders([one.name for one in suites], results)
        self.cache = StageCache(Path(cache))
        requests = [request_suite(one.given, one.data, processor) for one in suites]
        self.plans = [planning.resolve_request(one, self.cache.folder) for one in requests]

    @property
    def finished(self) -> set[str]:
        """Keys of the runs that are finished."""
        return recorded_runs(self.plans, self.folders)

    @property
    def runs(self) -> pd.DataFrame:
        """A row per run: suite, run, network, strategy, scanners in order, seed, finished."""
        done = self.finished
        return pd.DataFrame(
            {
                "suite": one.name,
                "run": stages.run.run_id,
                **stages.run.titles,
                "order": " → ".join(stages.run.order),
                "seed": stages.run.seed,
                "finished": stages.key in done,
            }
            for one in self.plans
            for stages in one.runs
        )

    @property
    def stages(self) -> pd.DataFrame:
        """A row per stage: kind, title, optimiser steps, finished."""
        done = self.cache.keys()
        return pd.DataFrame(
            {"kind": s.kind, "stage": s.title, "steps": s.steps, "finished": key in done}
            for key, s in planning.graph_of(self.plans).stages.items()
        )

    def json(self) -> str:
        """The plan for machines."""
        return json_summary(self.plans, self.cache, self.finished)

    def progress(self) -> str:
        """How far the suites are, from the files alone: whoever computes them, wherever."""
        return "\n".join(progress_lines(self.plans, self.cache, self.finished))

    def __str__(self) -> str:
        return "\n".join(summary(self.plans, self.cache, self.finished))

    def __repr__(self) -> str:
        names = ", ".join(repr(one.name) for one in self.suites)
        runs = sum(len(one.runs) for one in self.plans)
        return f"Plan({names}): {counted(runs, 'run')}, {len(self.finished)} finished"

    def _repr_html_(self) -> str:
        return html_page(repr(self), self.runs, str(self).splitlines()[-1])


def plan(
    suite: AnyPath | Mapping[str, Any] | Suite,
    *,
    data: AnyPath | None = None,
    results: AnyPath | None = None,
    cache: AnyPath = STAGES,
    processor: str = "",
) -> Plan:
    """Check a suite and its data, and list its runs and stages, without running anything.

    Args:
        suite: path of a YAML file, a dict of what such a file holds, or a :class:`Suite`.
        data: store that replaces the suite's own data.
        results: folder for results; ``results/<name of the suite>`` by default.
        cache: folder of finished stages, shared by suites.
        processor: the one that will compute the stages, where it is not that of this machine.

    Raises:
        InputError: the suite is wrong, or its data do not fit.

    Examples:
        >>> import cl_seg
        >>> plan = cl_seg.plan("quick.yaml")
        >>> plan
        Plan('quick'): 4 runs, 4 finished
        >>> list(plan.runs.columns)
        ['suite', 'run', 'model', 'strategy', 'order', 'seed', 'finished']
        >>> print(str(plan).splitlines()[-1])
        24 stages are finished already; nothing is left to compute
    """
    return Plan([as_suite(suite, data)], results, cache, processor)


def run(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    suite: AnyPath | Mapping[str, Any] | Suite,
    *,
    data: AnyPath | None = None,
    results: AnyPath | None = None,
    cache: AnyPath = STAGES,
    workers: int | None = None,
    engine: Engine = "local",
    checkpoint_seconds: float = 30.0,
    processor: str = "",
    log: Callable[[str], object] = print,
) -> "Results":
    """Run a suite and write its report; what is finished is not repeated.

    Interrupt it and call it again: it goes on where it was.

    Args:
        suite: path of a YAML file, a dict of what such a file holds, or a :class:`Suite`.
        data: store that replaces the suite's own data.
        results: folder for results; ``results/<name of the suite>`` by default.
        cache: folder of finished stages, shared by suites.
        workers: processes side by side, 0 for this one; by default as many as the cores allow.
        engine: where stages are computed, ``local`` or :class:`cl_seg.api.engines.Slurm`.
        checkpoint_seconds: between two checkpoints of a training.
        processor: the one that computes the stages, where it is not that of this machine.
        log: called with every line for the user.

    Returns:
        The results of all finished runs; ``failures`` names those that failed, with reasons.

    Raises:
        InputError: the suite is wrong, its data do not fit, or results cannot be written.
        RuntimeError: every run failed.

    Examples:
        >>> import cl_seg
        >>> results = cl_seg.run("quick.yaml", workers=2)
        4 of 4 runs are finished already
        >>> results
        Results('results/quick'): 4 runs of 2 networks and 2 strategies
    """
    from cl_seg.api.results import load_results  # noqa: PLC0415 - matplotlib, slow

    planned = Plan([as_suite(suite, data)], results, cache, processor)
    (outcome,) = run_plan(planned, workers, engine, checkpoint_seconds, log)
    if outcome.report is None:
        raise RuntimeError("every run failed: " + "; ".join(sorted({*outcome.failures.values()})))
    return load_results(planned.folders[0], failures=outcome.failures)


def run_plan(
    planned: Plan,
    workers: int | None = None,
    engine: Engine = "local",
    checkpoint_seconds: float = 30.0,
    log: Callable[[str], object] = print,
) -> list[SuiteOutcome]:
    """Compute what is missing of planned suites, and report each.

    Raises:
        InputError: as :func:`run`; nothing has been trained.
    """

    def log_line(line: str) -> None:
        log(line)

    threads = max(one.spec.training.threads for one in planned.suites)
    chosen = choose_engine(engine, workers, threads, checkpoint_seconds, log_line)
    beside = default_workers(threads) if workers is None else max(1, workers)
    return execute(planned.plans, planned.folders, planned.cache, chosen, beside, log_line)


def as_suite(suite: AnyPath | Mapping[str, Any] | Suite, data: AnyPath | None = None) -> Suite:
    """A suite from whatever names it.

    Raises:
        InputError: it is wrong.
    """
    if not isinstance(suite, Suite):
        return Suite(suite, data)
    return suite if data is None else Suite(suite.given, data)


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with text in place of stores and paths.

    Raises:
        InputError: a value can stand in no suite file.
    """
    try:
        plain: dict[str, Any] = json.loads(json.dumps(content, default=os.fspath))
    except TypeError as error:
        raise InputError(f"suite: {error}: use plain values, lists and dicts") from None
    return plain


def result_folders(names: Sequence[str], results: AnyPath | None) -> list[Path]:
    """Where the results of some suites go.

    Raises:
        InputError: two would share a folder, or one holds packed results.
    """
    if results is not None and len(names) > 1:
        raise InputError("--results: give it for one suite, several have a folder each")
    folders = [RESULTS / name if results is None else Path(results) for name in names]
    for folder in folders:
        if (folder / PACKED).is_file():
            raise InputError(
                f"{folder} holds packed results ({PACKED}), which nothing is computed into: make a "
                f"folder of them with `cl-seg unpack {folder} NEW_FOLDER` and name that"
            )
    if len(set(folders)) < len(folders):
        raise InputError("two of the suites have the same `name`: their results would mix")
    return folders


def prune_stages(
    keep: Sequence[Suite], cache: AnyPath = STAGES, processor: str = ""
) -> tuple[int, int]:
    """Remove the finished stages that none of some suites needs; results stay.

    Args:
        keep: suites whose stages are kept.
        cache: folder of finished stages.
        processor: the one that computes the stages, where it is not that of this machine.

    Returns:
        Bytes removed and bytes kept.

    Raises:
        InputError: a suite's data are still to be simulated, so that its stages are not known.
    """
    stages = StageCache(Path(cache))
    kept: set[str] = set()
    for one in keep:
        request = request_suite(one.given, one.data, processor)
        found = planning.resolve_request(request, stages.folder)
        if not found.has_data:
            raise InputError(
                f"{request.title}: its simulated data are not here, nor can its stages be known"
            )
        kept |= found.stages.keys()
    before = sum(stages.sizes().values())
    stages.prune(kept)
    after = sum(stages.sizes().values())
    return before - after, after
