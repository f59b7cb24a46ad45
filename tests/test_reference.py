"""Committed reference results: every table follows from the per-case scores kept beside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.analysis.claims import judge, read_claims
from cl_seg.analysis.results import PACKED, RunResult, load_results
from cl_seg.analysis.seed_curve import seed_content
from cl_seg.analysis.tables import difference_table, markdown, run_table, summary_table
from cl_seg.analysis.tools_table import load_tools, shown_tools

REFERENCE = Path(__file__).parents[1] / "results" / "reference"
FOLDERS = sorted(path.parent for path in REFERENCE.rglob(PACKED))


def test_there_are_reference_results() -> None:
    assert FOLDERS


def tables_of(results: list[RunResult]) -> dict[str, pd.DataFrame]:
    if results[0].schedule == "seed_curve":
        return seed_content(results).files
    runs = run_table(results)
    differences = difference_table(results)
    kept = {"differences": differences} if len(differences) else {}
    return {"runs": runs, "summary": summary_table(runs, results), **kept}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(REFERENCE)))
def test_tables_follow_from_the_scores_of_the_cases(folder: Path) -> None:
    for name, table in tables_of(load_results(folder)).items():
        kept = pd.read_csv(folder / f"{name}.csv", keep_default_na=True)
        numbers = table.select_dtypes("number").columns
        assert list(kept.columns) == list(table.columns)
        pd.testing.assert_frame_equal(
            kept[numbers], table[numbers].reset_index(drop=True), check_dtype=False, rtol=1e-9
        )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(REFERENCE)))
def test_accuracy_matrices_follow_from_the_scores_of_the_cases(folder: Path) -> None:
    from cl_seg.analysis.matrices import accuracy_matrices

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
    root = REFERENCE.parents[1]
    done = subprocess.run(
        [sys.executable, "experiments/paper/validation_bodies.py", "results/reference/paper"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in (REFERENCE / "paper" / "validation_bodies.md").read_text()


def test_the_readme_tells_the_verdicts_and_effects_of_the_claims() -> None:
    root = REFERENCE.parents[1]
    rows = [line.split(" | ") for line in (root / "README.md").read_text().splitlines()]
    told = {row[0][2:4]: row[1:] for row in rows if re.match(r"\| C\d", row[0])}
    claims = read_claims(root / "experiments" / "paper" / "claims.yaml")
    for one in judge(claims, REFERENCE / "paper"):
        verdict, effects = told.pop(one.claim.name)
        assert verdict == one.verdict
        found = {(f"{abs(e.effect):.3f}", f"{e.margin:.3f}") for e in one.evidence}
        assert set(re.findall(r"(0\.\d{3}) ± (0\.\d{3})", effects)) <= found
    assert not told
