"""Intervals against closed forms, and their coverage by simulation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cl_seg.analysis.intervals import (
    ci_half_width,
    difference_with_half_width,
    interval_half_width,
    patient_groups,
    projected_half_width,
    simulated_coverage,
)
from cl_seg.metrics.continual import acc, bwt, fwt, plasticity
from cl_seg.metrics.returns import first_visits
from cl_seg.records.matrices import MEAN, accuracy_matrices, leave_one_patient_out_dice
from cl_seg.records.results import RunResult
from tests.records.factory import NAIVE, run_result

ORDER = ["a", "b"]


def test_without_differences_between_seeds_it_is_students_interval_over_patients() -> None:
    scores = np.random.default_rng(0).normal(size=9)
    expected = t.ppf(0.975, 8) * scores.std(ddof=1) / 3
    assert ci_half_width(np.tile(scores[:, None], 4)) == pytest.approx(expected)


def test_without_differences_between_patients_it_is_students_interval_over_seeds() -> None:
    scores = np.random.default_rng(0).normal(size=4)
    expected = t.ppf(0.975, 3) * scores.std(ddof=1) / 2
    assert ci_half_width(np.tile(scores, (9, 1))) == pytest.approx(expected)


def test_one_seed_or_one_patient_gives_no_interval() -> None:
    assert np.isnan(ci_half_width(np.zeros((5, 1))))
    assert np.isnan(ci_half_width(np.zeros((1, 5))))
    assert np.isnan(ci_half_width(np.full((5, 5), np.nan)))
    assert ci_half_width(np.ones((5, 5))) == 0


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(
    ("of_patients", "of_seeds", "of_both"), [(1, 0, 0.5), (1, 0.3, 0.5), (0.3, 1, 0.3)]
)
def test_it_covers_the_truth_as_often_as_it_says(
    seeds: int, of_patients: float, of_seeds: float, of_both: float
) -> None:
    draw = np.random.default_rng(seeds).normal
    hits = 0
    for _ in range(1000):
        patient, seed = draw(size=(20, 1)), draw(size=(1, seeds))
        values = of_patients * patient + of_seeds * seed + of_both * draw(size=(20, seeds))
        hits += abs(values.mean()) <= ci_half_width(values)
    assert 0.915 <= hits / 1000 <= 0.975


def test_of_unlike_patients_it_has_the_degrees_of_freedom_of_welch() -> None:
    few, many = np.array([-3.0, 3.0]), np.array([-1.0, 0.0, 0.0, 1.0])
    scores, alike = np.concatenate([few, many]), np.array([0, 0, 1, 1, 1, 1])
    squares = np.array([(few**2).sum(), (many**2).sum()])
    freedom = squares.sum() ** 2 / (squares**2 / np.array([1, 3])).sum()
    expected = t.ppf(0.975, freedom) * scores.std(ddof=1) / np.sqrt(6)
    values = np.tile(scores[:, None], 3)
    assert ci_half_width(values, groups=alike) == pytest.approx(expected)
    assert ci_half_width(values, groups=np.zeros(6, int)) == ci_half_width(values)


def test_a_structure_that_few_patients_have_is_known_to_be_little_known() -> None:
    # What jackknife pseudo-values are where two of twenty patients have the structure.
    draw = np.random.default_rng(2).normal
    alike = np.array([0, 0] + [1] * 18)
    hits = {"told": 0, "not told": 0}
    for _ in range(1000):
        of_seeds = 0.1 * draw(size=(1, 3))
        own = draw(size=(2, 1)) + 0.2 * draw(size=(2, 3))
        values = np.tile(own.mean(axis=0), (20, 1))
        values[:2] += 19 * (own - own.mean(axis=0))
        values += of_seeds
        for name, groups in (("told", alike), ("not told", None)):
            hits[name] += abs(values.mean()) <= ci_half_width(values, groups=groups)
    assert hits["told"] > 880 and hits["not told"] < 850


def test_patients_are_alike_who_are_seen_on_the_same_scanners_with_the_same_structures() -> None:
    table = cases(0)
    alone = (table["patient"] == table["patient"].iloc[0]) & (table["scanner"] == "a")
    spec = {"order": ORDER, "classes": list(table["class"].unique())}
    every, fewer = (run_result(NAIVE, own, spec=spec) for own in (table, table[~alone]))
    assert len(set(patient_groups([every]))) == 1
    first, *others = patient_groups([every, fewer])
    assert first == patient_groups([fewer])[0] and set(others) == {others[0]} != {first}


def test_an_interval_is_projected_from_what_varies() -> None:
    draw = np.random.default_rng(4).normal
    values = draw(size=(12, 1)) + 0.5 * draw(size=(1, 4)) + 0.7 * draw(size=(12, 4))
    assert projected_half_width(values, 12, 4) == pytest.approx(ci_half_width(values))
    seeds = projected_half_width(values, 12, np.array([5, 50, 5000]))
    assert (np.diff(seeds) < 0).all()
    # With endless seeds what is left is Student's interval over patients.
    of_patients = values.mean(axis=1)
    spread = of_patients.var(ddof=1) - _rest(values) / 4
    assert seeds[-1] == pytest.approx(t.ppf(0.975, 11) * np.sqrt(spread / 12), rel=0.01)


def _rest(values: np.ndarray) -> float:
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float((rest**2).sum() / ((values.shape[0] - 1) * (values.shape[1] - 1)))


def test_simulated_coverage_is_what_it_says_on_the_interval() -> None:
    draw = np.random.default_rng(1).normal
    for seeds in (3, 5, 10):
        values = draw(size=(25, 1)) + 0.3 * draw(size=(1, seeds)) + 0.4 * draw(size=(25, seeds))
        assert 0.90 <= simulated_coverage(values) <= 0.985
        assert simulated_coverage(values) == simulated_coverage(values)
    values = draw(size=(25, 4))
    assert 0.45 <= simulated_coverage(values, level=0.5) <= 0.65, "another level, other coverage"
    assert np.isnan(simulated_coverage(values[:, :1]))


def cases(seed: int, patients: int = 6, shift: float = 0.0, without: bool = False) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    rows = [
        {"stage": i, "scanner": s, "patient": f"p{p}", "class": c, "dice": draw.random() + shift,
         "true": int(not (without and p == 0 and c == "liver"))}
        for i in range(3)
        for s in ORDER
        for p in range(patients)
        for c in ("muscle", "liver")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def run(
    table: pd.DataFrame,
    seed: int = 0,
    order: list[str] | None = None,
    classes: Sequence[str] = ("muscle", "liver"),
) -> RunResult:
    order = order or ORDER
    matrices = accuracy_matrices(table, order, classes)
    spec = {"order": order, "seed": seed, "classes": list(classes)}
    return run_result(NAIVE, table, R=matrices, spec=spec)


def test_r_without_a_patient_is_r_of_the_others() -> None:
    table = cases(0, without=True)
    without = leave_one_patient_out_dice(table, first_visits(ORDER), ["muscle", "liver"])
    each = [r.copy() for r in run(table).matrices_without_each_patient()]
    for index, patient in enumerate(sorted(table["patient"].unique())):
        others = table[table["patient"] != patient]
        expected = accuracy_matrices(others, ORDER, ["muscle", "liver"])[MEAN]
        np.testing.assert_allclose(without[index], [expected[1:].diagonal(), expected[-1]])
        for score in (acc, bwt, plasticity):
            assert score(each[index]) == pytest.approx(score(expected))
        assert np.isnan(fwt(each[index])), "of other cells of R, which are left out"


def test_the_interval_of_acc_is_that_of_its_patients_means() -> None:
    muscle = [cases(seed)[lambda t: t["class"] == "muscle"] for seed in range(3)]
    runs = [run(table, seed, classes=["muscle"]) for seed, table in enumerate(muscle)]
    values = [
        one.cases[one.cases["stage"] == 2].groupby("patient")["dice"].mean().to_numpy()
        for one in runs
    ]
    expected = ci_half_width(np.stack(values, axis=1))
    assert interval_half_width(runs, acc) == pytest.approx(expected)


def test_differences_are_paired_by_patient_order_and_seed() -> None:
    naive = [run(cases(seed), seed) for seed in range(3)]
    better = [run(cases(seed, shift=0.1), seed) for seed in range(3)]
    gain, margin = difference_with_half_width(better, naive, acc)
    assert gain == pytest.approx(0.1) and margin == pytest.approx(0, abs=1e-12)
    assert difference_with_half_width(better, naive, bwt)[0] == pytest.approx(0)
    one_more = [*better, run(cases(9), 9)]
    assert difference_with_half_width(one_more, naive, acc)[0] == pytest.approx(0.1)


def test_what_cannot_be_paired_has_no_interval() -> None:
    naive = [run(cases(seed), seed) for seed in range(3)]
    others = [run(cases(seed, patients=5), seed) for seed in range(3)]
    assert np.isnan(difference_with_half_width(others, naive, acc)[1])
    elsewhere = [run(cases(seed), seed, ["b", "a"]) for seed in range(3)]
    assert np.isnan(difference_with_half_width(elsewhere, naive, acc)).all()
    incomplete = [*naive, run(cases(0), 0, ["b", "a"])]
    assert np.isnan(interval_half_width(incomplete, acc))


def test_orders_are_averaged() -> None:
    orders = ORDER, ORDER[::-1]
    both = [run(cases(10 * k + seed), seed, o) for seed in range(3) for k, o in enumerate(orders)]
    values = [
        np.mean([_last_dice(one) for one in both if one.seed == seed], axis=0) for seed in range(3)
    ]
    expected = ci_half_width(np.stack(values, axis=1))
    assert interval_half_width(both, acc) == pytest.approx(expected)


def test_the_margin_of_a_difference_is_that_of_the_paired_patients() -> None:
    naive = [run(cases(seed), seed) for seed in range(3)]
    other = [run(cases(seed + 50), seed) for seed in range(3)]
    values = [_last_dice(a) - _last_dice(b) for a, b in zip(other, naive, strict=True)]
    expected = ci_half_width(np.stack(values, axis=1))
    assert expected > 0.01
    assert difference_with_half_width(other, naive, acc)[1] == pytest.approx(expected)


def _last_dice(result: RunResult) -> np.ndarray:
    """Mean Dice of every patient after the last stage; every patient has both classes here."""
    last = result.cases[result.cases["stage"] == 2]
    return last.groupby("patient")["dice"].mean().to_numpy()
