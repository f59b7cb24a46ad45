"""Mirrors finished runs to Weights & Biases: offline unless the user's environment says otherwise.

A mirror, never the record: nothing is read back, and a failure here costs a warning only.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd


def mirror(run_folder: Path, group: str, say: Callable[[str], None]) -> None:
    """Mirror one finished run: its spec, R as tables and heat maps, curves per scanner and class.

    ``WANDB_MODE`` decides: ``offline`` (default) writes to a ``wandb`` folder beside ``runs``, from
    which ``wandb sync`` uploads; ``online`` uploads; ``disabled`` does nothing.

    Args:
        run_folder: folder with the run's record.
        group: name of the suite.
        say: prints a warning.
    """
    mode = os.environ.get("WANDB_MODE", "offline")
    if mode == "disabled":
        return
    try:
        _mirror(run_folder, group, mode)
    except Exception as error:
        say(f"wandb: {run_folder.name} is not mirrored ({type(error).__name__}: {error})")


def _mirror(run_folder: Path, group: str, mode: str) -> None:
    import wandb  # noqa: PLC0415 - slow, and only needed here

    from cl_seg.analysis.figures.heat_maps import heat_map_pixels  # noqa: PLC0415 - matplotlib, not for plans
    from cl_seg.analysis.results import RunResult  # noqa: PLC0415

    record: dict[str, Any] = json.loads((run_folder / "run.json").read_text(encoding="utf-8"))
    run = wandb.init(
        project="cl_seg",
        group=group,
        name=record["run_id"],
        id=record["key"][:16],
        resume="allow",
        config=record["spec"],
        dir=run_folder.parents[1],
        mode=cast(Any, mode),
        settings=wandb.Settings(
            console="off", disable_git=True, disable_code=True, x_disable_stats=True, silent=True
        ),
    )
    for row in _curve(run_folder, record):
        run.log(row)
    order = record["spec"]["order"]
    for name, matrix in record["R"].items():
        table = wandb.Table(columns=["stage", *order], data=_rows(matrix))
        picture = wandb.Image(heat_map_pixels(RunResult(run_folder, record), name))
        run.log({f"R/{name}": table, f"R heat map/{name}": picture})
    run.finish()


def _curve(run_folder: Path, record: dict[str, Any]) -> list[dict[str, float]]:
    """One dictionary per scored step, with the step counted over the whole stream."""
    curve = pd.read_parquet(run_folder / "curve.parquet")
    lengths = [0, *(stage["steps"] for stage in record["stages"])]
    before = {i: sum(lengths[:i]) for i in range(1, len(lengths))}
    curve["optimiser_step"] = curve["step"] + curve["stage"].map(before)
    rows = []
    for step, points in curve.groupby("optimiser_step"):
        scores = zip(points["scanner"], points["class"], points["dice"], strict=True)
        row = {f"dice/{scanner}/{name}": float(dice) for scanner, name, dice in scores}
        rows.append({"optimiser_step": float(str(step)), **row})
    return rows


def _rows(matrix: list[list[float | None]]) -> list[list[Any]]:
    return [[f"after {i}" if i else "untrained", *row] for i, row in enumerate(matrix)]
