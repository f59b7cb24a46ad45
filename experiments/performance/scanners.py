"""What many scanners cost: planning, evaluations, cache and report, and how they grow.

A suite of 2 networks × 4 strategies × 2 orders × 3 seeds is planned on stores of 10 to 100 scanners
(12 cases of 4 slices each), once for every choice of `evaluate`. Reports are made from synthetic
records with 10 test cases per scanner. Bytes and seconds of a stage are those of a small suite that
is run: a UNet on slices of 64². Seconds are processor time of one thread.

The rows of 1,000 scanners (10,000 test cases) are extrapolated. Stages, what they take and the plan
follow the quadratic through the three largest numbers of scanners, which is exact for numbers of
stages; the report goes on with the exponent of its growth between the two largest. Seconds and
memory are noisy: extrapolated, they are orders of magnitude.

    python experiments/performance/scanners.py [--scanners 10 30 60 100] [--to 1000]
"""

import argparse
import math
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from rectangles import write_store
from synthetic_runs import SyntheticSuite, write_runs

from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import markdown
from cl_seg.planning.plan import resolve
from cl_seg.planning.plan_file import write_plan
from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import StageCache

NETWORKS, STRATEGIES = ["vnet", "unet"], ["naive", "replay", "ewc", "cumulative"]
ORDERS, SEEDS, TEST_CASES = 2, 3, 10
CHOICES = ("all", "seen", "every 10")
SECONDS, MB, GB = "{:.1f} s", "{:.0f} MB", "{:.2f} GB"
OF_STAGES = {
    "runs": "{:,.0f}",
    "stages": "{:,.0f}",
    "evaluations": "{:,.0f}",
    "evaluating": "{:.1f} h",
    "cache": GB,
    "of it evaluations": GB,
    "records, left by prune --all": GB,
    "plan.json": MB,
    "first plan": SECONDS,
    "plan again": SECONDS,
    "plan, memory": MB,
}
OF_REPORT = {
    "report": SECONDS,
    "report, memory": MB,
    "page": "{:.1f} MB",
}
SHOWN = OF_STAGES | OF_REPORT
Cost = tuple[str, str]
Costs = dict[Cost, tuple[float, float]]
"""Kind of stage and strategy → bytes and seconds of one."""


def main() -> None:
    """Print a table of what was measured, and one of what is extrapolated from it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scanners", type=int, nargs="+", default=[10, 30, 60, 100])
    parser.add_argument("--to", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs, _, _ = in_new_process(cost_of_stages, folder / "costs")
        rows = []
        for scanners in options.scanners:
            store = write_store(folder / f"{scanners}.store", scanners)
            for evaluate in CHOICES:
                own = folder / f"{scanners} {evaluate}"
                row = {"scanners": scanners, "evaluate": evaluate}
                rows.append(row | measure(own, store, scanners, evaluate, costs))
    measured = pd.DataFrame(rows)
    print(markdown(shown(measured)))
    print(f"Not measured but extrapolated to {options.to:,} scanners:\n")
    print(markdown(extrapolated(measured, options.to)))


def measure(
    folder: Path, store: Path, scanners: int, evaluate: str, costs: Costs
) -> dict[str, float]:
    """Cost of one suite: its plan, its stages, its records and its report."""
    folder.mkdir()
    suite = suite_content(store, evaluate)
    counts, first, _ = in_new_process(plan, suite, folder, costs)
    _, again, memory = in_new_process(plan, suite, folder, costs)
    names = tuple(f"scanner{k}" for k in range(scanners))
    synthetic = ["naive", "replay", "ewc", "lwf"]
    records = SyntheticSuite(ORDERS, SEEDS, NETWORKS, synthetic, names, TEST_CASES, evaluate)
    write_runs(folder, records)
    kept = sum(path.stat().st_size for path in (folder / "runs").rglob("*") if path.is_file())
    (folder / "plan.json").unlink()  # it is of other runs
    page, report, report_memory = in_new_process(write_report, folder)
    return {
        **counts,
        "first plan": first,
        "plan again": again,
        "plan, memory": memory,
        "records, left by prune --all": kept / 1e9,
        "report": report,
        "report, memory": report_memory,
        "page": page.stat().st_size / 1e6,
    }


def in_new_process(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    """Result of a call, its seconds of processor time, and the largest memory in MB."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_timed, call, *arguments).result()


def _timed(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    started = time.process_time()
    result = call(*arguments)
    seconds = time.process_time() - started
    return result, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def suite_content(store: Path, evaluate: str) -> dict[str, Any]:
    """The suite that is planned."""
    return {
        "kind": "stream",
        "name": "scanners",
        "data": {"store": str(store)},
        "image": {"size": 64},
        "models": NETWORKS,
        "strategies": STRATEGIES,
        "orders": "both_ways",
        "seeds": list(range(SEEDS)),
        "evaluate": evaluate,
        "training": {"steps": 500, "device": "cpu"},
    }


def plan(suite: dict[str, Any], folder: Path, costs: Costs) -> dict[str, float]:
    """Plan a suite: number of its stages, and what they take."""
    planned = resolve(suite, cache=folder / "stages")
    write_plan(folder, planned)
    stages = list(planned.stages.values())
    evaluations = [stage for stage in stages if stage.kind == "evaluate"]
    return {
        "runs": len(planned.runs),
        "stages": len(stages),
        "evaluations": len(evaluations),
        "plan.json": (folder / "plan.json").stat().st_size / 1e6,
        "evaluating": sum(costs[cost_key(stage)][1] for stage in evaluations) / 3600,
        "cache": sum(costs[cost_key(stage)][0] for stage in stages) / 1e9,
        "of it evaluations": sum(costs[cost_key(stage)][0] for stage in evaluations) / 1e9,
    }


def cost_of_stages(folder: Path) -> Costs:
    """Bytes and seconds of the stages of a small suite that is run."""
    from cl_seg.runtime import torch_setup  # noqa: F401, PLC0415 - slow
    from cl_seg.suite.engines.single import SingleEngine  # noqa: PLC0415
    from cl_seg.suite.run import run_suites  # noqa: PLC0415

    store = write_store(folder / "small.store", scanners=3)
    suite = suite_content(store, "all") | {"models": ["unet"], "seeds": [0]}
    suite["training"] = {"steps": 10, "batch_size": 4, "device": "cpu"}
    cache = StageCache(folder / "stages")
    planned = resolve(suite, cache=cache.folder)
    run_suites([planned], [folder / "results"], cache, SingleEngine(), 1, lambda _: None)
    found: dict[Cost, list[tuple[int, float]]] = defaultdict(list)
    sizes = cache.sizes()
    for key, stage in planned.stages.items():
        found[cost_key(stage)].append((sizes[key], cache.metadata(key)["seconds"]))
    return {kind: tuple(map(median, zip(*each, strict=True))) for kind, each in found.items()}


def cost_key(stage: Stage) -> Cost:
    """Identifies stages of about the same size."""
    return stage.kind, stage.run.strategy.name if stage.uses_strategy else ""


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows rounded for reading."""
    rounded = {name: rows[name].map(how.format) for name, how in SHOWN.items()}
    return rows[["scanners", "evaluate"]].assign(**rounded)


def extrapolated(measured: pd.DataFrame, scanners: int) -> pd.DataFrame:
    """A row per choice of `evaluate`: values at ``scanners``, exponents of growth so far."""
    rows = []
    for evaluate, own in measured.groupby("evaluate", sort=False):
        row = {"scanners": scanners, "evaluate": evaluate}
        largest = own.sort_values("scanners").tail(3)
        at = largest["scanners"].to_numpy(float)
        for name, how in SHOWN.items():
            values = largest[name].to_numpy(float)
            exponent = math.log(values[-1] / values[-2]) / math.log(at[-1] / at[-2])
            value = values[-1] * (scanners / at[-1]) ** exponent
            if name in OF_STAGES:
                value = np.polyval(np.polyfit(at, values, 2), scanners)
            row[name] = f"{how.format(value)} ({exponent:.1f})"
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
