"""The quick suite by this checkout and by another, in float32 and in bfloat16, side by side.

Every contestant runs the whole suite on the same store, one after the other, as processes of its
own with an empty cache. Seconds of training are those of the records; wall time is the command's.

    python experiments/performance/training.py OTHER_CHECKOUT [--data my.store] [--steps 150]
        [--network unet]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml
from edited_quick_suite import QUICK, edited_quick_suite
from rectangles import write_store

from cl_seg.planning.checked_suite import parse_suite
from cl_seg.planning.data import open_store

HERE = Path(__file__).resolve().parents[2]
RUN = "import sys; from cl_seg.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Contestant:
    """A checkout that runs the suite in a precision.

    Attributes:
        name: in the table.
        checkout: root of its source.
        precision: of its training.
    """

    name: str
    checkout: Path
    precision: str


def main() -> None:
    """Run the suite once per contestant; print seconds and ratios to the other checkout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="root of another checkout")
    parser.add_argument("--data", type=Path, help="a store with the scanners of the quick suite")
    parser.add_argument("--rectangles", action="store_true", help="instead of simulated bodies")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--network", action="append")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    contestants = [
        Contestant("other, float32", options.other.resolve(), "float32"),
        *(Contestant(f"this, {p}", HERE, p) for p in ("float32", "auto", "bfloat16")),
    ]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        store = options.data
        if options.rectangles:
            store = write_store(Path(folder, "rectangles.store"), scanners=3)
        store = store or open_store(parse_suite(QUICK).data, workers=options.workers).folder
        for number, contestant in enumerate(contestants):
            place = Path(folder, str(number))
            place.mkdir()
            suite = edited_quick_suite(
                store, {"precision": contestant.precision}, options.network, options.steps
            )
            (place / "quick.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
            wall = run_suite(contestant.checkout, place, options.workers)
            runs = pd.read_csv(place / "results/quick/runs.csv")
            results[contestant.name] = runs.groupby("model", sort=False)["train_seconds"].sum()
            results[contestant.name]["all"] = results[contestant.name].sum()
            results[contestant.name]["wall time"] = wall
    print(table(pd.DataFrame(results)))


def run_suite(checkout: Path, folder: Path, workers: int) -> float:
    """Wall time of ``cl-seg run`` by a checkout; what it prints goes to standard error."""
    environment = {**os.environ, "WANDB_MODE": "disabled", "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", RUN, "run", "quick.yaml", "--workers", str(workers)]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
    return time.perf_counter() - started


def table(seconds: pd.DataFrame) -> str:
    """Markdown: seconds of every contestant, and how many times faster than the first."""
    first = seconds.columns[0]
    lines = [f"| seconds | {' | '.join(seconds.columns)} |"]
    lines += ["| --- " * (1 + seconds.shape[1]) + "|"]
    for name, row in seconds.iterrows():
        cells = [
            f"{value:.1f}" + ("" if column == first else f" (**{row[first] / value:.2f}** ×)")
            for column, value in row.items()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
