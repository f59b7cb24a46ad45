"""Engines that compute the stages of a suite: worker processes here, or jobs on a cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cl_seg.messages.errors import InputError
from cl_seg.runtime.workers import CORES

if TYPE_CHECKING:
    from cl_seg.suite.engines import Engine as StageEngine

Log = Callable[[str], None]


@dataclass(frozen=True)
class Slurm:
    """A Slurm cluster that computes stages as jobs.

    Attributes:
        partition: partition of the cluster.
        gres: resources of a job, such as ``gpu:1``.
        time: limit of a job, as sbatch takes it; stages not finished by then are queued again.
        max_jobs: largest number of jobs in the queue at once.
        sbatch: other options of sbatch, ``{"account": "lab"}`` or ``["account=lab"]``.
    """

    partition: str = ""
    gres: str = ""
    time: str = "4:00:00"
    max_jobs: int = 100
    sbatch: Mapping[str, str] | Sequence[str] = field(default=())


Engine = Literal["local"] | Slurm


def choose_engine(
    engine: Engine,
    workers: int | None,
    threads: int,
    checkpoint_seconds: float,
    log: Log,
) -> "StageEngine":
    """The engine that the user chose.

    Args:
        engine: ``local`` for this machine.
        workers: processes side by side on this machine, 0 for this process alone; by default as
            many as the cores allow.
        threads: CPU threads of each.
        checkpoint_seconds: seconds between two checkpoints of a training.
        log: prints a line.

    Raises:
        InputError: the number of workers is negative, or the engine or an option of sbatch is
            invalid.
    """
    if isinstance(engine, Slurm):
        from cl_seg.suite.engines.slurm import SlurmEngine  # noqa: PLC0415 - submitit, slow
        from cl_seg.suite.engines.slurm_queue import (  # noqa: PLC0415
            Resources,
            minutes_of,
            sbatch_options,
        )

        options = engine.sbatch
        if isinstance(options, Mapping):
            options = [f"{name}={value}" for name, value in options.items()]
        resources = Resources(
            engine.partition, engine.gres, minutes_of(engine.time), threads, sbatch_options(options)
        )
        return SlurmEngine(resources, engine.max_jobs, checkpoint_seconds, log)
    if engine != "local":
        raise InputError(f"engine {engine!r}: expected local, or Slurm(partition=…)")
    workers = default_workers(threads) if workers is None else workers
    if workers < 0:
        raise InputError(f"workers is {workers}: expected 0 for this process, or how many to start")
    if workers:
        from cl_seg.suite.engines.local import LocalEngine  # noqa: PLC0415

        return LocalEngine(workers, threads, checkpoint_seconds)
    from cl_seg.suite.engines.single import SingleEngine  # noqa: PLC0415

    return SingleEngine(checkpoint_seconds)


def default_workers(threads: int) -> int:
    """As many processes of some threads each as this machine has cores for."""
    return max(1, CORES // threads)
