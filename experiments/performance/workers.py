"""How much faster two workers finish a suite than one, with one thread each.

python experiments/performance/workers.py [--steps 150] [--workers 2]
"""

import argparse
import tempfile
import time
from pathlib import Path

from rectangles import write_store

from cl_seg.planning.gpus import CPU
from cl_seg.planning.plan import resolve
from cl_seg.records.record import read_record
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.local import LocalEngine
from cl_seg.suite.run import run_suites


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = write_store(folder / "rectangles.store", scanners=3)
        text = (
            f"kind: stream\nname: workers\ndata: {{store: {store}}}\nimage: {{size: 64}}\n"
            "models: [unet, unetr]\nstrategies: [naive, replay, ewc]\nseeds: [0, 1]\n"
            f"training: {{steps: {options.steps}, batch_size: 4, device: cpu}}\n"
        )
        one, alone = compute(folder / "one", text, 1)
        several, together = compute(folder / "several", text, options.workers)
    assert alone == together, "the number of workers changed a result"
    print(f"1 worker {one:.1f} s, {options.workers} workers {several:.1f} s, same bits")
    print(f"ratio {one / several:.3f}")


def compute(folder: Path, text: str, workers: int) -> tuple[float, dict[str, object]]:
    """Seconds and R of every run of a suite computed in a new folder."""
    folder.mkdir()
    (folder / "suite.yaml").write_text(text, encoding="utf-8")
    cache, results = StageCache(folder / "stages"), folder / "results"
    engine = LocalEngine([CPU] * workers, threads=1, checkpoint_seconds=30)
    started = time.perf_counter()
    plans = [resolve(folder / "suite.yaml", cache=cache.folder)]
    (outcome,) = run_suites(plans, [results], cache, engine, workers, lambda _: None)
    seconds = time.perf_counter() - started
    assert not outcome.failures, outcome.failures
    records = [read_record(path) for path in results.glob("runs/*/run.json")]
    return seconds, {record.run_id: record.R for record in records}


if __name__ == "__main__":
    main()
