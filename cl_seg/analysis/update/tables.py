"""Tables of an update: the candidates, what changed on a scanner, and the cases that lost most."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.analysis.many_scanners import listed
from cl_seg.analysis.update.outcomes import AFTER, BEFORE, Outcome, roles
from cl_seg.analysis.update.recommend import Candidate, JudgedOutcome, Recommendation

SHOWN_CASES = 10


def number(outcome: Outcome, value: float, signed: bool = True) -> str:
    """A value or a change of a score for reading: Dice with three decimals, others with one."""
    if not np.isfinite(value):
        return "–"
    decimals = 3 if outcome.more_is_better else 1
    value = round(value, decimals) + 0.0  # no −0.0
    return f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"


def after_minus_before(judged: JudgedOutcome) -> tuple[float, float, float]:
    """Change of the score with its lower and upper bound, NaN without bounds."""
    change = judged.change
    if judged.outcome.more_is_better:
        return change.mean, change.lower, change.upper
    return -change.mean, -change.upper, -change.lower


def shown_change(judged: JudgedOutcome) -> str:
    """A change and its bounds as text."""
    change, low, high = (number(judged.outcome, value) for value in after_minus_before(judged))
    return change if low == "–" else f"{change} ({low} to {high})"


def candidate_table(found: Recommendation) -> pd.DataFrame:
    """A row per candidate, and one for doing nothing, for reading."""
    rows = [
        {
            "network": candidate.network,
            "strategy": candidate.strategy,
            "slices": str(candidate.budget),
            "seeds": str(len(candidate.runs)),
            "Dice on the new scanner, before": number(
                candidate.gain.outcome, candidate.gain.outcome.before.mean(), False
            ),
            "change": shown_change(candidate.gain),
            "worse in": f"{len(candidate.losses)} of {len(candidate.decisive)}",
            "verdict": found.status_of(candidate),
            "why": why(found, candidate),
        }
        for candidate in found.candidates
    ]
    nothing = {"network": rows[0]["network"], "strategy": "do nothing", "slices": "0"}
    before = rows[0]["Dice on the new scanner, before"]
    nothing |= {"seeds": "–", "Dice on the new scanner, before": before, "change": "0"}
    nothing |= {"worse in": "0", "verdict": "–", "why": "the model as it is"}
    return pd.DataFrame([*rows, nothing])


def why(found: Recommendation, candidate: Candidate) -> str:
    """Why a candidate is rejected or undecided; empty where it is accepted."""
    if candidate in found.accepted:
        return ""
    names = candidate.runs[0].short_names
    reasons = [
        f"{one.outcome.name} on {names[one.outcome.scanner]} is worse: {shown_change(one)}"
        for one in candidate.losses
    ]
    if candidate.is_without_gain:
        margin = number(candidate.gain.outcome, candidate.gain.margin, False)
        gain = shown_change(candidate.gain)
        reasons.append(f"shown to gain less than {margin} on the new scanner: {gain}")
    every = len(candidate.decisive) + 1
    return "; ".join(
        reasons
        or [
            f"{'all scores' if len(scores) == every else listed(scores)}: {need}"
            for need, scores in candidate.unshown(found.alpha).items()
        ]
    )


def scanner_table(candidates: Sequence[Candidate], scanner: str) -> pd.DataFrame:
    """What every candidate changes on one scanner, for reading."""
    rows = []
    for candidate in candidates:
        for judged in candidate.outcomes:
            outcome = judged.outcome
            if outcome.scanner != scanner:
                continue
            before, after = (
                number(outcome, float(values.mean()), False)
                for values in (outcome.before, outcome.after)
            )
            rows.append({
                "candidate": candidate.title,
                "score": outcome.name,
                "patients": str(len(outcome.before)),
                "before": before,
                "after": after,
                "change": shown_change(judged),
                "margin": number(outcome, judged.margin, False),
                "verdict": judged.verdict,
                "what would decide": judged.need,
            })  # fmt: skip
    return pd.DataFrame(rows)


def cases_that_lost_most(candidate: Candidate, count: int = SHOWN_CASES) -> pd.DataFrame:
    """The test cases whose Dice fell most, the mean over seeds, the largest loss first.

    Losses that three decimals do not show are none.

    Columns scanner, patient, structure, before, after, change.
    """
    cases = pd.concat([run.cases.assign(seed=run.seed) for run in candidate.runs])
    cases = cases[(cases["true"] > 0) & cases["scanner"].isin(roles(candidate.runs[0]))]
    keys = ["scanner", "patient", "class", "stage"]
    dice = cases.groupby(keys, sort=False)["dice"].mean().unstack("stage")
    table = dice[[BEFORE, AFTER]].rename(columns={BEFORE: "before", AFTER: "after"}).reset_index()
    table["change"] = table["after"] - table["before"]
    table = table[table["change"] <= -0.0005].nsmallest(count, "change")
    table["scanner"] = table["scanner"].map(candidate.runs[0].short_names)
    return table.rename(columns={"class": "structure"}).reset_index(drop=True)
