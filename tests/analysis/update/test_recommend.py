"""Which update is recommended."""

import numpy as np
import pytest

from cl_seg.analysis.update.judge import ALPHA
from cl_seg.analysis.update.recommend import Recommendation, recommendation
from cl_seg.records.results import RunResult
from tests.analysis.update.factory import HELD_OUT, NEW, OLD, candidate_runs

GAIN = {(NEW, "muscle"): 0.1, (NEW, "liver"): 0.1}
LOSS = {**GAIN, (OLD, "liver"): -0.05}


def judged(*candidates: list[RunResult]) -> Recommendation:
    return recommendation([run for runs in candidates for run in runs])


def test_a_gain_without_a_loss_is_recommended() -> None:
    found = judged(candidate_runs(GAIN))
    assert found.status == "recommended"
    assert found.best is not None
    assert found.best.title == "VNet, EWC, 20 slices"


@pytest.mark.parametrize("where", [(OLD, "liver"), (HELD_OUT, "muscle"), (NEW, "liver")])
def test_a_loss_on_any_scanner_and_structure_rejects(where: tuple[str, str]) -> None:
    found = judged(candidate_runs({**GAIN, where: -0.05}))
    assert found.status == "not recommended"
    [loss] = found.candidates[0].losses
    assert (loss.outcome.scanner, loss.outcome.name) == (where[0], f"Dice {where[1]}")


def test_no_gain_is_no_reason_to_update() -> None:
    assert judged(candidate_runs({}, spread=0.001)).status == "not recommended"


def test_an_unclear_loss_is_undecided() -> None:
    assert judged(candidate_runs(GAIN, spread=0.05)).status == "undecided"


def test_one_seed_is_undecided() -> None:
    assert judged(candidate_runs(GAIN, seeds=[0])).status == "undecided"


def test_of_several_accepted_the_one_that_gains_most_is_recommended() -> None:
    larger = dict.fromkeys(GAIN, 0.15)
    found = judged(
        candidate_runs(GAIN, strategy="LwF"),
        candidate_runs(larger, strategy="EWC"),
        candidate_runs({**LOSS, (NEW, "muscle"): 0.2}, strategy="Naive"),
    )
    assert [candidate.strategy for candidate in found.accepted] == ["EWC", "LwF"]
    assert found.status_of(found.candidates[2]) == "rejected"


def test_budgets_are_candidates_of_their_own() -> None:
    found = judged(candidate_runs(GAIN, budget=10), candidate_runs(LOSS, budget=40))
    assert [candidate.budget for candidate in found.candidates] == [10, 40]
    assert found.best is not None
    assert found.best.budget == 10


def test_a_rejected_and_an_undecided_candidate_leave_it_undecided() -> None:
    unclear = candidate_runs(GAIN, spread=0.05, strategy="LwF")
    assert judged(candidate_runs(LOSS), unclear).status == "undecided"


def borderline() -> float:
    """A spread with which a candidate alone is accepted, and not at half the error rate."""
    for spread in np.linspace(0.001, 0.05, 200):
        candidate = judged(candidate_runs(GAIN, spread=float(spread))).candidates[0]
        if candidate.is_accepted(ALPHA) and not candidate.is_accepted(ALPHA / 2):
            return float(spread)
    raise AssertionError("none found")


def test_the_choice_among_several_candidates_is_corrected_as_holm_does() -> None:
    spread = borderline()
    alone = candidate_runs(GAIN, spread=spread)
    assert judged(alone).status == "recommended"
    rejected = candidate_runs(LOSS, strategy="Naive")
    assert judged(alone, rejected).status == "undecided"
    # An accepted candidate leaves the whole error rate to the other one.
    clear = candidate_runs(GAIN, spread=0.001, strategy="LwF")
    assert len(judged(alone, clear).accepted) == 2
