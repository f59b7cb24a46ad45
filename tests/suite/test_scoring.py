"""Controls that end with a known network, and their last point on the validation curve."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.tables import last_validations
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult

from .conftest import run, tiny_suite

STRATEGIES = """strategies:
  - naive
  - never_update
  - {name: weight_averaging, label: share_0, settings: {share: 0}}
  - {name: weight_averaging, label: half, settings: {share: 0.5}}
  - {name: weight_averaging, label: share_1, settings: {share: 1}}
orders: [[bright, dark]]
training"""


@pytest.fixture(scope="module")
def runs(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunResult]:
    text = tiny_suite(store).replace("tiny_network:build", "tiny_network:build_normed")
    head, tail = text[: text.index("strategies:")], text[text.index("training") + 8 :]
    results = tmp_path_factory.mktemp("scoring") / "results"
    _, failed = run(head + STRATEGIES + tail, results)
    assert not failed
    return {r.record.spec.strategy.label: r for r in load_results(results)}


def test_a_network_that_is_never_updated_scores_the_same_for_ever(
    runs: dict[str, RunResult],
) -> None:
    r, naive = runs["never_update"].matrix(), runs["naive"].matrix()
    assert (r[1:] == r[1]).all()
    assert (r[:2] == naive[:2]).all() and (r[2:] != naive[2:]).any()
    assert [stage.steps for stage in runs["never_update"].record.stages] == [12, 0]


def test_share_0_never_updates_and_share_1_is_fine_tuning(runs: dict[str, RunResult]) -> None:
    for label, control in (("share_0", "never_update"), ("share_1", "naive")):
        pd.testing.assert_frame_equal(runs[label].cases, runs[control].cases, check_exact=True)
    half, naive = runs["half"].matrix(), runs["naive"].matrix()
    assert (half[:2] == naive[:2]).all() and (half[2:] != naive[2:]).any()


def test_the_last_point_of_the_curve_is_of_the_network_that_is_kept(
    runs: dict[str, RunResult],
) -> None:
    last = {label: last_validations(result) for label, result in runs.items()}
    assert (last["share_0"] == last["never_update"]).all() and len(last["never_update"]) == 2
    assert (last["share_1"] == last["naive"]).all()
    assert (last["half"] != last["naive"]).any()
    once = runs["never_update"].validation
    assert list(once.index) == [(1, 6), (1, 12), (2, 0)]
    assert np.ptp(once.loc[[(1, 12), (2, 0)], "bright"]) == 0
