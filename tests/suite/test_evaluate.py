"""A suite that tests fewer scanners, and what is computed when it is to test all of them."""

from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.suite.cache import StageCache

from .conftest import run

STRATEGIES = "strategies: [naive, joint]\n"


def suite(text: str, evaluate: str) -> str:
    lines = [x for x in text.splitlines() if not x.startswith("  - ")]
    lines = [x for x in lines if not x.startswith("strategies")]
    return "\n".join([*lines, STRATEGIES, f"evaluate: {evaluate}"])


def by_name(results: Path) -> dict[str, RunResult]:
    return {one.run_id: one for one in load_results(results)}


def test_seen_is_part_of_all_and_all_then_computes_the_missing_evaluations_alone(
    suite_text: str, tmp_path: Path
) -> None:
    cache, results = StageCache(tmp_path / "stages"), tmp_path / "results"
    _, failed = run(suite(suite_text, "seen"), results)
    assert not failed
    seen, of_seen = by_name(results), cache.keys()
    naive = next(one for one in seen.values() if not one.is_joint)
    n = len(naive.order)
    assert naive.record.spec.evaluate == "seen"
    i, j = np.indices((n + 1, n))
    np.testing.assert_array_equal(np.isfinite(naive.matrix()), j < i)
    assert f"{naive.order[0]}/first" in naive.examples
    assert f"{naive.order[1]}/first" not in naive.examples
    assert "FWT is not defined" in (results / "report.html").read_text()
    cases = {name: one.cases for name, one in seen.items()}
    naive_r = naive.matrix()

    _, failed = run(suite(suite_text, "all"), results)
    assert not failed
    added = cache.keys() - of_seen
    assert of_seen < cache.keys()
    assert {cache.metadata(key)["kind"] for key in added} == {"evaluate"}
    whole = by_name(results)
    assert "evaluate" not in whole[naive.run_id].record.spec.as_suite_fields()
    np.testing.assert_array_equal(whole[naive.run_id].matrix()[j < i], naive_r[j < i])
    assert np.isfinite(whole[naive.run_id].matrix()).all()
    for name, before in cases.items():
        merged = before.merge(whole[name].cases, on=list(before.columns))
        pd.testing.assert_frame_equal(merged, before.reset_index(drop=True), check_exact=True)
