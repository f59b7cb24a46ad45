"""Which update is recommended."""

from dataclasses import replace

import numpy as np
import pytest

from cl_seg.analysis.update.judge import ALPHA, change_of
from cl_seg.analysis.update.outcomes import Outcome, Role
from cl_seg.analysis.update.recommend import (
    Candidate,
    JudgedOutcome,
    Recommendation,
    accepted_of,
    recommendation,
)
from cl_seg.analysis.update.sentences import answer
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


def without_old(run: RunResult) -> RunResult:
    """The run of a store that has no scanner of the model."""
    assert run.record.spec.update is not None
    update = run.record.spec.update.model_copy(
        update={"old": (), "held_out": (OLD, HELD_OUT), "parent_scanners": {"x": "Scanner X"}}
    )
    spec = run.record.spec.model_copy(update={"update": update})
    return replace(run, record=run.record.model_copy(update={"spec": spec}))


def test_nothing_is_recommended_if_no_old_scanner_was_tested() -> None:
    found = judged([without_old(run) for run in candidate_runs(GAIN)])
    assert (found.status, found.best, len(found.accepted)) == ("undecided", None, 1)
    assert "trained on Scanner X, and none of them was tested" in answer(found)


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


BORDERLINE = 0.0156
"""A spread with which a candidate alone is accepted, and not at half the error rate."""


def test_the_choice_among_several_candidates_is_corrected_as_holm_does() -> None:
    alone = candidate_runs(GAIN, spread=BORDERLINE)
    found = judged(alone)
    assert found.status == "recommended"
    assert not found.candidates[0].is_accepted(ALPHA / 2)
    unclear = candidate_runs(GAIN, spread=0.05, strategy="Naive")
    assert judged(alone, unclear).status == "undecided"
    # An accepted candidate leaves the whole error rate to the other one.
    clear = candidate_runs(GAIN, spread=0.001, strategy="LwF")
    assert len(judged(alone, clear).accepted) == 2


def drawn_candidate(random: np.random.Generator) -> Candidate:
    """A candidate that gains on the new scanner, and loses exactly the margin on an old one."""

    def judged_outcome(mean: float, role: Role) -> JudgedOutcome:
        patient, seed = random.normal(size=(14, 1)), random.normal(size=(1, 3))
        values = mean + 0.005 * patient + 0.001 * seed + 0.005 * random.normal(size=(14, 3))
        outcome = Outcome("scanner", role, "Dice", 0.01, True, np.zeros_like(values), values)
        return JudgedOutcome(outcome, change_of(values))

    loss, gain = judged_outcome(-0.01, "old"), judged_outcome(0.1, "new")
    return Candidate("network", "strategy", 20, [], [loss, gain], gain)


def test_the_best_of_several_is_wrongly_accepted_as_rarely_as_a_single_one() -> None:
    random = np.random.default_rng(0)
    suites = [[drawn_candidate(random) for _ in range(5)] for _ in range(400)]
    corrected = sum(bool(accepted_of(suite)) for suite in suites) / 400
    uncorrected = sum(any(one.is_accepted() for one in suite) for suite in suites) / 400
    assert corrected <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert uncorrected > 0.12
