from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import cl_seg
from cl_seg.records.load import load_results as load_runs

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@pytest.fixture(scope="module")
def forgetting() -> cl_seg.Results:
    """Committed results: four networks, two orders, three seeds."""
    return cl_seg.load_results(REFERENCE / "paper" / "forgetting")


def test_the_summary_is_the_table_of_the_report(in_workspace: Path) -> None:
    results = cl_seg.load_results("results/quick")
    written = pd.read_csv("results/quick/summary.csv")
    ours = results.summary().fillna({"verdict": ""})
    pd.testing.assert_frame_equal(
        ours, written.fillna({"verdict": ""})[list(ours.columns)], check_dtype=False
    )
    shown = Path("results/quick/summary.md").read_text().splitlines()
    assert shown[0].strip("| ").split(" | ") == list(results.summary(rounded=True).columns)


def test_r_is_averaged_over_seeds_and_known_by_title_and_label(forgetting: cl_seg.Results) -> None:
    each = [forgetting.R("VNet", "EWC", seed=seed) for seed in (0, 1, 2)]
    mean = forgetting.R("vnet", "ewc")
    assert np.allclose(mean, sum(each) / 3)
    assert not np.allclose(each[0], each[1])
    run = next(
        run
        for run in load_runs(REFERENCE / "paper" / "forgetting")
        if (run.network, run.strategy, run.seed, run.order_number) == ("VNet", "EWC", 1, 1)
    )
    assert np.array_equal(each[1], run.matrix())
    assert list(mean.columns) == [run.short_names[scanner] for scanner in run.order]
    assert list(mean.index) == ["untrained", *(f"after {name}" for name in mean.columns)]


def test_r_of_a_class_and_of_another_order(forgetting: cl_seg.Results) -> None:
    muscle, liver = (forgetting.R("UNet", "Replay", class_name=c) for c in ("muscle", "liver"))
    assert np.allclose((muscle + liver) / 2, forgetting.R("UNet", "Replay"))
    other = forgetting.R("UNet", "Replay", order=2)
    assert list(other.columns) == list(muscle.columns)[::-1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"network": "VNett"}, "network 'VNett': expected one of VNet, UNet, UNETR, Swin-UNETR"),
        ({"strategy": "EWV"}, "strategy 'EWV': expected one of Naive, "),
        ({"seed": 7}, "seed 7: expected one of 0, 1, 2"),
        ({"class_name": "lung"}, "class 'lung': expected one of muscle, liver"),
        ({"order": 5}, "order 5: expected one of 1, 2"),
    ],
)
def test_a_wrong_name_is_told_with_those_there_are(
    forgetting: cl_seg.Results, given: dict[str, object], message: str
) -> None:
    with pytest.raises(cl_seg.InputError, match=message):
        forgetting.R(**{"network": "VNet", "strategy": "EWC", **given})


def test_cases_and_curve_are_tidy(in_workspace: Path) -> None:
    results = cl_seg.load_results("results/quick")
    cases, curve = results.cases, results.curve
    keys = ["model", "strategy", "seed", "stage", "case", "class"]
    assert not cases.duplicated(keys).any() and len(cases) == sum(
        len(r.cases) for r in results.runs
    )
    chosen = cases[(cases["model"] == "VNet") & (cases["strategy"] == "EWC") & (cases["true"] > 0)]
    per_class = chosen[chosen["stage"] == 2].groupby(["scanner", "class"])["dice"].mean()
    expected = per_class.groupby("scanner").mean()[["alpha", "beta"]]
    assert np.allclose(results.R("VNet", "EWC").iloc[-1], expected)
    assert {"run", "model", "strategy", "seed", "stage", "step", "scanner", "dice"} <= {*curve}


def test_figures_are_those_of_the_report(forgetting: cl_seg.Results, in_workspace: Path) -> None:
    for name in ("forgetting", "R", "orders", "plane"):
        assert isinstance(getattr(forgetting.plot, name)(), Figure), name
    assert isinstance(cl_seg.load_results("results/quick").plot.validation(), Figure)
    with pytest.raises(cl_seg.InputError, match="not a SEED curve"):
        forgetting.plot.seed_curve()
    with pytest.raises(cl_seg.InputError, match="nothing to draw: no network has learned"):
        cl_seg.load_results("results/quick").plot.plane()
    claims = forgetting.plot.claims(REFERENCE.parents[1] / "experiments/paper/claims.yaml")
    assert isinstance(claims, Figure)


def test_a_seed_curve_has_its_own_table_and_figure() -> None:
    results = cl_seg.load_results(REFERENCE / "paper" / "seed_curve")
    assert {"images", "Dice", "Dice ±"} <= {*results.summary()}
    assert isinstance(results.plot.seed_curve(), Figure)
    with pytest.raises(cl_seg.InputError, match="has no R"):
        results.R("VNet", "Naive")
    assert "SEED" not in results._repr_html_() and "images" in results._repr_html_()


def test_results_show_themselves(forgetting: cl_seg.Results) -> None:
    assert "runs of 4 networks" in repr(forgetting)
    page = forgetting._repr_html_()
    assert "simulated scanners and bodies, no patient data" in page and "Swin-UNETR" in page
