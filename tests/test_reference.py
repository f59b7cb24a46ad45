"""Committed reference results: every table follows from the per-case scores kept beside it."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.analysis.claims.judge import ClaimVerdict, judge
from cl_seg.analysis.claims.read import read_claims
from cl_seg.analysis.claims.text import as_json, claims_page
from cl_seg.analysis.compare import compare_outcomes
from cl_seg.analysis.seed_curve import seed_curve_runs, seed_curve_table
from cl_seg.analysis.tables import difference_table, markdown, run_table, summary_table
from cl_seg.analysis.tools_table import load_tools, shown_tools
from cl_seg.models.registry import NETWORKS, OF_THE_STUDY
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.records.tables import PACKED

NUMBER = r"(0\.\d{3}) ± (0\.\d{3})"
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
REFERENCE = ROOT / "results" / "reference"
FOLDERS = sorted(path.parent for path in REFERENCE.rglob(PACKED))


def test_there_are_reference_results() -> None:
    assert FOLDERS


def tables_of(results: list[RunResult]) -> dict[str, pd.DataFrame]:
    if results[0].training_regime == "seed_curve":
        return {"summary": seed_curve_table(seed_curve_runs(results))}
    runs = run_table(results)
    differences = difference_table(results)
    kept = {"differences": differences} if len(differences) else {}
    return {"runs": runs, "summary": summary_table(runs, results), **kept}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(REFERENCE)))
def test_tables_follow_from_the_scores_of_the_cases(folder: Path) -> None:
    for name, table in tables_of(load_results(folder)).items():
        kept = pd.read_csv(folder / f"{name}.csv", keep_default_na=True)
        numbers = table.select_dtypes("number").columns
        assert kept.pop("stamp").str.contains("no patient data").all()
        assert list(kept.columns) == list(table.drop(columns="stamp", errors="ignore").columns)
        pd.testing.assert_frame_equal(
            kept[numbers], table[numbers].reset_index(drop=True), check_dtype=False, rtol=1e-9
        )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(REFERENCE)))
def test_accuracy_matrices_follow_from_the_scores_of_the_cases(folder: Path) -> None:
    from cl_seg.records.matrices import accuracy_matrices

    for result in load_results(folder):
        again = accuracy_matrices(result.cases, result.order, result.classes)
        for name, r in again.items():
            assert result.matrix(name) == pytest.approx(r, nan_ok=True)


def test_tables_of_tools_follow_from_the_scores_of_the_cases() -> None:
    text = (REFERENCE / "paper" / "semi_automatic.md").read_text()
    for suite in ("table_muscle", "table_liver"):
        assert markdown(shown_tools(load_tools(REFERENCE / "paper" / suite))) in text


@pytest.mark.slow
def test_claims_without_bodies_that_choices_have_seen_are_those_of_the_results() -> None:
    done = subprocess.run(
        [sys.executable, "experiments/paper/validation_bodies.py", "results/reference/paper"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in (REFERENCE / "paper" / "validation_bodies.md").read_text()


@pytest.fixture(scope="module")
def judged() -> list[ClaimVerdict]:
    return judge(read_claims(ROOT / "experiments" / "paper" / "claims.yaml"), REFERENCE / "paper")


def test_the_page_of_claims_follows_from_the_scores_of_the_cases(
    judged: list[ClaimVerdict],
) -> None:
    assert (REFERENCE / "paper" / "claims.md").read_text().endswith(claims_page(judged))
    assert json.loads((REFERENCE / "paper" / "claims.json").read_text()) == as_json(judged)


def test_the_readme_tells_the_verdicts_and_effects_of_the_claims(
    judged: list[ClaimVerdict],
) -> None:
    rows = [line.split(" | ") for line in README.splitlines()]
    told = {row[0][2:4]: row[1:] for row in rows if re.match(r"\| [CN]\d", row[0])}
    for one in judged:
        verdict, effects = told.pop(one.claim.name)
        assert verdict == one.verdict
        found = {(f"{abs(e.effect):.3f}", f"{e.ci_half_width:.3f}") for e in one.evidence}
        assert set(re.findall(NUMBER, effects)) <= found
    assert not told


def test_the_readme_tells_what_strategies_gain() -> None:
    told = re.findall(rf"^\| ([\w-]+) \| ((?:[−+]{NUMBER}[ |]+){{4}})$", README, re.MULTILINE)
    table = pd.read_csv(REFERENCE / "paper" / "forgetting" / "differences.csv")
    assert [row[0] for row in told] == list(table["model"].unique())
    for model, cells, *_ in told:
        own = table[table["model"] == model].set_index("strategy")
        for strategy, text in zip(
            ("EWC", "LwF", "Replay", "Cumulative"),
            cells.split("|")[:4],
            strict=True,
        ):
            gain, margin = own.loc[strategy, ["BWT", "BWT ±"]]
            assert text.strip() == f"{gain:+.3f} ± {margin:.3f}".replace("-", "−")


def test_the_readme_tells_what_ablations_show() -> None:
    text = " ".join(README.split())
    (shifts,) = re.findall(r"with shifts of HU(.*?) Simulated bodies", text)
    plain, shifted = (
        load_results(REFERENCE / "paper" / name) for name in ("forgetting", "augmentation_ablation")
    )
    found = compare_outcomes(plain, shifted).set_index("score")
    told = re.findall(f"{NUMBER} on ([A-Za-z-]+)", shifts)
    assert len(told) == 4
    by_model = found.loc["BWT"].set_index("model")
    for effect, margin, model in told:
        row = by_model.loc[model]
        assert (f"{row['difference']:.3f}", f"{row['±']:.3f}") == (effect, margin)
    (most,) = re.findall(r"plasticity falls by no more than (0\.\d{3})", shifts)
    assert f"{-found.loc['plasticity', 'difference'].min():.3f}" == most
    (vnet,) = re.findall(rf"with instance norm VNet's BWT is −{NUMBER}", text)
    table = pd.read_csv(REFERENCE / "paper" / "norm_ablation" / "summary.csv")
    row = table[(table["model"] == "VNet-instance") & (table["strategy"] == "Naive")].iloc[0]
    assert (f"{-row['BWT']:.3f}", f"{row['BWT ±']:.3f}") == vnet


def test_networks_are_trained_in_bfloat16_as_the_comparison_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "experiments" / "performance"))
    comparison = importlib.import_module("precision").comparison
    table = comparison(pd.read_csv(REFERENCE / "precision.csv"))
    assert table in (REFERENCE / "performance.md").read_text()
    learns = {
        NETWORKS[name].title: "yes" if NETWORKS[name].presets["small"].learns_in_bfloat16 else "no"
        for name in OF_THE_STUDY
    }
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert {row[0]: row[-1] for row in rows} == learns
    compared = {(name, "small") for name in OF_THE_STUDY}
    assert compared >= {
        (name, preset)
        for name, network in NETWORKS.items()
        for preset, one in network.presets.items()
        if one.learns_in_bfloat16
    }
