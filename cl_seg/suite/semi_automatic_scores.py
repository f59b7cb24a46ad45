"""Scores of semi-automatic tools on the test slices of a suite, beside those of its networks."""

import hashlib
import importlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import Progress

from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_json, write_text
from cl_seg.messages.progress import progress_console
from cl_seg.planning.plan import Plan
from cl_seg.planning.source import source_hash
from cl_seg.planning.source_roots import TOOLS as TOOL_SOURCES
from cl_seg.scans.rows import selected_slices
from cl_seg.scans.store import SliceStore
from cl_seg.semi_automatic.registry import TOOLS, Tool

FOLDER = "tools"


def score_tools(plan: Plan, results: Path) -> None:
    """Write ``tools/<tool>.csv``, a row per test case, unless it is there and still true.

    A tool works on the slices as they are stored and is scored on their pixels, as networks are.

    Args:
        plan: of a suite whose data are at hand.
        results: folder of the suite's results.
    """
    wanted = plan.checked.suite.tools if plan.checked else []
    for name in TOOLS.keys() - set(wanted):
        for ending in (".json", ".csv"):
            (results / FOLDER / name).with_suffix(ending).unlink(missing_ok=True)
    missing = [name for name in wanted if not _is_done(plan, results, name)]
    if not missing:
        return
    store = SliceStore(plan.context.store)
    tests = {
        scanner: selected_slices(store.slices, scanner, plan.context.rows[scanner]["test"])
        for scanner in store.scanners
        if scanner in _learned(plan)
    }
    with Progress(console=progress_console(), transient=True) as bar:
        total = len(missing) * sum(map(len, tests.values()))
        task = bar.add_task("Semi-automatic tools", total=total)
        for name in missing:
            table = _scored(name, store, tests, lambda: bar.advance(task))
            # Without the key first: scores that are new are not taken for what an old key says.
            (results / FOLDER / f"{name}.json").unlink(missing_ok=True)
            write_text(results / FOLDER / f"{name}.csv", table.to_csv(index=False))
            write_json(results / FOLDER / f"{name}.json", {"key": _key(plan, name)})


def _learned(plan: Plan) -> list[str]:
    """The scanners that networks learn; a table of tools is compared with their scores."""
    context = plan.context
    return [scanner for scanner in context.scanners if scanner not in context.held_out]


def _is_done(plan: Plan, results: Path, name: str) -> bool:
    path = results / FOLDER / f"{name}.json"
    try:
        same = read_json(path)["key"] == _key(plan, name)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(same) and path.with_suffix(".csv").is_file()


def _key(plan: Plan, name: str) -> str:
    context = plan.context
    tests = [context.digests[scanner, "test"] for scanner in _learned(plan)]
    text = repr((name, tests, context.classes, source_hash(*TOOL_SOURCES)))
    return hashlib.sha256(text.encode()).hexdigest()


def _scored(
    name: str, store: SliceStore, tests: Mapping[str, pd.DataFrame], on_slice: Callable[[], None]
) -> pd.DataFrame:
    from cl_seg.evaluation.case_scores import case_scores  # noqa: PLC0415 - scipy, not for plans

    tool, tables = TOOLS[name], []
    mm = store.header.grid.spacing_mm
    for scanner, rows in tests.items():
        found: list[Any] = []
        true: list[Any] = []
        costs = []
        for row in rows["row"]:
            mask, truth, cost = _applied(tool, store, scanner, int(row))
            costs.append(cost)
            found.append(mask)
            true.append(truth)
            on_slice()
        cases = list(rows["case"])
        scores = pd.DataFrame(
            case_scores(np.stack(found), np.stack(true), cases, [tool.structure], mm)
        )
        spent = pd.DataFrame(costs).assign(case=cases).groupby("case").mean()
        patients = dict(zip(rows["case"], rows["patient"], strict=True))
        scores.insert(0, "scanner", scanner)
        scores.insert(1, "patient", scores["case"].map(patients))
        scores["body_cut"] = scores["case"].map(rows.groupby("case")["body_cut"].any())
        tables.append(scores.join(spent, on="case"))
    return pd.concat(tables).assign(tool=tool.title)


def _applied(
    tool: Tool, store: SliceStore, scanner: str, row: int
) -> tuple[Any, Any, dict[str, float]]:
    """Mask, truth (0, 1, 255) and cost of a tool on one slice."""
    from cl_seg.semi_automatic.tools import ToolInput  # noqa: PLC0415 - scikit-image

    module, _, attribute = tool.target.partition(":")
    apply = getattr(importlib.import_module(module), attribute)
    labels = np.asarray(store.labels(scanner)[row])
    label = store.header.classes.index(tool.structure) + 1
    tool_input = ToolInput(
        np.asarray(store.hu(scanner)[row]), store.header.grid.spacing_mm, labels == label
    )
    started = time.perf_counter()
    outcome = apply(tool_input)
    seconds = time.perf_counter() - started
    truth = np.where(labels == 255, 255, labels == label).astype(np.uint8)
    cost = {"seconds_per_slice": seconds, "interactions_per_slice": float(outcome.interactions)}
    return outcome.mask.astype(np.uint8), truth, cost
