"""Secondary statistics against hand-worked and simulated values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.analysis.figures.ranks import rank_figure
from cl_seg.analysis.ranks import (
    critical_difference,
    holm,
    last_dice,
    last_dice_by_configuration,
    mean_ranks,
    paired_means,
    paired_tests,
    unit_ranks,
)
from cl_seg.analysis.report.stream import few_patients, shown_tests
from cl_seg.records.results import RunResult
from tests.records.factory import NAIVE, run_result

UNITS = [(scanner, name) for scanner in ("a", "b") for name in ("muscle", "liver")]


def run(
    model: str,
    dice: np.ndarray,
    seed: int = 0,
    patients: Sequence[str] = (),
    order: Sequence[str] = ("a", "b"),
) -> RunResult:
    """A naive run whose Dice after the last stage are given, (patients, units)."""
    names = patients or [f"p{i:02}" for i in range(len(dice))]
    rows: list[dict[str, Any]] = [
        {"stage": stage, "scanner": scanner, "patient": patient, "class": name, "true": 1,
         "dice": value if stage == 2 else 0.0}
        for stage in (1, 2)
        for patient, values in zip(names, dice, strict=True)
        for (scanner, name), value in zip(UNITS, values, strict=True)
    ]  # fmt: skip
    spec = {"order": order, "seed": seed, "classes": ["muscle", "liver"]}
    return run_result(NAIVE, pd.DataFrame(rows), model=model, spec=spec)


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])).tolist() == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_value_and_bonferroni_and_keeps_the_order(
    values: list[float],
) -> None:
    p = np.array(values)
    corrected = holm(p)
    assert (corrected >= p).all() and (corrected <= np.minimum(1, p * len(p)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


def test_seeds_are_averaged_before_anything_is_tested() -> None:
    dice = np.full((6, 4), 0.5)
    tables = {
        model: last_dice([run(model, dice), run(model, dice + 0.2, seed=1)])
        for model in ("UNet", "VNet")
    }
    assert tables["UNet"].shape == (12, 4)
    for table in paired_means(tables).values():
        assert table.shape == (6, 4) and np.allclose(table, 0.6)


def test_only_orders_and_seeds_that_all_networks_have_are_compared() -> None:
    random = np.random.default_rng(3)
    base = random.uniform(0.5, 0.7, (10, 4))
    unet = [run("UNet", base - 0.2 * seed, seed) for seed in (0, 1)]
    vnet = [run("VNet", base - 0.01, 0)]
    by_configuration = {("UNet", "Naive"): unet, ("VNet", "Naive"): vnet}
    (row,) = paired_tests(last_dice_by_configuration(by_configuration)).to_dict("records")
    assert row["median"] == pytest.approx(0.01), "UNet's bad seed has no partner"
    assert mean_ranks(last_dice_by_configuration(by_configuration), "Naive")["rank"].tolist() == [
        1,
        2,
    ]
    by_configuration["UNet", "Naive"] = unet[1:]
    assert (
        paired_tests(last_dice_by_configuration(by_configuration)).empty
        and mean_ranks(last_dice_by_configuration(by_configuration), "Naive").empty
    )
    by_configuration["VNet", "Naive"] = [run("VNet", base, 1, order=["b", "a"])]
    assert paired_tests(last_dice_by_configuration(by_configuration)).empty


def test_a_structure_of_few_patients_leaves_an_interval_of_the_rank() -> None:
    random = np.random.default_rng(4)
    by_configuration = {}
    for model in ("A", "B"):
        one = run(model, random.normal(0.7, 0.1, (20, 4)))
        rare = (one.cases["class"] == "liver") & (one.cases["patient"] > "p02")
        one.cases["true"] = np.where(rare, 0, 1)
        by_configuration[model, "Naive"] = [one]
    table = mean_ranks(last_dice_by_configuration(by_configuration), "Naive")
    assert ((table["low"] <= table["rank"]) & (table["rank"] <= table["high"])).all()


def test_patients_are_the_sample_not_their_cases_nor_the_seeds() -> None:
    random = np.random.default_rng(0)
    base = random.uniform(0.5, 0.7, (8, 4))
    by_configuration = {
        (model, "Naive"): [run(model, base + gain, seed) for seed in range(5)]
        for model, gain in (("VNet", 0.1), ("UNet", 0.0))
    }
    (row,) = paired_tests(last_dice_by_configuration(by_configuration)).to_dict("records")
    assert (row["a"], row["b"], row["patients"]) == ("VNet", "UNet", 8)
    assert row["median"] == pytest.approx(0.1)
    assert row["p"] == pytest.approx(2 / 2**8), "the smallest p that eight patients allow"


def test_other_patients_are_not_compared() -> None:
    dice = np.full((4, 4), 0.5)
    by_configuration = {
        ("VNet", "Naive"): [run("VNet", dice)],
        ("UNet", "Naive"): [run("UNet", dice, patients=["q1", "q2", "q3", "q4"])],
    }
    assert (
        paired_tests(last_dice_by_configuration(by_configuration)).empty
        and mean_ranks(last_dice_by_configuration(by_configuration), "Naive").empty
    )


def test_ranks_are_those_of_the_units_and_ties_share() -> None:
    dice = np.full((5, 4), 0.5)
    better = dice + np.array([0.1, 0.1, 0.1, 0.0])
    by_configuration = {
        ("VNet", "Naive"): [run("VNet", better)],
        ("UNet", "Naive"): [run("UNet", dice)],
    }
    ranks = unit_ranks(last_dice_by_configuration(by_configuration), "Naive")
    assert dict(zip(ranks.index, ranks["VNet"], strict=True)) == {
        **dict.fromkeys(UNITS, 1.0), ("b", "liver"): 1.5
    }  # fmt: skip
    table = mean_ranks(last_dice_by_configuration(by_configuration), "Naive").set_index("model")
    assert table["rank"].to_dict() == {"VNet": 1.125, "UNet": 1.875}
    assert (table["low"] == table["rank"]).all() and (table["high"] == table["rank"]).all()


def test_noise_between_patients_makes_the_interval_of_a_rank_wide() -> None:
    random = np.random.default_rng(1)
    by_configuration = {
        (model, "Naive"): [run(model, random.normal(0.7, 0.1, (10, 4)))] for model in ("A", "B")
    }
    table = mean_ranks(last_dice_by_configuration(by_configuration), "Naive")
    assert (table["high"] - table["low"] > 0.4).all()
    assert ((table["low"] <= table["rank"]) & (table["rank"] <= table["high"])).all()


def test_critical_differences_are_those_of_the_published_table() -> None:
    # Demšar 2006, table 5a: q at 0.05 is 1.960 for two, 2.569 for four, 3.164 for ten.
    for networks, q in ((2, 1.960), (4, 2.569), (10, 3.164)):
        expected = q * np.sqrt(networks * (networks + 1) / (6 * 14))
        assert critical_difference(networks, 14) == pytest.approx(expected, abs=1e-3)


def test_the_report_of_ranks_shows_every_network_and_warns_of_few_patients() -> None:
    random = np.random.default_rng(2)
    by_configuration = {
        (model, "Naive"): [run(model, random.normal(0.7, 0.1, (10, 4)))] for model in "ABC"
    }
    tests = paired_tests(last_dice_by_configuration(by_configuration))
    assert shown_tests(tests)["networks"].tolist() == ["A − B", "A − C", "B − C"]
    assert "10 test patients are fewer than 50" in few_patients(tests)[0]
    figure = rank_figure(last_dice_by_configuration(by_configuration), [])
    assert figure is not None
    (axes,) = figure.axes
    (dots,) = axes.lines
    assert sorted(dots.get_ydata()) == ["A", "B", "C"]
    assert (
        rank_figure(
            last_dice_by_configuration({("A", "Naive"): by_configuration["A", "Naive"]}), []
        )
        is None
    )
