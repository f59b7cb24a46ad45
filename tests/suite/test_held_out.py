"""A suite with a scanner that is held out, against the same suite without it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cl_seg
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.records.load import load_results
from cl_seg.suite.cache import StageCache
from cl_seg.suite.summary import summary

from .conftest import run

STRATEGIES = "strategies: [naive, joint, norm_per_scanner]"
ORDERS = "orders: [[bright, dark]]"


def suite(text: str, *lines: str) -> str:
    kept = [x for x in text.splitlines() if not x.startswith(("  - ", "strategies"))]
    return "\n".join([*kept, STRATEGIES, ORDERS, *lines]).replace(":build", ":build_normed")


def test_nothing_else_changes_and_what_is_held_out_is_scored_after_every_stage(
    suite_text: str, tmp_path: Path
) -> None:
    cache, results = StageCache(tmp_path / "stages"), tmp_path / "results"
    _, failed = run(suite(suite_text), results)
    assert not failed
    before = {one.run_id: one for one in load_results(results)}
    of_before, matrices = cache.keys(), {name: one.matrix() for name, one in before.items()}
    cases = {name: one.cases for name, one in before.items()}
    with pytest.raises(InputError, match="no scanner is held out"):
        cl_seg.load_results(results).R("build_normed", "Naive", held_out=True)
    main = {name: one.main_cases for name, one in before.items()}
    assert not any("R_held_out" in one.record.as_json() for one in before.values())
    assert not any("held_out" in one.record.as_json()["spec"] for one in before.values())

    _, failed = run(suite(suite_text, "held_out: [plain]"), results)
    assert not failed
    unseen = cl_seg.load_results(results).R("build_normed", "Naive", held_out=True)
    assert list(unseen.columns) == ["Plain"]
    assert list(unseen.index) == ["untrained", "after Bright", "after Dark"]
    assert of_before < cache.keys()
    added = [cache.metadata(key) for key in cache.keys() - of_before]
    assert {(one["kind"], one["scanner"]) for one in added} == {("evaluate", "plain")}
    for result in load_results(results):
        r = matrices[result.run_id]
        np.testing.assert_array_equal(result.matrix(), r)
        pd.testing.assert_frame_equal(
            *(t.reset_index(drop=True) for t in (result.main_cases, main[result.run_id]))
        )
        unseen = result.on_held_out
        assert unseen.order == ["plain"]
        assert unseen.order_and_seed == result.order_and_seed
        assert np.isfinite(unseen.matrix()).all()
        assert unseen.matrix().shape == (len(r), 1)
        assert set(unseen.cases["stage"]) == set(range(len(r)))
        assert set(unseen.last_cases["scanner"]) == {"plain"}
        own = result.cases[result.cases["scanner"] != "plain"].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, cases[result.run_id].reset_index(drop=True))
        assert result.record.slices["plain"].keys() == {"test"}
        one_class = result.of_class("liver").on_held_out
        np.testing.assert_array_equal(one_class.matrix(), unseen.matrix("liver"))


def test_no_stage_trains_on_what_is_held_out(suite_text: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(suite(suite_text, "held_out: [plain]"))
    plan = resolve(path, cache=tmp_path / "stages")
    assert plan.context.rows["plain"].keys() == {"test"}
    assert plan.context.rows["bright"].keys() == {"train", "validation", "test"}
    assert not any("plain" in group for p in plan.runs for group in p.run.experiences)
    said = list(summary([plan], StageCache(tmp_path / "stages")))
    assert "held out, tested only: plain" in said
    tested = [stage for stage in plan.stages.values() if stage.scanner == "plain"]
    # Untrained, two stages of naive, one of joint, two with statistics per scanner.
    assert len(tested) == 6
    for planned in plan.runs:
        assert all(row[-1] for row in planned.evaluation_keys)
        assert planned.tested_scanners == ("bright", "dark", "plain")
