"""Suites run, and their results reported."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cl_seg.api.engines import Engine, choose_engine, default_workers
from cl_seg.api.plan import STAGES, Plan
from cl_seg.api.stores import AnyPath
from cl_seg.api.suite import Suite, as_suite
from cl_seg.suite.run import SuiteOutcome, run_suites

if TYPE_CHECKING:
    from cl_seg.api.results import Results


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
    """Run a suite and write its report; finished stages are not repeated.

    Interrupt it and call it again: it goes on where it was.

    Args:
        suite: path of a YAML file, a dict of what such a file holds, or a :class:`Suite`.
        data: store that replaces the suite's own data.
        results: folder for results; ``results/<name of the suite>`` by default.
        cache: folder of finished stages, shared by suites.
        workers: processes side by side, 0 for this one; by default as many as the cores allow.
        engine: place where stages are computed, ``local`` or :class:`cl_seg.api.engines.Slurm`.
        checkpoint_seconds: seconds between two checkpoints of a training.
        processor: CPU instructions or GPU model of the machine that computes the stages, see
            docs/how-to/slurm.md; this machine's by default.
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
    """Compute the missing stages of planned suites, and report each suite.

    Raises:
        InputError: as for :func:`run`; nothing has been trained.
    """

    def log_line(line: str) -> None:
        log(line)

    threads = max(suite.spec.training.threads for suite in planned.suites)
    chosen = choose_engine(engine, workers, threads, checkpoint_seconds, log_line)
    n_workers = default_workers(threads) if workers is None else max(1, workers)
    return run_suites(planned.plans, planned.folders, planned.cache, chosen, n_workers, log_line)
