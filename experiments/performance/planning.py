"""Time and memory of planning a large grid: models × strategies × all orders × seeds.

python experiments/performance/planning.py [--runs 10000]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from rectangles import write_store

from cl_seg.planning.plan import resolve
from cl_seg.suite.summary import trainings

ORDERS, MODELS, STRATEGIES = 24, 4, 5


def main() -> None:
    """Print runs, stages, seconds and megabytes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    seeds = -(-options.runs // (ORDERS * MODELS * STRATEGIES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = write_store(folder / "rectangles.store", scanners=4)
        lambdas = ", ".join(
            f"{{name: ewc, label: ewc{x}, settings: {{ewc_lambda: {x}}}}}" for x in (0.01, 0.1, 1)
        )
        (folder / "suite.yaml").write_text(
            f"kind: stream\nname: planning\ndata: {{store: {store}}}\nimage: {{size: 64}}\n"
            f"models: [vnet, unet, unetr, swin_unetr]\nstrategies: [naive, replay, {lambdas}]\n"
            f"orders: all\nseeds: {list(range(seeds))}\ntraining: {{steps: 10}}\n",
            encoding="utf-8",
        )
        started = time.perf_counter()
        graph = resolve(folder / "suite.yaml", cache=folder / "stages").graph
        seconds = time.perf_counter() - started
    alone, shared = trainings(graph)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{len(graph.runs)} runs, {len(graph.stages)} stages, {shared} trainings for {alone}")
    print(f"{seconds:.2f} s, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
