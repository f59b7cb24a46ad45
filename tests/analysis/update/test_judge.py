"""Verdicts on one change, what would decide, and how often they are wrong."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.analysis.update.judge import change_of, needed, verdict

Sds = tuple[float, float, float]
MARGIN = 0.01


def drawn(
    random: np.random.Generator, mean: float, sds: Sds, patients: int, seeds: int = 3
) -> np.ndarray:
    """Changes with standard deviations of patients, of seeds, and of what is left."""
    normal = random.normal
    parts = normal(size=(patients, 1)), normal(size=(1, seeds)), normal(size=(patients, seeds))
    return mean + sum(sd * part for sd, part in zip(sds, parts, strict=True))


def around(mean: float, half_width: float) -> np.ndarray:
    """Changes of six patients that differ by so much, the same with each of three seeds."""
    return np.tile(mean + half_width * np.array([[-1.0], [-1], [-1], [1], [1], [1]]), 3)


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (0.02, "not worse"),
        (-0.005, "not worse"),  # a loss that is certain and within the margin
        (-0.009, "undecided"),
        (-0.011, "undecided"),
        (-0.02, "worse"),
    ],
)
def test_three_verdicts(mean: float, expected: str) -> None:
    assert verdict(change_of(around(mean, 0.003)), MARGIN) == expected


@given(st.floats(-0.1, 0.1), st.floats(0, 0.1), st.floats(0.001, 0.05))
def test_never_both_not_worse_and_worse(mean: float, width: float, margin: float) -> None:
    change = change_of(around(mean, width))
    assert not (change.above(-margin) and change.below(-margin))


def test_without_bounds_it_is_undecided() -> None:
    one_seed = change_of(np.full((20, 1), 0.5))
    assert verdict(one_seed, MARGIN) == "undecided"
    assert needed(one_seed, -MARGIN) == "at least 2 seeds (now 1)"


def test_too_few_patients_and_seeds_are_counted() -> None:
    alone = change_of(np.full((2, 1), 0.5))
    told = "at least 3 test patients (now 2) and at least 2 seeds (now 1)"
    assert needed(alone, -MARGIN) == told


def test_more_patients_decide_where_patients_vary() -> None:
    found = needed(change_of(around(0, 0.03)), -MARGIN)
    assert re.fullmatch(r"about \d+ more test patients \(now 6\)", found)


def test_more_seeds_decide_where_seeds_vary() -> None:
    values = np.tile(np.array([-0.02, 0, 0.02]), (20, 1))
    found = needed(change_of(values), -MARGIN)
    assert re.fullmatch(r"about \d+ more seeds \(now 3\), not patients: seeds vary too much", found)


def test_a_change_at_the_margin_is_never_decided() -> None:
    assert needed(change_of(around(-MARGIN, 0.03)), -MARGIN).startswith("neither")


def test_the_number_asked_for_decides_with_the_power_that_is_said() -> None:
    random = np.random.default_rng(0)
    sds = (0.03, 0.0, 0.005)
    values = drawn(random, 0.0, sds, 400)
    found = needed(change_of(values[:14] - values[:14].mean()), -MARGIN)
    sd = (values[:14].mean(axis=1)).std(ddof=1)
    patients = 14 + int(re.findall(r"\d+", found)[0])
    verdicts = [
        verdict(change_of(drawn(random, 0.0, (sd, 0.0, 0.005), patients)), MARGIN)
        for _ in range(300)
    ]
    assert 0.72 <= verdicts.count("not worse") / 300 <= 0.9


def wrong_rate(sds: Sds, patients: int, trials: int, seeds: int = 3) -> float:
    """How often ``not worse`` is said of a true change that is exactly the margin."""
    random = np.random.default_rng(patients)
    found = (
        verdict(change_of(drawn(random, -MARGIN, sds, patients, seeds)), MARGIN)
        for _ in range(trials)
    )
    return sum(one == "not worse" for one in found) / trials


MIXTURES = [(0.02, 0.0, 0.005), (0.02, 0.005, 0.01), (0.01, 0.01, 0.01), (0.0, 0.02, 0.01)]


@pytest.mark.parametrize("sds", MIXTURES)
def test_not_worse_is_rarely_wrong_of_14_patients(sds: Sds) -> None:
    # 5 % and three standard errors of 1,000 trials.
    assert wrong_rate(sds, 14, 1000) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("patients", [14, 30, 60])
@pytest.mark.parametrize("sds", MIXTURES)
def test_not_worse_is_wrong_in_at_most_5_percent(sds: Sds, patients: int, seeds: int) -> None:
    assert wrong_rate(sds, patients, 10000, seeds) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 10000)
