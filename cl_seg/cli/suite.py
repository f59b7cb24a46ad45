"""``cl-seg plan``, ``run`` and ``status``: commands for suites."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cl_seg.cli.console import (
    STAGES,
    CacheOption,
    print_answer,
    print_detail,
    print_error,
    print_info,
)
from cl_seg.cli.outcome import OpenOption, print_outcome
from cl_seg.messages.errors import InputError

if TYPE_CHECKING:
    from cl_seg.api.plan import Plan

SuiteFiles = Annotated[list[Path], typer.Argument(help="Suite files (YAML).", show_default=False)]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Store to use in place of the suite's data.")
]
ResultsOption = Annotated[
    Path | None,
    typer.Option(readable=False, help="Folder for results; default: results/<suite name>."),
]
ProcessorOption = Annotated[
    str,
    typer.Option(
        "--processor",
        envvar="CL_SEG_PROCESSOR",
        help="CPU type or GPU model of the machines that compute: what `cl-seg processor` prints "
        "there; default: that of this machine.",
    ),
]
GPUS: dict[str, Any] = {"rich_help_panel": "On GPUs"}
SLURM: dict[str, Any] = {"rich_help_panel": "On Slurm"}


class EngineName(StrEnum):
    """Places where stages are computed."""

    LOCAL = "local"
    SLURM = "slurm"


def plan(
    suite_files: SuiteFiles,
    data: DataOption = None,
    results: ResultsOption = None,
    cache: CacheOption = STAGES,
    processor: ProcessorOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    try_it: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Also build every network, check plugins of your own, and time a few steps.",
        ),
    ] = False,
) -> None:
    """Check suites and list their runs and stages, without training."""
    if try_it and (as_json or processor):
        raise InputError("--try is of this machine and prints lines: leave --json, --processor out")
    planned = _planned(suite_files, data, results, cache, processor)
    if as_json:
        sys.stdout.write(planned.json() + "\n")
    else:
        print_answer(str(planned))
    if try_it:
        from cl_seg.suite.trial import try_plans

        for line in try_plans(planned.plans):
            print_answer(line)


def run(
    suite_files: SuiteFiles,
    data: DataOption = None,
    results: ResultsOption = None,
    cache: CacheOption = STAGES,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of parallel processes on the CPU, 0 for this process only (on the CPU or "
            "a GPU); default: cores divided by threads per process.",
        ),
    ] = None,
    gpus: Annotated[str, typer.Option(help="GPUs to use, e.g. 0,2; default: all.", **GPUS)] = "",
    per_gpu: Annotated[
        int | None,
        typer.Option(min=1, help="Number of parallel processes on each GPU; default: 1.", **GPUS),
    ] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds between checkpoints of a training.")
    ] = 30.0,
    open_it: OpenOption = False,
    engine: Annotated[EngineName, typer.Option(help="Where to compute stages.")] = EngineName.LOCAL,
    processor: ProcessorOption = "",
    partition: Annotated[str, typer.Option(help="Partition to submit jobs to.", **SLURM)] = "",
    gres: Annotated[
        str, typer.Option(help="Generic resources of a job, e.g. gpu:1.", **SLURM)
    ] = "",
    time: Annotated[
        str, typer.Option(help="Time limit of a job; unfinished stages are queued again.", **SLURM)
    ] = "4:00:00",
    max_jobs: Annotated[
        int, typer.Option(min=1, help="Maximum number of jobs in the queue.", **SLURM)
    ] = 100,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(help="Another sbatch option, e.g. account=lab or mem=16G; repeat.", **SLURM),
    ] = None,
    show_script: Annotated[
        bool,
        typer.Option("--show-script", help="Print the sbatch script and queue nothing.", **SLURM),
    ] = False,
) -> None:
    """Run suites, write their reports and show the summaries; finished runs are not repeated."""
    from cl_seg.api.engines import Engine, Slurm
    from cl_seg.api.processes import Processes
    from cl_seg.api.run import run_plan, slurm_script

    if engine is EngineName.LOCAL and (partition or gres or sbatch or show_script):
        raise InputError("--partition, --gres, --sbatch and --show-script are for --engine slurm")
    cluster = Slurm(partition, gres, time, max_jobs, sbatch or [])
    chosen: Engine = "local" if engine is EngineName.LOCAL else cluster
    planned = _planned(suite_files, data, results, cache, processor)
    if show_script:
        print_answer(slurm_script(planned, cluster))
        return
    print_detail(str(planned))
    processes = Processes(workers, _numbers(gpus), per_gpu)
    outcomes = run_plan(planned, processes, chosen, checkpoint_seconds, print_info)
    for outcome in outcomes:
        for run_id, reason in outcome.failures.items():
            print_error(f"{run_id} failed: {reason}")
        if outcome.answer:
            print_answer(outcome.answer)
        if outcome.report is not None:
            print_outcome(outcome.report, open_it)
    if any(outcome.failures for outcome in outcomes):
        raise typer.Exit(1)


def status(
    suite_files: SuiteFiles,
    data: DataOption = None,
    results: ResultsOption = None,
    cache: CacheOption = STAGES,
    processor: ProcessorOption = "",
) -> None:
    """Show the progress of suites, read from their files, even if another machine runs them."""
    print_answer(_planned(suite_files, data, results, cache, processor).progress())


class Device(StrEnum):
    """What a processor computes on."""

    CPU = "cpu"
    CUDA = "cuda"


def processor(
    device: Annotated[
        Device, typer.Argument(help="The CPU, or the GPU, of this machine.")
    ] = Device.CPU,
) -> None:
    """Print what --processor of other commands is for suites computed on this machine."""
    from cl_seg.planning.environment import kernel_target_of
    from cl_seg.planning.gpus import require_gpu

    if device is Device.CUDA:
        require_gpu(device.value)
    print_answer(kernel_target_of(device.value))


def _numbers(text: str) -> list[int] | None:
    """``0,2`` as numbers, None for no text.

    Raises:
        InputError: it is something else.
    """
    try:
        return [int(number) for number in text.split(",")] if text else None
    except ValueError:
        raise InputError(f"--gpus {text}: expected numbers of GPUs, such as 0,2") from None


def _planned(
    files: list[Path], data: Path | None, results: Path | None, cache: Path, processor: str
) -> "Plan":
    from cl_seg.api.plan import Plan
    from cl_seg.api.suite import Suite

    return Plan([Suite(file, data) for file in files], results, cache, processor)
