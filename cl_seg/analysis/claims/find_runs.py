"""The runs that a contrast compares: of the networks and tools of both its sides."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.analysis.claims.claim import UNSEEN, Contrast, Side
from cl_seg.analysis.seed_curve import runs_on_new_scanner
from cl_seg.analysis.tables import is_defined, runs_by_configuration
from cl_seg.analysis.tools_table import load_tools, tool_runs
from cl_seg.analysis.update.summary import refuse_updates
from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.records.tables import PACKED

UNSAID = (None, "")
RunsPerMethod = list[list[RunResult]]
"""The runs of every network and tool of one side."""


def suites_below(folder: Path) -> list[str]:
    """Names of the suites whose results are below a folder."""
    packed = sorted(path.parent.name for path in folder.glob(f"*/{PACKED}"))
    return packed + sorted(path.parent.name for path in folder.glob("*/runs"))


class RunFinder:
    """Finds the runs of contrasts below a folder of results; every suite is read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs = cache(self._read_runs)
        self._tools = cache(self._read_tools)

    def find(self, contrast: Contrast) -> tuple[RunsPerMethod, RunsPerMethod]:
        """The runs of both sides.

        Raises:
            InputError: there are none, or they cannot be compared.
        """
        with_tools = contrast.a.tools or contrast.b.tools
        tools = self._tools(contrast.suite) if with_tools else pd.DataFrame()
        return _both_sides(contrast, self._runs(contrast.suite), tools)

    def _read_runs(self, suite: str) -> list[RunResult]:
        suites = suites_below(self.folder)
        # Where there is nothing at all, the error of reading it says how to make results.
        if suites and not (self.folder / suite).is_dir():
            raise InputError(f"no suite {suite}; {_available(suites)}")
        runs = load_results(self.folder / suite)
        refuse_updates(runs)
        is_seed_curve = runs[0].training_regime == "seed_curve"
        return runs_on_new_scanner(runs) if is_seed_curve else runs

    def _read_tools(self, suite: str) -> pd.DataFrame:
        return load_tools(self.folder / suite)


def _both_sides(
    contrast: Contrast, runs: Sequence[RunResult], tools: pd.DataFrame
) -> tuple[RunsPerMethod, RunsPerMethod]:
    for side in contrast.sides:
        _require_names(side, runs)
    sides = [[_matching_runs(runs, n, side) for n in side.networks] for side in contrast.sides]
    found = [method for methods in sides for method in methods if method]
    # A tool has no order and no seed: it takes those of the network it is compared with.
    like = found[0] if found else _one_of_each(next(iter(runs_by_configuration(runs).values())))
    for side, methods in zip(contrast.sides, sides, strict=True):
        for tool in side.tools:
            _require("tool", tool, tools["name"] if len(tools) else [])
        methods += [tool_runs(tools, tool, like) for tool in side.tools]
        if not methods:
            raise InputError("a side names neither networks nor tools")
        if not all(methods):
            raise InputError(f"{contrast.suite} lacks {side}")
    unseen = contrast.score == UNSEEN
    if unseen and (contrast.a.tools or contrast.b.tools):
        raise InputError(f"{UNSEEN} is of networks: a tool learns on no scanner, compare its ACC")
    for run in (run for methods in sides for method in methods for run in method):
        if contrast.structure:
            _require("structure", contrast.structure, run.classes)
        defined = is_defined("ACC" if unseen else contrast.score, run.training_regime)
        if not defined or (unseen and not run.held_out):
            raise InputError(f"{contrast.score} of {run.network} {run.strategy} is not defined")
    sides = _in_common_replicates(sides)
    a, b = ([_of_structure(runs, contrast.structure) for runs in methods] for methods in sides)
    if len({tuple(runs[0].classes) for runs in (*a, *b)}) > 1:
        raise InputError("the sides are of several structures and of one: say `structure`")
    return a, b


def _in_common_replicates(sides: list[RunsPerMethod]) -> list[RunsPerMethod]:
    """The runs of the replicates that all methods have; runs of orders and seeds as they are."""
    methods = [runs for side in sides for runs in side]
    if not all(run.replicate for runs in methods for run in runs):
        return sides
    common = set.intersection(*({run.order_and_seed for run in runs} for runs in methods))
    if not common:
        raise InputError("the sides have no replicate in common")
    return [
        [[run for run in runs if run.order_and_seed in common] for runs in side] for side in sides
    ]


def _of_structure(runs: list[RunResult], name: str) -> list[RunResult]:
    return [run.of_class(name) for run in runs] if name else runs


def _one_of_each(runs: Sequence[RunResult]) -> list[RunResult]:
    """A run per order and seed, whatever else they differ in."""
    return list({(*run.order, run.seed): run for run in runs}.values())


def _require_names(side: Side, runs: Sequence[RunResult]) -> None:
    """Refuse names that no run has; a side without networks gives none."""
    for network in side.networks:
        _require("network", network, [run.network for run in runs])
    if side.networks:
        _require("strategy", side.strategy, [run.strategy for run in runs])
        _require("seed_images", side.seed_images, [_images(run)[0] for run in runs])
        _require("by", side.by, ["", *(_images(run)[1] for run in runs)])


def _require(what: str, name: str | int | None, known: Iterable[Any]) -> None:
    there = dict.fromkeys(known)
    if name not in there:
        missing = f"`{what}` is missing" if name in UNSAID else f"no {what} {name}"
        raise InputError(
            f"{missing}; {_available([str(one) for one in there if one not in UNSAID])}"
        )


def _available(names: Sequence[str]) -> str:
    """Names as the end of an error."""
    return f"there {'are' if len(names) > 1 else 'is'} {', '.join(names) or 'none'}"


def _images(run: RunResult) -> tuple[int | None, str | None]:
    """Number of SEED images of a run, and how they were chosen; None but in a seed curve."""
    images = run.record.spec.seed_images
    return (images.count, images.by) if images else (None, None)


def _matching_runs(runs: Sequence[RunResult], network: str, side: Side) -> list[RunResult]:
    found = []
    for run in runs:
        (count, by), same = _images(run), (run.network, run.strategy) == (network, side.strategy)
        if same and count == side.seed_images and side.by in {"", by}:
            found.append(run)
    if len({_images(run)[1] for run in found}) > 1:
        raise InputError(f"{side} were chosen in several ways: say `by`")
    return found
