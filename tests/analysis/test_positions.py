"""Runs of replicates, whose streams have different scanners, seen by position."""

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.drop_maps import _below_joint
from cl_seg.analysis.intervals import (
    ci_half_width,
    difference_with_half_width,
    interval_half_width,
    jackknife_pseudo_values,
    patient_groups,
    random_factor,
)
from cl_seg.analysis.positions import by_position, ordinal
from cl_seg.metrics.continual import acc, bwt, plasticity
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.results import RunResult
from tests.records.factory import NAIVE, changed, examples_of, held_out, run_result

SCORES = (acc, bwt, plasticity)


def replicate(number: int, shift: float = 0.0, strategy: str = "Naive") -> RunResult:
    """A run on two scanners that no other replicate has, five patients tested on both."""
    order = [f"s{2 * number - 1}", f"s{2 * number}"]
    draw = np.random.default_rng(number)
    cases = pd.DataFrame([
        {"stage": i, "scanner": s, "patient": f"p{p}", "class": "liver", "true": 1,
         "dice": draw.random() / 2 + shift}
        for i in range(3) for s in order for p in range(5)
    ])  # fmt: skip
    matrices = accuracy_matrices(cases, order, ["liver"])
    spec = {"order": order, "seed": number, "replicate": number}
    return run_result(NAIVE, cases, R=matrices, spec=spec, strategy=strategy, order_number=number)


RUNS = [replicate(number) for number in (1, 2, 3, 4)]


def test_scores_of_a_run_are_the_same_by_position() -> None:
    for run, at_positions in zip(RUNS, by_position(RUNS), strict=True):
        assert at_positions.scanners == ["1st scanner", "2nd scanner"]
        assert at_positions.short_names == {s: s for s in at_positions.scanners}
        assert at_positions.first_visits == {"1st scanner": 1, "2nd scanner": 2}
        np.testing.assert_array_equal(at_positions.matrix(), run.matrix())
        for score in SCORES:
            assert at_positions.score(score) == run.score(score)
        assert set(at_positions.cases["scanner"]) == set(at_positions.scanners)
        assert at_positions.order_and_seed == run.order_and_seed, "paired by its own scanners"


def test_other_runs_are_left_as_they_are() -> None:
    run = run_result()
    assert by_position([run])[0] is run and random_factor([run]) == "seeds"
    assert random_factor(RUNS) == "replicates"


@pytest.mark.parametrize("runs", [RUNS, by_position(RUNS)], ids=["own", "by position"])
def test_every_replicate_is_a_column(runs: list[RunResult]) -> None:
    values = jackknife_pseudo_values(list(reversed(runs)), acc)
    assert values.shape == (5, 4)
    np.testing.assert_allclose(values.mean(axis=0), [run.score(acc) for run in runs])
    assert interval_half_width(runs, acc) == pytest.approx(ci_half_width(values))
    assert len(set(patient_groups(runs))) == 1


def test_replicates_are_paired_with_those_of_the_same_stream() -> None:
    better = [replicate(number, 0.1, "Replay") for number in (1, 2, 3)]
    gain, half_width = difference_with_half_width(better, RUNS, acc)
    assert gain == pytest.approx(0.1) and half_width == pytest.approx(0, abs=1e-12)
    other = [changed(run, spec=run.record.spec.model_copy(update={"seed": 9})) for run in better]
    assert np.isnan(difference_with_half_width(other, RUNS, acc)).all()


def test_runs_of_orders_need_all_of_them_for_every_seed() -> None:
    spec = [run.record.spec.model_copy(update={"replicate": 0}) for run in RUNS]
    runs = [changed(run, spec=one) for run, one in zip(RUNS, spec, strict=True)]
    assert jackknife_pseudo_values(runs, acc).size == 0


def test_scanners_held_out_keep_their_names() -> None:
    changes = held_out()
    run = run_result(NAIVE, **{**changes, "spec": {**changes["spec"], "replicate": 1}})
    (at_positions,) = by_position([run])
    assert at_positions.held_out == ["z"]
    assert at_positions.short_names["z"] == "Scanner Z"
    assert at_positions.on_held_out.score(acc) == run.on_held_out.score(acc)
    assert at_positions.on_held_out.order_and_seed == run.on_held_out.order_and_seed


def test_pictures_and_what_was_not_learned_are_by_position_too() -> None:
    run = run_result(NAIVE, spec={"replicate": 2, "seed": 2})
    run.tables.examples.update(examples_of("ab"))
    (at_positions,) = by_position([run])
    assert "2nd scanner/ranked/last" in at_positions.examples
    assert [place[0] for place in at_positions.unlearned()] == [
        {"a": "1st scanner", "b": "2nd scanner"}[place[0]] for place in run.unlearned()
    ]


def test_joint_training_is_compared_in_the_replicates_that_both_have() -> None:
    joint = [replicate(number, 0.25, "Joint") for number in (2, 3)]
    below = _below_joint(by_position(RUNS), by_position(joint), ["1st scanner", "2nd scanner"])
    np.testing.assert_allclose(below, 0.25)


def test_ordinals() -> None:
    words = [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert words == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
