"""Time saved by sharing stages: naive, replay and EWC with three λ over three scanners.

Computes the suite with shared stages, then every run alone with its own cache, one after the other
in this process. The time saved is compared with a prediction from the durations of the stages that
were computed more than once. Planning and reports are not counted. Results of both must be equal
bit for bit.

    python experiments/performance/sharing.py [--steps 60] [--network unet]
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from rectangles import write_store

from cl_seg.planning.plan import resolve
from cl_seg.records.record import read_record
from cl_seg.runtime import torch_setup  # noqa: F401 - imported now, so that no measurement counts it
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites

STRATEGIES = [
    "naive",
    "replay",
    *(f"{{name: ewc, label: ewc{x}, settings: {{ewc_lambda: {x}}}}}" for x in (0.001, 0.01, 0.1)),
]


def main() -> None:
    """Print both times, the saving, and the saving predicted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--network", default="unet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = write_store(folder / "rectangles.store", scanners=3)

        def text(strategies: list[str], steps: int = options.steps) -> str:
            return (
                f"kind: stream\nname: sharing\ndata: {{store: {store}}}\nimage: {{size: 64}}\n"
                f"models: [{options.network}]\nstrategies: [{', '.join(strategies)}]\n"
                f"training: {{steps: {steps}, batch_size: 4, device: cpu}}\n"
            )

        compute(folder / "warm", text(["naive"], steps=2))
        shared_seconds, shared, stages = compute(folder / "shared", text(STRATEGIES))
        unshared_seconds, alone, copies = 0.0, {}, 0.0
        for number, strategy in enumerate(STRATEGIES):
            seconds, results, durations = compute(folder / f"alone{number}", text([strategy]))
            unshared_seconds += seconds
            alone |= results
            copies += sum(durations.values())
    predicted = copies - sum(stages.values())
    saving = unshared_seconds - shared_seconds
    assert alone == shared, "sharing changed a result"
    print(f"shared {shared_seconds:.1f} s, each run alone {unshared_seconds:.1f} s, same bits")
    print(f"saving {saving:.1f} s, predicted from stages {predicted:.1f} s")
    print(f"saving / predicted {saving / predicted:.3f}")


class TimedEngine:
    """Measures how long the stages take with all that is between them."""

    seconds, workers, runs_locally = 0.0, 1, True

    def compute_stages(self, *arguments: Any) -> None:
        """Compute all stages of a schedule."""
        started = time.perf_counter()
        SingleEngine().compute_stages(*arguments)
        self.seconds = time.perf_counter() - started


def compute(folder: Path, text: str) -> tuple[float, dict[str, object], dict[str, float]]:
    """Seconds, R of every run, and seconds of every stage of a suite computed in a new folder."""
    folder.mkdir()
    (folder / "suite.yaml").write_text(text, encoding="utf-8")
    cache, results = StageCache(folder / "stages"), folder / "results"
    plan, engine = resolve(folder / "suite.yaml", cache=cache.folder), TimedEngine()
    (outcome,) = run_suites([plan], [results], cache, engine, 1, lambda _: None)
    assert not outcome.failures, outcome.failures
    records = [read_record(path) for path in results.glob("runs/*/run.json")]
    durations = {key: cache.metadata(key)["seconds"] for key in cache.keys()}  # noqa: SIM118
    return engine.seconds, {record.run_id: record.R for record in records}, durations


if __name__ == "__main__":
    main()
