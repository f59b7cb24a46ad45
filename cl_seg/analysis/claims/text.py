"""Judged claims as text: Markdown to read, JSON for machines."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.analysis.claims.evidence import Evidence
from cl_seg.analysis.claims.judge import ClaimVerdict
from cl_seg.analysis.tables import markdown, rounded
from cl_seg.records.results import RunResult


def caveats_of_runs(runs: Sequence[RunResult]) -> list[str]:
    """Sentences that whatever is made from some runs must show."""
    return list(dict.fromkeys(caveat for run in runs for caveat in run.caveats))


def claims_page(judged: Sequence[ClaimVerdict], caveats: Sequence[str] = ()) -> str:
    """Every claim with its verdict and the table of its contrasts, as Markdown below caveats."""
    parts = [f"*{caveat}*\n" for caveat in caveats]
    for claim_verdict in judged:
        parts.append(
            f"## {claim_verdict.claim.name}: {claim_verdict.verdict}\n\n{claim_verdict.claim.says}"
        )
        parts.append(f"({claim_verdict.claim.source})\n\n{markdown(claims_table(claim_verdict))}")
    return "\n".join(parts)


def claims_table(claim_verdict: ClaimVerdict) -> pd.DataFrame:
    """A row per contrast of a claim, for reading; in brackets the descriptive ones."""
    every = [*claim_verdict.evidence, *claim_verdict.descriptive]
    sizes = f"patients × {repeats_of(every)}"
    rows = [_row(evidence, evidence.verdict, sizes) for evidence in claim_verdict.evidence]
    rows += [
        _row(evidence, f"({evidence.verdict})", sizes) for evidence in claim_verdict.descriptive
    ]
    return pd.DataFrame(rows)


def repeats_of(evidence: Sequence[Evidence]) -> str:
    """What the runs behind some evidence repeat: seeds, replicates, or both."""
    return " or ".join(dict.fromkeys(one.repeats for one in evidence if one.seeds)) or "seeds"


def _row(evidence: Evidence, verdict: str, sizes: str) -> dict[str, str]:
    share = "–" if np.isnan(evidence.superiority) else f"{evidence.superiority:.0%}"
    return {
        "contrast": str(evidence.contrast),
        "verdict": verdict,
        "effect": rounded(evidence.effect, True, evidence.ci_half_width),
        "covers": "–" if np.isnan(evidence.coverage) else f"{evidence.coverage:.0%}",
        "better in": share,
        sizes: f"{evidence.patients} × {evidence.seeds}" if evidence.seeds else "–",
        "what would decide": evidence.need or evidence.reason,
    }


def as_json(judged: Sequence[ClaimVerdict]) -> list[dict[str, Any]]:
    """Everything, with None for NaN."""
    return [
        {
            "claim": claim_verdict.claim.name,
            "says": claim_verdict.claim.says,
            "source": claim_verdict.claim.source,
            "verdict": claim_verdict.verdict,
            "contrasts": [_plain(evidence) for evidence in claim_verdict.evidence],
            "descriptive": [_plain(evidence) for evidence in claim_verdict.descriptive],
        }
        for claim_verdict in judged
    ]


def _plain(evidence: Evidence) -> dict[str, Any]:
    values = {field.name: getattr(evidence, field.name) for field in fields(evidence)}
    plain = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in values.items()}
    if plain["repeats"] == "seeds":  # as in files from before there were replicates
        del plain["repeats"]
    return {**plain, "contrast": evidence.contrast.model_dump()}
