"""How often the update gate wrongly says "not worse", and how often it rightly does.

Changes of patients and seeds are drawn, not trained. *Wrong* is the share of "not worse" where the
true mean change is exactly the margin, −0.01; *power* the share where it is 0. The standard
deviations are medians of changes of Dice on the first scanner by learning the second one, seen in
results/reference (paper/forgetting, strategies/stress): with replay and without; the third spread
is the hardest for skewed patients. Half of the skewnesses seen lie between −1 and 0.4, the lowest
is −2.1. Seeds, of which there are three, and residuals are normal.

    python experiments/update/error_rates.py
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from cl_seg.analysis.intervals import ci_half_width
from cl_seg.analysis.tables import markdown
from cl_seg.analysis.update.judge import change_of, verdict

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
    trials = parser.parse_args().trials
    print(markdown(by_shape(trials)))
    print(markdown(by_seeds(trials)), end="")


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
