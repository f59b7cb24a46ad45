"""How often the update gate wrongly says "not worse", and how often it rightly does.

Changes of patients and seeds are drawn, not trained. *Wrong* is the share of "not worse" where the
true mean change is exactly the margin, −0.01; *power* the share where it is 0. The standard
deviations are about those of changes of Dice on the first scanner by learning the second one, with
replay and without; the third spread is the hardest for skewed patients. Seeds, of which there are
three, and residuals are normal. ``--seen`` prints how changes vary in results.

    python experiments/update/error_rates.py
    python experiments/update/error_rates.py --seen results/reference/paper/forgetting
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import skew

from cl_seg.analysis.intervals import ci_half_width, mean_squares
from cl_seg.analysis.tables import markdown, runs_by_configuration
from cl_seg.analysis.update.judge import ALPHA, change_of, verdict
from cl_seg.records.load import load_results

Values = np.ndarray
Random = np.random.Generator
MARGIN, PATIENTS, SEEDS, TRIALS = 0.01, (14, 30, 60), 3, 10000
SPREADS = {
    "with replay": (0.007, 0.002, 0.012),
    "without": (0.016, 0.006, 0.014),
    "patients alone": (0.016, 0.0, 0.003),
}
"""Standard deviations of patients, of seeds, and of what is left."""
RARE, LOSS = 0.1, 4.0  # share of patients who lose, and how much, in standard deviations


def normal(random: Random, count: int) -> Values:
    """Normal changes."""
    return random.normal(size=count)


def gamma(random: Random, count: int) -> Values:
    """A skewness of −1."""
    return (4 - random.gamma(4, size=count)) / 2


def exponential(random: Random, count: int) -> Values:
    """A skewness of −2."""
    return 1 - random.exponential(size=count)


def rare(random: Random, count: int) -> Values:
    """One patient in ten loses much, the others vary little."""
    loses = random.random(count) < RARE
    drawn = 0.5 * random.normal(size=count) - LOSS * loses + LOSS * RARE
    return drawn / np.sqrt(0.25 + LOSS**2 * RARE * (1 - RARE))


SHAPES: dict[str, Callable[[Random, int], Values]] = {
    "normal": normal,
    "skewness −1": gamma,
    "skewness −2": exponential,
    "1 patient in 10 loses much": rare,
}
"""Shape of the distribution of patients; each has mean 0 and standard deviation 1."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--seen", type=Path, nargs="+", help="results of streams")
    options = parser.parse_args()
    trials = options.trials
    if options.seen:
        every = pd.DataFrame([row for folder in options.seen for row in seen(folder)])
        medians = every.groupby(["strategy", "class"]).median().round(3).reset_index()
        print(markdown(medians), every["skewness"].describe().round(1), sep="\n")
        return
    print(markdown(by_shape(trials)))
    print(markdown(by_seeds(trials)))
    print(markdown(by_candidates(trials)), end="")


def by_shape(trials: int) -> pd.DataFrame:
    """Errors and power for every spread and shape, with three seeds."""
    rows = []
    for spread, deviations in SPREADS.items():
        for shape, draw in SHAPES.items():
            row = {"spread of changes": spread, "patients are": shape}
            for mean, what in ((-MARGIN, "wrong"), (0.0, "power")):
                for patients in PATIENTS:
                    drawn = changes(draw, deviations, (patients, SEEDS), trials)
                    share = np.mean([is_not_worse(mean + values) for values in drawn])
                    row[f"{what}, {patients} patients, %"] = f"{100 * share:.1f}"
            rows.append(row)
    return pd.DataFrame(rows)


def by_seeds(trials: int) -> pd.DataFrame:
    """Errors for numbers of seeds, and those of one side of the intervals of the reports."""
    rows = []
    for seeds in (2, 3, 5):
        for patients in (*PATIENTS, 200):
            drawn = list(changes(normal, SPREADS["without"], (patients, seeds), trials))
            wrong = np.mean([is_not_worse(values - MARGIN) for values in drawn])
            # Two sides of 5 % each.
            one_side = np.mean([v.mean() > ci_half_width(v, 0.9) for v in drawn])
            row = {"seeds": str(seeds), "patients": str(patients)}
            row |= {"wrong, %": f"{100 * wrong:.1f}"}
            rows.append(row | {"wrong by the intervals of reports, %": f"{100 * one_side:.1f}"})
    return pd.DataFrame(rows)


def by_candidates(trials: int) -> pd.DataFrame:
    """Power where the error rate is divided by the number of candidates, with replay."""
    rows = []
    for seeds in (3, 5):
        for patients in PATIENTS:
            shape = patients, seeds
            drawn = list(map(change_of, changes(normal, SPREADS["with replay"], shape, trials)))
            row = {"seeds": str(seeds), "patients": str(patients)}
            for count in (1, 2, 5, 10):
                share = np.mean([one.above(-MARGIN, ALPHA / count) for one in drawn])
                row[f"power, 1 of {count}, %"] = f"{100 * share:.0f}"
            rows.append(row)
    return pd.DataFrame(rows)


def seen(folder: Path) -> Iterator[dict[str, str | float]]:
    """How changes on the first scanner vary by learning the second, per network and strategy."""
    runs = [run for run in load_results(folder) if run.training_regime == "sequential"]
    for (_, strategy), own in runs_by_configuration(runs).items():
        for order, name in product(dict.fromkeys(tuple(run.order) for run in own), own[0].classes):
            cases = pd.concat(
                run.cases.assign(seed=run.seed) for run in own if tuple(run.order) == order
            )
            mask = (cases["scanner"] == order[0]) & (cases["class"] == name) & (cases["true"] > 0)
            dice = cases[mask].pivot_table("dice", "patient", ["stage", "seed"])
            change = (dice[2] - dice[1]).to_numpy()
            if min(change.shape) < 3:
                continue
            patient, seed, residual = mean_squares(change)
            yield {
                "strategy": strategy,
                "class": name,
                "patients": np.sqrt(max(0, patient - residual) / change.shape[1]),
                "seeds": np.sqrt(max(0, seed - residual) / change.shape[0]),
                "residuals": np.sqrt(residual),
                "skewness": skew(change.mean(axis=1), bias=False),
            }


def is_not_worse(values: Values) -> bool:
    """The verdict on changes (P, S)."""
    return verdict(change_of(values), MARGIN) == "not worse"


def changes(
    draw: Callable[[Random, int], Values],
    deviations: tuple[float, float, float],
    shape: tuple[int, int],
    trials: int,
) -> Iterator[Values]:
    """Changes (P, S) drawn around 0."""
    patients, seeds = shape
    random = np.random.default_rng(patients)
    of_patient, of_seed, rest = deviations
    for _ in range(trials):
        yield (
            of_patient * draw(random, patients)[:, None]
            + of_seed * random.normal(size=(1, seeds))
            + rest * random.normal(size=(patients, seeds))
        )


if __name__ == "__main__":
    main()
