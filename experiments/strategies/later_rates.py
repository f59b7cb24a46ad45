"""The learning rate of plain fine-tuning on a second scanner, chosen for all strategies.

Fine-tuning alone on every ordered pair of the scanners of development.yaml, 500 steps after 2,000,
at the first scanner's peak rate and at a tenth of it. The table has the Dice on the test slices of
both scanners of a pair after the second one (bodies of the pool ``development``), the change on the
first, and the Dice right after learning the second. The best mean of both is chosen, one for all
networks, so that strategies are compared with the best fine-tuning and not with the worst.

    python experiments/strategies/later_rates.py --out results/reference/strategies/later_rates.md
"""

import argparse
from pathlib import Path

import pandas as pd
import yaml

import cl_seg
from cl_seg.analysis.tables import markdown
from cl_seg.records.results import RunResult

DEVELOPMENT = Path(__file__).with_name("development.yaml")
FACTORS = (1.0, 0.1)


def main() -> None:
    """Run what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--cache", type=Path, default=Path("data/stages"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows = []
    for factor in FACTORS:
        folder = options.results / f"later_rate_{factor:g}"
        results = cl_seg.run(
            suite(factor), results=folder, cache=options.cache, workers=options.workers
        )
        rows += [row(factor, run) for run in results.runs]
    table = means(pd.DataFrame(rows))
    print(table)
    if options.out:
        options.out.write_text(f"{table}\n", encoding="utf-8")


def suite(factor: float) -> dict[str, object]:
    """Fine-tuning on every pair of the scanners of development.yaml."""
    content = yaml.safe_load(DEVELOPMENT.read_text(encoding="utf-8"))
    later = {"rate_factor": factor, "steps_factor": 0.25}
    return {
        **content,
        "name": f"later_rate_{factor:g}",
        "models": ["vnet", "unet"],
        "strategies": ["naive"],
        "orders": "pairs",
        "training": {"steps": 2000, "batch_size": 4, "curve_every": 0, "later": later},
    }


def row(factor: float, run: RunResult) -> dict[str, object]:
    """Dice of a run: of both scanners at the end, what the first lost, the second when learned."""
    r = run.matrix()
    return {
        "network": run.network,
        "rate of later scanners": f"{factor:g} ×",
        "both": r[2].mean(),
        "change on the first": r[2, 0] - r[1, 0],
        "second learned": r[2, 1],
        "never updated, both": r[1].mean(),
    }


def means(rows: pd.DataFrame) -> str:
    """Means over the pairs as Markdown."""
    mean = rows.groupby(["network", "rate of later scanners"], sort=False).mean()
    pairs = rows.groupby(["network", "rate of later scanners"], sort=False).size()
    return markdown(
        mean.round(3).assign(pairs=pairs).sort_index(level=0, sort_remaining=False).reset_index()
    )


if __name__ == "__main__":
    main()
