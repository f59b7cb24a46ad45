"""Slurm's queue: arrays of jobs are queued, cancelled, and looked for."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError

from cl_seg.messages.errors import InputError

MAX_TIMEOUTS = 1000  # a job goes on where it was, so that running out of time loses nothing
SET_HERE = (
    *("dependency", "kill-on-invalid-dep", "requeue", "no-requeue", "signal", "job-name"),
    *("output", "error", "open-mode", "nodes", "ntasks", "ntasks-per-node", "wrap", "chdir"),
)
OWN = {
    **{name: f"use --{name}" for name in ("partition", "gres", "time")},
    "array": "use --max-jobs",
    "cpus-per-task": "write `threads` under `training` of the suite",
    **dict.fromkeys(SET_HERE, "cl_seg sets it itself"),
}
TIME = re.compile(r"(?:(?P<d>\d+)-)?(?P<a>\d+)(?::(?P<b>\d+))?(?::(?P<c>\d+))?")


@dataclass(frozen=True)
class Resources:
    """Resources of every job.

    Attributes:
        partition: of the cluster, "" for its default.
        gres: generic resources, such as ``gpu:1``.
        minutes: time limit; what is not finished then is queued again and goes on.
        cpus: of one job.
        sbatch: further options of sbatch, without the leading dashes; True where they take none.
    """

    partition: str = ""
    gres: str = ""
    minutes: int = 240
    cpus: int = 1
    sbatch: Mapping[str, str | bool] = field(default_factory=dict)


def minutes_of(text: str) -> int:
    """Minutes of a time limit as sbatch writes it: ``90``, ``4:00:00``, ``1-12`` or ``2-00:00:00``.

    Raises:
        InputError: it is none, or shorter than two minutes.
    """
    match = TIME.fullmatch(text)
    if match:
        days, *parts = match.group("d", "a", "b", "c")
        numbers = [int(part) for part in parts if part is not None]
        if days is not None:
            scale = (60.0, 1.0, 1 / 60)
        else:
            scale = (60.0, 1.0, 1 / 60) if len(numbers) == 3 else (1.0, 1 / 60, 0.0)
        pairs = zip(numbers, scale, strict=False)
        minutes = int(days or 0) * 24 * 60 + sum(number * factor for number, factor in pairs)
        if minutes >= 2:
            return int(minutes)
    raise InputError(
        f"`time` (--time {text}): expected at least two minutes, written as minutes, "
        "H:MM:SS or D-HH:MM:SS"
    )


def sbatch_options(texts: Iterable[str]) -> dict[str, str | bool]:
    """``NAME=VALUE``, or ``NAME`` of an option without one → value, or True, by name.

    Raises:
        InputError: a text is of another form, or names what has an option of its own.
    """
    options: dict[str, str | bool] = {}
    for text in texts:
        name, equals, value = text.lstrip("-").partition("=")
        if not name or " " in name or (equals and not value):
            raise InputError(
                f"`sbatch` (--sbatch '{text}'): expected NAME=VALUE, such as account=lab"
            )
        if name in OWN:
            raise InputError(f"`sbatch` (--sbatch {text}): {OWN[name]}")
        options[name] = value or True
    return options


def check_slurm() -> None:
    """Refuse where Slurm's commands are not there.

    Raises:
        InputError: naming what is missing.
    """
    missing = [name for name in ("sbatch", "srun", "squeue") if shutil.which(name) is None]
    if missing:
        raise InputError(
            f"--engine slurm: {', '.join(missing)} not found: give the command on a machine from "
            "which jobs are submitted, usually the login node"
        )


def queue(
    folder: Path, jobs: Sequence[Any], after: Sequence[str], resources: Resources, at_once: int
) -> list[str]:
    """Queue callables as one array of jobs, whose name is that of the folder.

    Args:
        folder: where the jobs' files and logs go, new for every call of the program, because Slurm
            may give the same number twice.
        jobs: callables that can be pickled.
        after: ids of jobs that have to end well before these start.
        resources: of each.
        at_once: how many of them may run side by side.

    Returns:
        Their ids.

    Raises:
        InputError: Slurm refuses.
    """
    executor = _executor(folder, after, resources, at_once)
    told = io.StringIO()  # submitit repeats what sbatch says
    try:
        with redirect_stderr(told), executor.batch():
            queued = [executor.submit(job) for job in jobs]
    except (FailedJobError, FailedSubmissionError) as error:
        _remove_scripts(folder)
        lines = told.getvalue().splitlines() or str(error).splitlines()
        reason = "; ".join(line.removeprefix("sbatch: error: ") for line in lines)
        for refused in folder.glob("*.pkl"):
            if not refused.stem.endswith(("_submitted", "_result")):
                refused.unlink()
        with suppress(OSError):  # not empty: others have been queued
            folder.rmdir()
        raise InputError(f"Slurm refused the jobs: {reason}") from None
    _remove_scripts(folder)
    return [job.job_id for job in queued]


def sbatch_script(folder: Path, resources: Resources) -> str:
    """The script that sbatch is given for a job; nothing is written or queued.

    Args:
        folder: of jobs, as for :func:`queue`.
        resources: of the job.
    """
    executor = _executor(folder, (), resources, 1)
    return executor._make_submission_file_text(executor._submitit_command_str, "")


def _executor(
    folder: Path, after: Sequence[str], resources: Resources, at_once: int
) -> submitit.SlurmExecutor:
    executor = submitit.SlurmExecutor(folder, max_num_timeout=MAX_TIMEOUTS)
    wanted = {"partition": resources.partition, "gres": resources.gres}
    wanted["dependency"] = "afterok:" + ":".join(after) if after else ""
    executor.update_parameters(
        job_name=folder.name,
        time=resources.minutes,
        cpus_per_task=resources.cpus,
        array_parallelism=at_once,
        stderr_to_stdout=True,
        # Since Slurm 22.05 a step does not take over the CPUs of its job by itself.
        srun_args=[f"--cpus-per-task={resources.cpus}"],
        setup=[f"export {n}_NUM_THREADS={resources.cpus}" for n in ("OMP", "MKL")],
        additional_parameters={"requeue": True, "kill-on-invalid-dep": "yes", **resources.sbatch},
        **{name: value for name, value in wanted.items() if value},
    )
    return executor


def _remove_scripts(folder: Path) -> None:
    for script in folder.glob(".submission_file_*"):  # what submitit leaves behind
        script.unlink()


def queued(names: Iterable[str]) -> dict[str, str] | None:
    """Id → state of the jobs of some names that wait or run; None when Slurm does not answer."""
    form = ["--noheader", "--array", "--format=%i %T"]
    done = _ask("squeue", *form, f"--name={','.join(names)}")
    if done is None or done.returncode:
        return None
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def cancel(ids: Iterable[str]) -> None:
    """Take jobs out of the queue; those that are gone already are none."""
    listed = list(ids)
    if listed:
        _ask("scancel", "--quiet", *listed)


def _ask(*command: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=60,
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
