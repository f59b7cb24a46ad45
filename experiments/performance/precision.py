"""Whether networks learn the same in bfloat16: the quick suite's stream in float32 and in bfloat16.

Every network is fine-tuned on the scanners of the quick suite one after the other, over some seeds,
with either arithmetic in its forward pass. Dice after learning is the mean of R[j, j] over scanners
(plasticity). A network may be trained in bfloat16 by ``precision: auto`` where the two means over
seeds lie within ``BOUND`` of each other; ``cl_seg/models/registry.py`` says so by hand.

    python experiments/performance/precision.py [--data my.store] [--results folder] [--workers 2]
        [--out results/reference/precision.csv]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from rectangles import write_store

import cl_seg
from cl_seg.analysis.tables import run_table

QUICK = Path("experiments/quick.yaml")
PRECISIONS = ("float32", "bfloat16")
BOUND = 0.005
"""Largest difference of Dice after learning, mean over scanners, classes and seeds."""


def main() -> None:
    """Train with both precisions, finished runs are kept; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a store with the scanners of the quick suite")
    parser.add_argument("--results", type=Path, default=Path("results/precision"))
    parser.add_argument("--rectangles", action="store_true", help="instead of simulated bodies")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, help="CSV file for the scores of every run")
    options = parser.parse_args()
    if options.rectangles:
        with tempfile.TemporaryDirectory() as folder:
            options.data = write_store(Path(folder, "rectangles.store"), scanners=2)
            options.results = Path(folder, "results")
            runs = trained(options)
    else:
        runs = trained(options)
    print(comparison(runs))
    if options.out:
        runs[["model", "seed", "precision", "plasticity", "BWT"]].to_csv(options.out, index=False)


def trained(options: argparse.Namespace) -> pd.DataFrame:
    """A row per run of either precision; finished runs are kept."""
    tables = [
        run_table(
            cl_seg.run(
                suite_in(precision, options.seeds, options.steps),
                data=options.data,
                results=options.results / precision,
                cache=options.results / "stages",
                workers=options.workers,
            ).runs
        ).assign(precision=precision)
        for precision in PRECISIONS
    ]
    return pd.concat(tables)


def suite_in(precision: str, seeds: int, steps: int | None = None) -> dict[str, Any]:
    """The quick suite with fine-tuning alone, more seeds and a precision."""
    suite: dict[str, Any] = yaml.safe_load(QUICK.read_text(encoding="utf-8"))
    training = {**suite["training"], "precision": precision, "curve_every": 0}
    if steps:
        training["steps"] = steps
    return {
        **suite,
        "name": f"precision-{precision}",
        "strategies": ["naive"],
        "seeds": list(range(seeds)),
        "training": training,
    }


def comparison(runs: pd.DataFrame) -> str:
    """A Markdown table with a row per network.

    Args:
        runs: a row per run with model, seed, precision, plasticity and BWT.
    """
    lines = [
        "| network | Dice after learning, float32 | bfloat16 | difference | of single seeds | "
        f"BWT, float32 | bfloat16 | within {BOUND} |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for network in runs["model"].unique():
        of_network = runs[runs["model"] == network]
        dice, bwt = (
            of_network.pivot(index="seed", columns="precision", values=score)
            for score in ("plasticity", "BWT")
        )
        change = dice["bfloat16"] - dice["float32"]
        cells = [
            network,
            f"{dice['float32'].mean():.4f}",
            f"{dice['bfloat16'].mean():.4f}",
            f"{change.mean():+.4f}",
            " ".join(f"{one:+.4f}" for one in change),
            f"{bwt['float32'].mean():+.4f}",
            f"{bwt['bfloat16'].mean():+.4f}",
            "yes" if abs(change.mean()) <= BOUND else "no",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
