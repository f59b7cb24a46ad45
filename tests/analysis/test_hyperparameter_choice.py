"""Settings are chosen by validation scores alone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from cl_seg.analysis.hyperparameter_choice import (
    best_settings_page,
    best_settings_table,
    chosen_lines,
)
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult
from cl_seg.strategies.ewc import EWCSettings
from tests.records.factory import changed, run_result

ORDER = ["a", "b"]
DEFAULTS = {"ewc": EWCSettings().model_dump()}


def run(
    strategy: str,
    validation: float,
    settings: dict[str, Any] | None = None,
    seed: int = 0,
    order: list[str] | None = None,
    **model: Any,
) -> RunResult:
    order = order or ORDER
    size, label = model.get("preset", "small"), model.get("label", "unet")
    spec = {
        "order": order,
        "seed": seed,
        "model": {"name": "unet", "preset": size, "label": label},
        "learning_rate": model.get("rate", 0.01),
        "strategy": {"name": strategy, "settings": settings or {}},
    }
    rows = [
        {"stage": stage, "step": step, "scanner": s, "class": "liver", "dice": dice}
        for stage in (1, 2)
        for step in (5, 10)
        for s in order
        for dice in [validation if (stage, step) == (2, 10) else 1.0]
    ]
    r = np.full((len(order) + 1, len(order)), 0.5)
    return run_result(r, None, pd.DataFrame(rows), run_id=f"{strategy}-{seed}", spec=spec)


def ewc(weight: float, validation: float, seed: int = 0) -> RunResult:
    return run("ewc", validation, {"ewc_lambda": weight, "mode": "summed"}, seed)


RESULTS = [
    run("naive", 0.5),
    run("naive", 0.6, seed=1),
    *(ewc(weight, dice) for weight, dice in ((0.1, 0.7), (1.0, 0.9), (10.0, 0.6))),
    *(ewc(weight, dice, 1) for weight, dice in ((0.1, 0.7), (1.0, 0.6), (10.0, 0.6))),
]


def test_the_best_mean_of_the_last_validation_is_chosen() -> None:
    table = best_settings_table(RESULTS)
    assert table["dice"].tolist() == pytest.approx([0.55, 0.7, 0.75, 0.6])
    assert table["chosen"].tolist() == [True, False, True, False]
    assert table["settings"].tolist() == [{}, *({"ewc_lambda": x} for x in (0.1, 1.0, 10.0))]
    assert not table["edge"].any()


def test_what_is_kept_of_the_first_scanner_is_told_beside_what_is_learned_of_the_second() -> None:
    forgetful = run("naive", 0.0)
    curve = forgetful.curve
    last = (curve["stage"] == 2) & (curve["step"] == 10)
    curve.loc[last & (curve["scanner"] == "b"), "dice"] = 0.8
    table = best_settings_table([forgetful])
    row = table[["dice", "on a", "on b"]].iloc[0]
    assert row.tolist() == pytest.approx([0.4, 0.0, 0.8])
    assert "| 0.400 | 0.000 | 0.800 | chosen |" in best_settings_page(table)


def test_a_choice_at_the_end_of_a_grid_is_told() -> None:
    table = best_settings_table([ewc(0.1, 0.7), ewc(1.0, 0.6), ewc(10.0, 0.6)])
    assert table["edge"].tolist() == [True, False, False]
    assert "chosen, at an end of its grid" in best_settings_page(table)


def test_learning_rates_are_candidates_too() -> None:
    slow, fast = (run("naive", d, rate=r, label=f"unet_{r}") for d, r in ((0.5, 0.1), (0.6, 0.2)))
    table = best_settings_table([slow, fast])
    assert table["chosen"].tolist() == [False, True]
    assert chosen_lines(table) == "# unet small: learning_rate: 0.2\n"


def test_sizes_of_a_network_choose_apart() -> None:
    table = best_settings_table([
        run("l2", dice, {"l2_lambda": x}, label=label, preset=label)
        for label, scores in (("small", (0.9, 0.5)), ("large", (0.3, 0.8)))
        for x, dice in zip((1, 10), scores, strict=True)
    ])  # fmt: skip
    assert table["chosen"].tolist() == [True, False, False, True]
    (strategy,) = yaml.safe_load(chosen_lines(table))["strategies"]
    assert strategy["settings_of"] == {"small": {"l2_lambda": 1}, "large": {"l2_lambda": 10}}


def test_the_choice_can_be_pasted_into_a_suite() -> None:
    lines = yaml.safe_load(chosen_lines(best_settings_table(RESULTS)))
    assert lines["strategies"] == [
        "naive",
        {"name": "ewc", "settings_of": {"unet": {"mode": "summed", "ewc_lambda": 1.0}}},
    ]


def test_what_is_pasted_is_what_was_chosen() -> None:
    given = [{"mode": "online", "decay": 0.9, "ewc_lambda": weight} for weight in (0.1, 1.0)]
    filled = [EWCSettings.model_validate(one).model_dump() for one in given]
    candidates = [run("ewc", dice, one) for one, dice in zip(filled, (0.8, 0.7), strict=True)]
    table = best_settings_table([*candidates, run("replay", 0.5, {"budget": 200})], DEFAULTS)
    ewc, replay = yaml.safe_load(chosen_lines(table))["strategies"]
    assert ewc["settings_of"]["unet"] == given[0], "what the suite gave and not the defaults"
    assert EWCSettings.model_validate(ewc["settings_of"]["unet"]).model_dump() == filled[0]
    assert replay == {"name": "replay", "settings_of": {"unet": {"budget": 200}}}


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([run("naive", 0.5, order=["a", "b", "c"])], "at most two scanners"),
        ([run("naive", 0.5), run("naive", 0.5, order=["b", "a"])], "has 2 orders"),
        ([ewc(1, 0.5), ewc(2, 0.5), ewc(2, 0.5, seed=1)], "other seeds"),
        ([ewc(1, 0.5), ewc(2, 0.5), run("naive", 0.5, rate=0.1)], "learning rates first"),
    ],
)
def test_what_would_not_be_a_fair_choice_is_refused(results: list[RunResult], told: str) -> None:
    with pytest.raises(InputError, match=told):
        best_settings_table(results)


def test_a_strategy_that_validation_does_not_see_is_not_chosen_by_it() -> None:
    apart = changed(run("naive", 0.5), scores_with_memory=True)
    with pytest.raises(InputError, match="lacks what it does before scoring"):
        best_settings_table([apart])


def test_by_test_scores_such_a_strategy_is_chosen_too() -> None:
    def tent(rate: float, last: float) -> RunResult:
        spec = {"order": ORDER, "strategy": {"name": "tent", "settings": {"learning_rate": rate}}}
        r = np.array([[0, 0], [0.9, 0.5], [last, 0.8]])
        return changed(run_result(r, spec=spec), scores_with_memory=True)

    table = best_settings_table([tent(0.1, 0.6), tent(0.2, 0.7), tent(0.3, 0.5)], by="test")
    assert table["dice"].tolist() == pytest.approx([0.7, 0.75, 0.65])
    assert table["chosen"].tolist() == [False, True, False]
    assert table[["on a", "on b"]].iloc[1].tolist() == pytest.approx([0.7, 0.8])
    assert "| test Dice |" in best_settings_page(table, "test")


def test_without_validation_curves_nothing_is_chosen() -> None:
    blind = run_result()
    with pytest.raises(InputError, match="curve_every"):
        best_settings_table([blind])
