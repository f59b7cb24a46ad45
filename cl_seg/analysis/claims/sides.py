"""The runs of the networks and tools on both sides of a contrast."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.analysis.claims.claim import Contrast, Side, side_text
from cl_seg.analysis.tables import DEFINED, cells
from cl_seg.analysis.tools_table import load_tools, tool_runs
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult

Members = list[list[RunResult]]


def members_of(contrast: Contrast, folder: Path, runs_of: Any) -> tuple[Members, Members]:
    """The runs of every network and tool of both sides, of the structure the score is of.

    Raises:
        InputError: there are none, or they cannot be compared.
    """
    runs, name = runs_of(contrast.suite), contrast.structure
    for side in contrast.sides:
        _require_names(side, runs)
    networks = [[_fitting(runs, n, side) for n in side.networks] for side in contrast.sides]
    beside = [one for members in networks for one in members if one]
    sides = []
    for side, members in zip(contrast.sides, networks, strict=True):
        tools = load_tools(folder / contrast.suite) if side.tools else pd.DataFrame()
        for tool in side.tools:
            _require("tool", tool, tools["name"] if len(tools) else [])
        # A tool has no order and no seed: it takes those of the network it is compared with.
        like = beside[0] if beside else _one_of_each(next(iter(cells(runs).values())))
        members += [tool_runs(tools, tool, like) for tool in side.tools]
        if not members:
            raise InputError("a side names neither networks nor tools")
        if not all(members):
            raise InputError(f"{contrast.suite} lacks {side_text(side)}")
        sides.append(members)
    for run in (run for members in sides for one in members for run in one):
        if name:
            _require("structure", name, run.classes)
        if contrast.score not in DEFINED.get(run.schedule, {contrast.score}):
            raise InputError(f"{contrast.score} of {run.model} {run.strategy} is not defined")
    first, second = (
        [[run.of_class(name) if name else run for run in one] for one in members]
        for members in sides
    )
    if len({tuple(one[0].classes) for one in (*first, *second)}) > 1:
        raise InputError("the sides are of several structures and of one: say `structure`")
    return first, second


def _one_of_each(runs: Sequence[RunResult]) -> list[RunResult]:
    """A run per order and seed, whatever else they differ in."""
    return list({(*run.order, run.seed): run for run in runs}.values())


def _require_names(side: Side, runs: Sequence[RunResult]) -> None:
    """Refuse what no run is called; a side without networks names none."""
    for network in side.networks:
        _require("network", network, [run.model for run in runs])
    if side.networks:
        _require("strategy", side.strategy, [run.strategy for run in runs])
        _require("seed_images", side.seed_images, [_images(run) for run in runs])
        _require("by", side.by, ["", *map(_by, runs)])


def _require(what: str, name: str | int | None, known: Iterable[Any]) -> None:
    if name not in (there := list(dict.fromkeys(known))):
        missing = f"no {what} {name}" if name else f"`{what}` is missing"
        raise InputError(f"{missing}; {there_are([str(one) for one in there if one])}")


def there_are(names: Sequence[str]) -> str:
    """Names as the end of an error."""
    return f"there {'are' if len(names) > 1 else 'is'} {', '.join(names) or 'none'}"


def _images(run: RunResult) -> int | None:
    """Number of SEED images of a run of a seed curve."""
    images = run.record.spec.seed_images
    return images.count if images else None


def _by(run: RunResult) -> str | None:
    """How its SEED images were chosen."""
    images = run.record.spec.seed_images
    return images.by if images else None


def _fitting(runs: Sequence[RunResult], network: str, side: Side) -> list[RunResult]:
    found = []
    for run in runs:
        same = (run.model, run.strategy) == (network, side.strategy)
        if same and _images(run) == side.seed_images and side.by in {"", _by(run)}:
            found.append(run)
    if len(set(map(_by, found))) > 1:
        raise InputError(f"{side_text(side)} were chosen in several ways: say `by`")
    return found
