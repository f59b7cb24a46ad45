"""Two folders of results: what was asked, and what came out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.compare import (
    compare_outcomes,
    compare_specs,
    comparison_page,
    unmatched_run_notes,
)
from cl_seg.records.record import matrix_rows
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import SeedImagesSpec, SplitSpec
from tests.records.factory import changed, run_result

PATIENTS = [f"p{i}" for i in range(8)]


DATA = {"content": "f" * 64, "kind": "scans"}


def run(seed: int, weight: float, better: float = 0.0, strategy: str = "ewc") -> RunResult:
    """A run on two scanners; every patient's last Dice on the first scanner is ``better``."""
    random = np.random.default_rng(seed)
    rows = []
    for patient in PATIENTS:
        noise = random.normal(0, 0.01)
        for stage in range(3):
            for scanner in ("a", "b"):
                dice = [0.1, 0.9, 0.8 + better if scanner == "a" else 0.9][stage] + noise
                rows.append(
                    {"stage": stage, "scanner": scanner, "case": f"{patient}-{scanner}",
                     "patient": patient, "class": "liver", "dice": dice, "true": 10}
                )  # fmt: skip
    cases = pd.DataFrame(rows)
    mean = cases.groupby(["stage", "scanner"])["dice"].mean().unstack()
    spec = {
        "seed": seed,
        "strategy": {"name": strategy, "settings": {"ewc_lambda": weight}},
        "training": {"steps": 300, "batch_size": 2, "threads": 1},
    }
    r, title = mean.to_numpy(), strategy.upper()
    return run_result(r, cases, model="UNet", strategy=title, spec=spec, data=DATA)


def with_spec(one: RunResult, **changes: Any) -> RunResult:
    return changed(one, spec=one.record.spec.model_copy(update=changes))


A = [run(seed, 1.0) for seed in range(3)]
B = [run(seed, 10.0, 0.05) for seed in range(3)]


def test_only_what_differs_is_listed() -> None:
    table = compare_specs(A, B)
    assert table.to_dict("records") == [{"field": "EWC.ewc_lambda", "a": "1.0", "b": "10.0"}]
    assert compare_specs(A, A).empty
    assert "The same." in comparison_page(A, A)


def test_what_differs_in_a_later_run_is_told() -> None:
    runs = [run(seed, 1.0) for seed in range(3)]
    runs[2] = changed(runs[2], git_commit="later")
    training = runs[1].record.spec.training.model_copy(update={"steps": 9})
    runs[1] = with_spec(runs[1], training=training)
    found = compare_specs(A, runs).set_index("field")
    assert found.loc["commit"].tolist() == ["abc", "abc, later"]
    assert found.loc["training.steps"].tolist() == ["300", "300, 9"]


def test_a_run_that_is_missing_in_a_grid_is_told() -> None:
    other = [run(seed, 1.0, strategy="mas") for seed in range(3)]
    (line,) = unmatched_run_notes([*A, *other], [*A, *other[1:]])
    assert line == "run in a alone: UNet MAS, order a → b, seed 0"


def test_a_comparison_says_what_its_results_must_say() -> None:
    inside = [with_spec(run(seed, 1.0), split=SplitSpec(by="within_case")) for seed in range(3)]
    assert comparison_page(A, inside).startswith("*split within cases, not a generalisation")


def test_differences_carry_intervals() -> None:
    table = compare_outcomes(A, B).set_index("score")
    assert table.loc["BWT", "difference"] == pytest.approx(0.05)
    assert table.loc["ACC", "difference"] == pytest.approx(0.025)
    assert table.loc["plasticity", "difference"] == pytest.approx(0.0)
    assert (table["±"] < 1e-6).all(), "the same change in everybody"
    assert "+0.050 ± 0.000" in comparison_page(A, B)


def test_a_and_b_are_means_over_what_both_have() -> None:
    low = run(9, 1.0, -0.3)
    table = compare_outcomes([*A, low], B).set_index("score")
    assert (table["b"] - table["a"]).tolist() == pytest.approx(table["difference"].tolist())
    assert "seeds in a alone: 9" in comparison_page([*A, low], B)
    nothing = compare_outcomes(A, [run(7, 1.0)])
    assert nothing[["a", "b", "difference"]].isna().all(axis=None)


def test_settings_of_what_one_side_has_alone_do_not_differ() -> None:
    other = [run(seed, 1.0, strategy="mas") for seed in range(3)]
    table = compare_specs([*A, *other], other)
    assert table.empty


def test_a_setting_is_compared_on_every_network() -> None:
    def side(on_unet: float, on_vnet: float) -> list[RunResult]:
        return [run(0, on_unet), changed(run(0, on_vnet), model="VNet")]

    (row,) = compare_specs(side(1.0, 5.0), side(100.0, 5.0)).to_dict("records")
    assert row["field"] == "EWC.ewc_lambda"
    assert (row["a"], row["b"]) == ("1.0 on UNet, 5.0 on VNet", "100.0 on UNet, 5.0 on VNet")
    (row,) = compare_specs(side(1.0, 1.0), side(5.0, 5.0)[::-1]).to_dict("records")
    assert row == {"field": "EWC.ewc_lambda", "a": "1.0", "b": "5.0"}
    assert compare_specs(side(1.0, 5.0), side(1.0, 5.0)[::-1]).empty


def test_one_seed_has_no_interval() -> None:
    assert compare_outcomes(A[:1], B[:1])["±"].isna().all()
    assert "carry no interval" in comparison_page(A[:1], B[:1])


def test_seed_curves_are_compared_count_by_count() -> None:
    def labelled(count: int, better: float) -> list[RunResult]:
        images = SeedImagesSpec(count=count, by="random", start="transfer", base=("a",))
        found = []
        for seed in range(3):
            one = run(seed, 1.0, better)
            r = one.cases.groupby(["stage", "scanner"])["dice"].mean().unstack()[["b", "a"]]
            rows = matrix_rows(r.to_numpy())
            one = changed(one, schedule="seed_curve", R={"mean": rows, "liver": rows})
            found.append(with_spec(one, order=("b", "a"), seed_images=images))
        return found

    before = [*labelled(5, 0.0), *labelled(10, 0.0)]
    after = [*labelled(5, 0.0), *labelled(10, 0.1)]
    table = compare_outcomes(before, after).set_index("strategy")
    assert list(table["score"]) == ["ACC", "ACC"]
    assert table["difference"].to_list() == pytest.approx([0.0, 0.1])
    assert table.index.to_list() == ["EWC, 5 by random", "EWC, 10 by random"]


def test_what_one_side_lacks_is_told() -> None:
    other = [run(7, 1.0, strategy="mas")]
    lines = unmatched_run_notes(A, other)
    assert "networks and strategies in a alone: UNet EWC" in lines
    assert "seeds in b alone: 7" in lines
    assert "Nothing in common." in comparison_page(A, other)
