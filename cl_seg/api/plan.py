"""Plans: the runs of suites, and the stages to compute for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.api.display import html_page
from cl_seg.api.stores import AnyPath
from cl_seg.api.suite import Suite, as_suite
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.planning import plan as planning
from cl_seg.planning.checked_suite import check_suite
from cl_seg.records.tables import PACKED
from cl_seg.suite.cache import StageCache
from cl_seg.suite.run import RESULTS, recorded_runs
from cl_seg.suite.summary import json_summary, progress_lines, summary

STAGES = planning.CACHE


class Plan:
    """The runs of suites, and the stages to compute for them.

    Args:
        suites: suites to plan together; stages that they share are computed once.
        results: folder for the results of one suite; ``results/<its name>`` by default.
        cache: folder of finished stages.
        processor: CPU instructions or GPU model of the machine that will compute the stages, see
            docs/how-to/slurm.md; "" for this machine's.

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
        self.folders = result_folders([suite.name for suite in suites], results)
        if Path(cache).is_file():
            raise InputError(f"`cache` (--cache): {cache} is a file, expected a folder")
        self.cache = StageCache(Path(cache))
        checked = [check_suite(suite.source, suite.data, processor) for suite in suites]
        self.plans = [planning.resolve_checked(one, self.cache.folder) for one in checked]

    @property
    def finished(self) -> set[str]:
        """Keys of the runs that are finished."""
        return recorded_runs(self.plans, self.folders)

    @property
    def runs(self) -> pd.DataFrame:
        """A row per run: suite, run, model (the network), strategy, order, seed, finished."""
        done = self.finished
        return pd.DataFrame(
            {
                "suite": plan.name,
                "run": planned.run_id,
                **planned.run.titles,
                "order": " → ".join(map(" + ".join, planned.run.stream)),
                "seed": planned.run.seed,
                "finished": planned.key in done,
            }
            for plan in self.plans
            for planned in plan.runs
        )

    @property
    def stages(self) -> pd.DataFrame:
        """A row per stage of the computation: kind, stage (title), optimiser steps, finished."""
        done = self.cache.keys()
        return pd.DataFrame(
            {"kind": s.kind, "stage": s.title, "steps": s.steps, "finished": key in done}
            for key, s in planning.merged_graph(self.plans).stages.items()
        )

    def json(self) -> str:
        """The plan for machines."""
        return json_summary(self.plans, self.cache, self.finished)

    def progress(self) -> str:
        """Progress of the suites, read from files: any machine may be computing them."""
        return "\n".join(progress_lines(self.plans, self.cache, self.finished))

    def __str__(self) -> str:
        return "\n".join(summary(self.plans, self.cache, self.finished))

    def __repr__(self) -> str:
        names = ", ".join(repr(suite.name) for suite in self.suites)
        runs = sum(len(plan.runs) for plan in self.plans)
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
        processor: CPU instructions or GPU model of the machine that will compute the stages, see
            docs/how-to/slurm.md; this machine's by default.

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


def result_folders(names: Sequence[str], results: AnyPath | None) -> list[Path]:
    """Folders for the results of suites.

    Raises:
        InputError: two suites would share a folder, or a folder holds packed results.
    """
    if results is not None and len(names) > 1:
        raise InputError("`results` (--results): give it for one suite, several have a folder each")
    folders = [RESULTS / name if results is None else Path(results) for name in names]
    for folder in folders:
        if folder.is_file():
            raise InputError(f"`results` (--results): {folder} is a file, expected a folder")
        if (folder / PACKED).is_file():
            raise InputError(
                f"{folder} holds packed results ({PACKED}), which nothing is computed into: make a "
                f"folder of them with `cl-seg unpack {folder} NEW_FOLDER` and name that"
            )
    if len(set(folders)) < len(folders):
        raise InputError("two of the suites have the same `name`: their results would mix")
    return folders
