"""Parameters per scanner in a suite: nothing is forgotten, and routes are recorded."""

from pathlib import Path

import numpy as np
import pytest

from cl_seg.records.load import load_results

from .conftest import run

STRATEGIES = """strategies:
  - {name: norm_per_scanner, label: known}
  - {name: norm_per_scanner, label: nearest, settings: {route: nearest}}
  - adapters
training"""


@pytest.mark.slow
def test_routes_and_zero_forgetting_in_a_record(suite_text: str, tmp_path: Path) -> None:
    head = suite_text[: suite_text.index("strategies:")]
    tail = suite_text[suite_text.index("training") + len("training") :]
    text = (head + STRATEGIES + tail).replace("tiny_network:build", "tiny_network:build_normed")
    _, failed = run(text, tmp_path / "results")
    assert not failed
    by_label = {one.record.spec.strategy.label: one for one in load_results(tmp_path / "results")}
    for result in by_label.values():
        scores, order = result.matrix(), result.order
        for j in range(len(order)):
            np.testing.assert_array_equal(scores[j + 1 :, j], scores[j + 1, j])
        for position, stage in enumerate(result.record.stages, start=1):
            latest = order[position - 1]
            expected = {s: s if s in order[:position] else latest for s in order}
            assert stage.routes.keys() == set(order)
            if result is not by_label["nearest"]:
                routes = {s: next(iter(taken)) for s, taken in stage.routes.items()}
                assert routes == expected
        last = result.record.stages[-1].routes
        assert {s: next(iter(taken)) for s, taken in last.items()} == {s: s for s in order}
        cases = result.cases
        tested = cases[cases["stage"] == 1].groupby("scanner")["case"].nunique()
        assert {s: sum(taken.values()) for s, taken in last.items()} == tested.to_dict()
