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
    print_output_path,
)
from cl_seg.messages.errors import InputError

if TYPE_CHECKING:
    from cl_seg.api.plan import Plan

SuiteFiles = Annotated[list[Path], typer.Argument(help="Suite files (YAML).", show_default=False)]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Store to use in place of the suite's data.")
]
ResultsOption = Annotated[
    Path | None, typer.Option(help="Folder for results; default: results/<suite name>.")
]
ProcessorOption = Annotated[
    str,
    typer.Option(
        "--processor",
        envvar="CL_SEG_PROCESSOR",
        help="CPU type or GPU model of the machines that compute: what a plan.json made there has "
        "as processor and, if it has it, as bfloat16, with a space between; default: that of this "
        "machine.",
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
) -> None:
    """Check suites and list their runs and stages, without training."""
    planned = _planned(suite_files, data, results, cache, processor)
    if as_json:
        sys.stdout.write(planned.json() + "\n")
    else:
        print_answer(str(planned))


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
) -> None:
    """Run suites and write their reports; finished runs are not repeated."""
    from cl_seg.api.engines import Engine, Slurm
    from cl_seg.api.processes import Processes
    from cl_seg.api.run import run_plan

    if engine is EngineName.LOCAL and (partition or gres or sbatch):
        raise InputError("--partition, --gres and --sbatch are for --engine slurm")
    chosen: Engine = "local"
    if engine is EngineName.SLURM:
        chosen = Slurm(partition, gres, time, max_jobs, sbatch or [])
    planned = _planned(suite_files, data, results, cache, processor)
    print_detail(str(planned))
    processes = Processes(workers, _numbers(gpus), per_gpu)
    outcomes = run_plan(planned, processes, chosen, checkpoint_seconds, print_info)
    for outcome in outcomes:
        for run_id, reason in outcome.failures.items():
            print_error(f"{run_id} failed: {reason}")
        if outcome.answer:
            print_answer(outcome.answer)
        if outcome.report is not None:
            print_output_path("report", outcome.report)
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
