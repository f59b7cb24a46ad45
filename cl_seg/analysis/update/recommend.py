"""Which update, if any, is recommended: candidates judged on all scanners, and the suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from cl_seg.analysis.update.judge import ALPHA, Change, Verdict, change_of, needed, verdict
from cl_seg.analysis.update.outcomes import Outcome, mean_dice, outcomes_of, update_of
from cl_seg.records.results import RunResult

Status = Literal["recommended", "not recommended", "undecided"]
CandidateKey = tuple[str, str, int]
"""Network, strategy and budget of labelled slices."""


@dataclass(frozen=True, eq=False)
class JudgedOutcome:
    """An outcome with its change, positive where it is better, and the verdict on it alone."""

    outcome: Outcome
    change: Change

    @property
    def margin(self) -> float:
        """Loss that still counts as not worse; NaN where there is none."""
        return float("nan") if self.outcome.margin is None else self.outcome.margin

    @property
    def verdict(self) -> Verdict | Literal["–"]:
        """The verdict at the error rate of one test; a dash without a margin."""
        return "–" if self.outcome.margin is None else verdict(self.change, self.margin)

    @property
    def need(self) -> str:
        """What would decide, of an undecided one."""
        return needed(self.change, -self.margin) if self.verdict == "undecided" else ""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to update: a strategy with a budget of labelled slices, with all its seeds.

    Attributes:
        network, strategy: titles.
        budget: number of labelled slices.
        runs: one per seed.
        outcomes: what changed, scanner by scanner.
        gain: what changed of the mean Dice on the new scanner.
    """

    network: str
    strategy: str
    budget: int
    runs: Sequence[RunResult]
    outcomes: Sequence[JudgedOutcome]
    gain: JudgedOutcome

    @property
    def title(self) -> str:
        """Its name in sentences, tables and figures."""
        return f"{self.network}, {self.strategy}, {self.budget} slices"

    @property
    def decisive(self) -> list[JudgedOutcome]:
        """The outcomes that have a margin."""
        return [judged for judged in self.outcomes if judged.outcome.margin is not None]

    def is_accepted(self, alpha: float = ALPHA) -> bool:
        """True where it gains on the new scanner and is nowhere worse, each shown at ``alpha``.

        All must be shown, so a wrong acceptance needs one wrong test of a true loss, whose rate is
        ``alpha``: an intersection–union test (Berger 1982) needs no correction for their number.
        """
        nowhere_worse = all(one.change.above(-one.margin, alpha) for one in self.decisive)
        return nowhere_worse and self.gain.change.above(0, alpha)

    @cached_property
    def losses(self) -> list[JudgedOutcome]:
        """Outcomes that are worse, at the level divided by their number (Bonferroni).

        One is enough to reject, so that here the number of tests counts.
        """
        alpha = ALPHA / max(1, len(self.decisive))
        return [one for one in self.decisive if one.change.below(-one.margin, alpha)]

    def unshown(self, alpha: float = ALPHA) -> dict[str, list[str]]:
        """What would decide → its scores, of those that are not shown at ``alpha``."""
        names, found = self.runs[0].short_names, dict[str, list[str]]()
        for one, bound in [*((one, -one.margin) for one in self.decisive), (self.gain, 0.0)]:
            if not one.change.above(bound, alpha):
                score = f"{one.outcome.name} on {names[one.outcome.scanner]}"
                found.setdefault(needed(one.change, bound, alpha), []).append(score)
        return found

    @property
    def is_without_gain(self) -> bool:
        """True where it is shown to gain less on the new scanner than the margin of Dice."""
        change = self.gain.change
        return change.below(self.gain.margin) and not change.above(0)

    @property
    def is_rejected(self) -> bool:
        """True where it is worse somewhere, or without a gain."""
        return bool(self.losses) or self.is_without_gain


@dataclass(frozen=True)
class Recommendation:
    """The answer of an update suite.

    Attributes:
        status: ``recommended``: one candidate is; ``not recommended``: all are rejected;
            ``undecided``: anything else, among it that no old scanner was tested, so that nothing
            is known of a loss there.
        candidates: all candidates.
        accepted: those that may be taken, the one that gains most first.
    """

    status: Status
    candidates: Sequence[Candidate]
    accepted: Sequence[Candidate]

    @property
    def best(self) -> Candidate | None:
        """The recommended candidate."""
        return self.accepted[0] if self.status == "recommended" else None

    @property
    def alpha(self) -> float:
        """Error rate at which a candidate that is not accepted was judged last."""
        return ALPHA / max(1, len(self.candidates) - len(self.accepted))

    def status_of(self, candidate: Candidate) -> str:
        """``accepted``, ``rejected`` or ``undecided``."""
        if candidate in self.accepted:
            return "accepted"
        return "rejected" if candidate.is_rejected else "undecided"


def recommendation(results: Sequence[RunResult]) -> Recommendation:
    """The answer of the runs of an update suite.

    Raises:
        InputError: a run is of another suite, or runs of a candidate have other test patients.
    """
    candidates = [_candidate(key, runs) for key, runs in _by_candidate(results).items()]
    return recommended_of(candidates, old_tested=bool(update_of(results[0]).old))


def recommended_of(candidates: Sequence[Candidate], *, old_tested: bool = True) -> Recommendation:
    """The answer from judged candidates, and whether a scanner of the model was tested."""
    accepted = accepted_of(candidates)
    ranked = sorted(accepted, key=lambda one: one.gain.change.mean, reverse=True)
    status: Status = "undecided"
    if accepted:
        status = "recommended" if old_tested else "undecided"
    elif all(candidate.is_rejected for candidate in candidates):
        status = "not recommended"
    return Recommendation(status, candidates, ranked)


def accepted_of(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates accepted with Holm's correction (1979) for the choice among them.

    The probability that any candidate is wrongly accepted is at most ``ALPHA``, so that the best of
    the accepted may be chosen by the same data. A single candidate, named beforehand, is not
    corrected.
    """
    accepted: list[Candidate] = []
    while len(accepted) < len(candidates):
        alpha = ALPHA / (len(candidates) - len(accepted))
        found = [candidate for candidate in candidates if candidate.is_accepted(alpha)]
        if len(found) == len(accepted):
            break
        accepted = found
    return accepted


def _by_candidate(results: Sequence[RunResult]) -> Mapping[CandidateKey, list[RunResult]]:
    found: dict[CandidateKey, list[RunResult]] = {}
    for run in results:
        key = run.network, run.strategy, update_of(run).budget
        found.setdefault(key, []).append(run)
    return found


def _candidate(key: CandidateKey, runs: Sequence[RunResult]) -> Candidate:
    return Candidate(
        *key, runs, [_judged(one) for one in outcomes_of(runs)], _judged(mean_dice(runs))
    )


def _judged(outcome: Outcome) -> JudgedOutcome:
    return JudgedOutcome(outcome, change_of(outcome.gain))
