"""Suites run, and their results reported."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cl_seg.api.engines import Engine, Slurm, choose_engine, slurm_engine
from cl_seg.api.plan import STAGES, Plan
from cl_seg.api.processes import Processes
from cl_seg.api.stores import AnyPath
from cl_seg.api.suite import Suite, as_suite
from cl_seg.messages.errors import InputError
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
    gpus: Sequence[int] | None = None,
    per_gpu: int | None = None,
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
        workers: processes on the CPU side by side, by default as many as the cores allow; without
            effect on GPUs. 0 for this process alone, on the CPU or a GPU.
        gpus: numbers of the GPUs to use, see docs/how-to/gpus.md; by default all.
        per_gpu: processes on each GPU, by default one.
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
    planned = Plan([as_suite(suite, data)], results, cache, processor)
    processes = Processes(workers, gpus, per_gpu)
    return run_planned_suite(planned, processes, engine, checkpoint_seconds, log)


def run_planned_suite(
    planned: Plan,
    processes: Processes,
    engine: Engine = "local",
    checkpoint_seconds: float = 30.0,
    log: Callable[[str], object] = print,
) -> "Results":
    """Compute the missing stages of one planned suite, and report it.

    Raises:
        InputError: as for :func:`run`; nothing has been trained.
        RuntimeError: every run failed.
    """
    from cl_seg.api.results import load_results  # noqa: PLC0415 - matplotlib, slow

    (outcome,) = run_plan(planned, processes, engine, checkpoint_seconds, log)
    if outcome.report is None:
        raise RuntimeError("every run failed: " + "; ".join(sorted({*outcome.failures.values()})))
    return load_results(planned.folders[0], failures=outcome.failures)


def slurm_script(planned: Plan, engine: Slurm) -> str:
    """The sbatch script of the jobs of a plan; nothing is queued.

    Raises:
        InputError: the options do not go together, or there is no Slurm.
    """
    contexts = [plan.context for plan in planned.plans]
    threads = max(context.training.threads for context in contexts)
    devices = [context.device for context in contexts]
    return slurm_engine(engine, Processes(), devices, threads).script(planned.cache)


def run_plan(
    planned: Plan,
    processes: Processes,
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

    contexts = [plan.context for plan in planned.plans]
    models = {c.environment["processor"] for c in contexts if c.device != "cpu"}
    if len(models) > 1:
        raise InputError(
            f"the suites are for GPUs of several models ({', '.join(sorted(models))}): run them "
            "one by one"
        )
    threads = max(context.training.threads for context in contexts)
    devices = [context.device for context in contexts]
    chosen = choose_engine(engine, processes, devices, threads, checkpoint_seconds, log_line)
    simulating = processes.on_cpu(threads)
    return run_suites(planned.plans, planned.folders, planned.cache, chosen, simulating, log_line)
