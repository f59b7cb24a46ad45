"""Engines that compute the stages of a suite: worker processes here, or jobs on a cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cl_seg.api.processes import Processes
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.planning.gpus import CPU

if TYPE_CHECKING:
    from cl_seg.suite.engines import Engine as StageEngine
    from cl_seg.suite.engines.slurm import SlurmEngine

Log = Callable[[str], None]
ASKS_FOR_GPUS = ("gpus", "tres", "exclusive")
"""What options of sbatch begin with that give a job GPUs; exclusive gives it those of its node."""


@dataclass(frozen=True)
class Slurm:
    """A Slurm cluster that computes stages as jobs.

    Attributes:
        partition: partition of the cluster.
        gres: resources of a job, such as ``gpu:1``, which a suite on a GPU needs.
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
    processes: Processes,
    devices: Sequence[str],
    threads: int,
    checkpoint_seconds: float,
    log: Log,
) -> "StageEngine":
    """The engine that the user chose.

    Args:
        engine: ``local`` for this machine.
        processes: of this machine.
        devices: of the suites, each ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads of each process or job.
        checkpoint_seconds: seconds between two checkpoints of a training.
        log: prints a line.

    Raises:
        InputError: these choices do not go together, or one of them is invalid.
    """
    if isinstance(engine, Slurm):
        return slurm_engine(engine, processes, devices, threads, checkpoint_seconds, log)
    if engine != "local":
        raise InputError(f"engine {engine!r}: expected local, or Slurm(partition=…)")
    each = processes.devices(devices, threads)
    if processes.workers == 0:
        from cl_seg.suite.engines.single import SingleEngine  # noqa: PLC0415

        return SingleEngine(checkpoint_seconds)
    from cl_seg.suite.engines.local import LocalEngine  # noqa: PLC0415

    if gpus := [device for device in dict.fromkeys(each) if device != CPU]:
        per_gpu = counted(len(each) // len(gpus), "process", "processes")
        hint = "; more with --per-gpu, --workers is for the CPU" if processes.workers else ""
        log(f"on {counted(len(gpus), 'GPU')} ({', '.join(gpus)}), {per_gpu} each{hint}")
    return LocalEngine(each, threads, checkpoint_seconds)


def slurm_engine(
    engine: Slurm,
    processes: Processes,
    devices: Sequence[str],
    threads: int,
    checkpoint_seconds: float = 30.0,
    log: Log = print,
) -> "SlurmEngine":
    """The engine of a Slurm cluster; see :func:`choose_engine`."""
    from cl_seg.suite.engines.slurm import SlurmEngine  # noqa: PLC0415 - submitit, slow
    from cl_seg.suite.engines.slurm_queue import (  # noqa: PLC0415
        Resources,
        minutes_of,
        sbatch_options,
    )

    texts = engine.sbatch
    if isinstance(texts, Mapping):
        texts = [f"{name}={value}" for name, value in texts.items()]
    options = sbatch_options(texts)
    if processes.gpus is not None or processes.per_gpu is not None:
        raise InputError(
            "`gpus` and `per_gpu` (--gpus, --per-gpu) are for GPUs of this machine: a Slurm job "
            "computes on the GPU that --gres gpu:1 gives it"
        )
    with_gpu = engine.gres or any(name.startswith(ASKS_FOR_GPUS) for name in options)
    if not with_gpu and any(device != "cpu" for device in devices):
        raise InputError(
            "the suite is computed on a GPU, and Slurm gives a job none unless asked: give `gres` "
            "(--gres gpu:1)"
        )
    resources = Resources(engine.partition, engine.gres, minutes_of(engine.time), threads, options)
    return SlurmEngine(resources, engine.max_jobs, checkpoint_seconds, log)
