"""Mirrors finished runs to Weights & Biases, where the user's environment asks for it.

A mirror, never the record: nothing is read back, and a failure here costs a warning only.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from cl_seg.messages.errors import one_line
from cl_seg.records.load import load_run
from cl_seg.records.record import Rows
from cl_seg.suite.mirrored_numbers import STEP, curve_of, scores_of

OFFLINE, DISABLED, PROJECT = "offline", "disabled", "WANDB_PROJECT"
ANSWER_SECONDS, UPLOAD_SECONDS = 10.0, 60.0
"""How long a server is waited for, and a run's upload (engineering values)."""


class WandbMirror:
    """Mirrors the finished runs of suites: spec, scores, R as tables and heat maps, curves.

    ``WANDB_MODE`` decides: ``offline`` writes to a ``wandb`` folder beside ``runs``, from which
    ``wandb sync`` uploads; ``online`` uploads; ``disabled``, or ``WANDB_DISABLED=true``, does
    nothing. Without it, a ``WANDB_PROJECT`` means ``offline``, and nothing of wandb's is set means
    ``disabled``. A server that does not answer is waited for once: what follows is written offline.

    Args:
        log: prints a warning.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self.mode = _mode(os.environ)
        self.log = log

    def add(self, run_folder: Path, group: str) -> None:
        """Mirror one finished run.

        Args:
            run_folder: folder with the run's record.
            group: name of the suite.
        """
        if self.mode not in {OFFLINE, DISABLED}:
            try:
                return _mirror(run_folder, group, self.mode)
            except Exception as error:
                self.mode = OFFLINE
                _forget_failed_upload()
                self.log(
                    f"wandb: {run_folder.name} is not uploaded ({_reason(error)}): from here on "
                    f"runs are mirrored to {run_folder.parents[1] / 'wandb'}, `wandb sync` uploads "
                    "them"
                )
        if self.mode == OFFLINE:
            try:
                _mirror(run_folder, group, OFFLINE)
            except Exception as error:
                self.log(f"wandb: {run_folder.name} is not mirrored ({_reason(error)})")


def _mode(environment: Mapping[str, str]) -> str:
    if environment.get("WANDB_DISABLED", "").strip().lower() in {"1", "true", "yes", "on"}:
        return DISABLED
    unasked = OFFLINE if environment.get(PROJECT, "").strip() else DISABLED
    mode = environment.get("WANDB_MODE", "").strip().lower() or unasked
    return OFFLINE if mode == "dryrun" else mode


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(error)[:200]}"


def _forget_failed_upload() -> None:
    """End wandb's process, which would keep the name of the run that it did not begin."""
    with suppress(Exception):
        import wandb  # noqa: PLC0415

        wandb.teardown()


def _mirror(run_folder: Path, group: str, mode: str) -> None:
    import wandb  # noqa: PLC0415 - slow, and only needed here

    from cl_seg.analysis.figures.heat_maps import heat_map_pixels  # noqa: PLC0415 - matplotlib, not for plans

    result = load_run(run_folder)
    record = result.record
    wandb.setup(wandb.Settings(silent=True))  # never asks at the terminal who one is
    run = wandb.init(
        project=os.environ.get(PROJECT, "").strip() or "cl_seg",
        group=group,
        name=record.run_id,
        id=record.key[:16],
        resume="allow",
        config=record.spec.as_suite_fields(),
        dir=run_folder.parents[1],
        mode=cast(Any, mode),
        settings=wandb.Settings(
            console="off",
            disable_git=True,
            disable_code=True,
            x_disable_stats=True,
            silent=True,
            init_timeout=ANSWER_SECONDS,
            login_timeout=ANSWER_SECONDS,
            finish_timeout=UPLOAD_SECONDS,
            finish_timeout_raises=True,
        ),
    )
    run.define_metric(STEP)
    run.define_metric("dice/*", step_metric=STEP)
    for row in curve_of(result):
        run.log(row)
    for name, matrix in record.R.items():
        table = wandb.Table(columns=["stage", *result.scanners], data=_rows(matrix))
        picture = wandb.Image(heat_map_pixels(result, name))
        run.log({f"R/{name}": table, f"R heat map/{name}": picture})
    run.summary.update(scores_of(result))
    run.finish()


def _rows(matrix: Rows) -> list[list[Any]]:
    return [[f"after {i}" if i else "untrained", *row] for i, row in enumerate(matrix)]
