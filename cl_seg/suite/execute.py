"""A suite from its file to its report."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cl_seg.files import InputError, write_json
from cl_seg.spec import StreamSuite
from cl_seg.suite.data import check_data, open_store, scanner_names
from cl_seg.suite.engine import Failure, execute
from cl_seg.suite.plan import Run, load_suite, plan_runs
from cl_seg.suite.record import is_finished, run_key
from cl_seg.suite.tracking import mirror

RESULTS = Path("results")


@dataclass(frozen=True)
class SuiteOutcome:
    """What became of a suite: its report, None when no run finished, and the runs that failed."""

    report: Path | None
    failures: list[Failure] = field(default_factory=list)


def execute_suite(
    suite_file: Path,
    data: Path | None,
    results: Path | None,
    workers: int,
    say: Callable[[str], None],
) -> SuiteOutcome:
    """Run what is missing of a suite and report all of it.

    Args:
        suite_file: YAML.
        data: store that replaces the suite's own data.
        results: folder; ``results/<suite name>`` when None.
        workers: processes side by side.
        say: prints one line for the user.

    Raises:
        InputError: the suite or its data are wrong; nothing has been trained then.
    """
    suite = load_suite(suite_file, data)
    if not isinstance(suite, StreamSuite):
        raise InputError(f"{suite_file}: suites of kind seed_curve can be planned, not yet run")
    runs = plan_suite(suite)
    store = open_store(suite.data, workers)
    folder = results or RESULTS / suite.name
    keys = {run.run_id: run_key(run, suite, store.header.content) for run in runs}
    write_json(folder / "plan.json", keys)
    missing = [
        run for run in runs if not is_finished(folder / "runs" / run.run_id, keys[run.run_id])
    ]
    if len(missing) < len(runs):
        say(f"{len(runs) - len(missing)} of {len(runs)} runs are finished already")
    sys.path.insert(0, str(suite_file.resolve().parent))  # networks named by module:callable
    failures = execute(missing, suite, store.folder, folder, workers) if missing else []
    failed = {failure.run_id for failure in failures}
    for run in missing:
        if run.run_id not in failed:
            mirror(folder / "runs" / run.run_id, suite.name, say)
    if len(failures) == len(runs):
        return SuiteOutcome(None, failures)
    from cl_seg.analysis.report import write_report  # noqa: PLC0415 - matplotlib, not for plans

    return SuiteOutcome(write_report(folder), failures)


def plan_suite(suite: StreamSuite) -> list[Run]:
    """The runs of a suite, once its data are known to fit.

    Raises:
        InputError: an order, a class, the image size or the patients do not fit the data.
    """
    runs = plan_runs(suite, scanner_names(suite.data))
    check_data(suite, sorted({scanner for run in runs for scanner in run.order}))
    return runs
