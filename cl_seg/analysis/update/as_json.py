"""The answer of an update suite for machines."""

import math
from pathlib import Path
from typing import Any

from cl_seg.analysis.update.judge import ALPHA
from cl_seg.analysis.update.outcomes import update_of
from cl_seg.analysis.update.recommend import Candidate, JudgedOutcome, Recommendation
from cl_seg.analysis.update.sentences import answer, notes
from cl_seg.analysis.update.tables import after_minus_before, cases_that_lost_most, why

FORMAT = 1


def as_json(found: Recommendation, parent: Path | None = None) -> dict[str, Any]:
    """Everything the page says, with None for what is not known.

    Changes are after minus before, in the unit of the score.
    """
    run = found.candidates[0].runs[0]
    update, record = update_of(run), run.record
    return {
        "format": FORMAT,
        "recommendation": found.status,
        "candidate": found.best and found.best.title,
        "answer": answer(found),
        "notes": notes(found),
        "error_rate": ALPHA,
        "update": update.model_dump(mode="json", exclude={"budget", "by"}),
        "parent": {"folder": parent and str(parent), "sha256": update.parent or None},
        "scanners": record.scanner_names,
        "data": record.data.model_dump(mode="json"),
        "versions": record.versions,
        "git_commit": record.git_commit or None,
        "candidates": [_candidate(found, candidate) for candidate in found.candidates],
    }


def _candidate(found: Recommendation, candidate: Candidate) -> dict[str, Any]:
    run = candidate.runs[0]
    return {
        "candidate": candidate.title,
        "network": candidate.network,
        "strategy": run.record.spec.strategy.model_dump(mode="json"),
        "budget": candidate.budget,
        "by": update_of(run).by or None,
        "verdict": found.status_of(candidate),
        "why": why(found, candidate) or None,
        "runs": [
            {"run_id": one.run_id, "seed": one.seed, "states": list(one.record.states)}
            for one in candidate.runs
        ],
        "gain": _outcome(candidate.gain),
        "outcomes": [_outcome(one) for one in candidate.outcomes],
        "lost_most": cases_that_lost_most(candidate).to_dict("records"),
    }


def _outcome(judged: JudgedOutcome) -> dict[str, Any]:
    outcome = judged.outcome
    change, lower, upper = (
        None if math.isnan(value) else value for value in after_minus_before(judged)
    )
    return {
        "scanner": outcome.scanner,
        "role": outcome.role,
        "score": outcome.name,
        "patients": len(outcome.before),
        "before": float(outcome.before.mean()),
        "after": float(outcome.after.mean()),
        "change": change,
        "lower": lower,
        "upper": upper,
        "change_of_each_seed": (outcome.after - outcome.before).mean(axis=0).tolist(),
        "margin": outcome.margin,
        "verdict": None if outcome.margin is None else judged.verdict,
        "what_would_decide": judged.need or None,
    }
