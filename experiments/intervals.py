"""How often our 95 % intervals cover the true value, with the variances observed in results.

For every network and strategy of the given results, and for every difference to fine-tuning, the
variances of patients, seeds and residuals are estimated from ACC, BWT and plasticity. Scores with
these variances are drawn for several numbers of seeds: once all normal, once with patients and
residuals resampled from the observed ones (seeds stay normal, because three seeds do not show their
distribution). The coverage is the fraction of intervals that contain the true mean. For an effect
of zero, the fraction of intervals above it is the rate at which a claim is wrongly supported.

    python experiments/intervals.py results/reference/strategies/stress [MORE ...]
    python experiments/intervals.py results/reference/paper --claims experiments/paper/claims.yaml
"""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.analysis.claims.evidence import contrast_values
from cl_seg.analysis.claims.find_runs import RunFinder
from cl_seg.analysis.claims.read import read_claims
from cl_seg.analysis.intervals import (
    ci_half_width,
    jackknife_pseudo_values,
    same_design,
    simulated_coverage,
)
from cl_seg.analysis.tables import (
    SCORES,
    WITH_INTERVAL,
    is_defined,
    markdown,
    runs_by_configuration,
)
from cl_seg.records.load import load_results

SEEDS, TRIALS = (3, 5, 10, 20), 1000


def main() -> None:
    """Print a table: quartiles and extremes of coverage over all scores and differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument(
        "--claims", type=Path, help="contrasts of this file, RESULTS below a folder"
    )
    parser.add_argument("--trials", type=int, default=TRIALS)
    options = parser.parse_args()
    kinds = partial(contrasts_of, options.claims) if options.claims else values_of
    every = [values for folder in options.results for values in kinds(folder)]
    if not every:
        parser.error("none of the results has several seeds of a stream")
    rows = []
    for seeds in SEEDS:
        normal = [simulated_coverage(values, options.trials, seeds=seeds) for values in every]
        drawn = np.array([resampled(values, seeds, options.trials) for values in every])
        rows.append({
            "seeds": seeds,
            ("contrasts" if options.claims else "scores and differences"): len(every),
            "normal, %": spread(normal),
            "drawn from those seen, %": spread(drawn[:, 0]),
            "wrongly supported, %": spread(drawn[:, 1]),
        })  # fmt: skip
    print(markdown(pd.DataFrame(rows)))


def values_of(folder: Path) -> Iterator[np.ndarray]:
    """(patients, seeds) of every score, and of its difference to fine-tuning, that varies."""
    by_configuration = runs_by_configuration(load_results(folder))
    for (model, _), runs in by_configuration.items():
        naive = by_configuration.get((model, "Naive"), [])
        for name in WITH_INTERVAL:
            if runs[0].training_regime == "seed_curve" or not is_defined(
                name, runs[0].training_regime
            ):
                continue
            found = [jackknife_pseudo_values(runs, SCORES[name])]
            if naive and same_design(runs, naive):
                found.append(found[0] - jackknife_pseudo_values(naive, SCORES[name]))
            yield from (one for one in found if min(one.shape) > 1 and np.ptp(one) > 0)


def contrasts_of(claims: Path, folder: Path) -> Iterator[np.ndarray]:
    """(patients, seeds) of every contrast that a claim rests on."""
    finder = RunFinder(folder)
    for claim in read_claims(claims):
        for contrast in claim.contrasts:
            yield contrast_values(contrast, finder.find(contrast))


def resampled(values: np.ndarray, seeds: int, trials: int) -> tuple[float, float]:
    """Shares of trials that hold the truth, and that lie above it.

    Effects of patients and residuals are drawn with replacement from those seen, scaled to their
    estimated variances, those of seeds from a normal distribution; the truth is nothing.
    """
    patients, seen = values.shape
    random = np.random.default_rng(0)
    centred = values - values.mean()
    of_patient, of_seed = centred.mean(axis=1), centred.mean(axis=0)
    rest = (centred - of_patient[:, None] - of_seed).ravel()
    left = (rest**2).sum() / ((patients - 1) * (seen - 1))
    of_patient = scaled(of_patient, of_patient.var(ddof=1) - left / seen)
    rest, between = scaled(rest, left), max(0.0, of_seed.var(ddof=1) - left / patients)
    holds = above = 0
    for _ in range(trials):
        drawn = (
            random.choice(of_patient, (patients, 1))
            + random.normal(0, np.sqrt(between), (1, seeds))
            + random.choice(rest, (patients, seeds))
        )
        margin = ci_half_width(drawn)
        holds += abs(drawn.mean()) <= margin
        above += drawn.mean() > margin
    return holds / trials, above / trials


def scaled(effects: np.ndarray, variance: float) -> np.ndarray:
    """Effects around nothing with that variance, of none where it is not positive."""
    own = effects.var()
    return effects * np.sqrt(max(0.0, variance) / own) if own > 0 else effects


def spread(shares: np.ndarray | list[float]) -> str:
    """Median, and in brackets the smallest and the largest."""
    low, middle, high = (100 * np.quantile(shares, q) for q in (0, 0.5, 1))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
