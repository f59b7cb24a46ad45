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
    for one in judged:
        parts.append(f"## {one.claim.name}: {one.verdict}\n\n{one.claim.says}")
        parts.append(f"({one.claim.source})\n\n{markdown(claims_table(one))}")
    return "\n".join(parts)


def claims_table(one: ClaimVerdict) -> pd.DataFrame:
    """A row per contrast of a claim, for reading; in brackets the descriptive ones."""
    rows = [_row(found, found.verdict) for found in one.evidence]
    return pd.DataFrame(rows + [_row(found, f"({found.verdict})") for found in one.descriptive])


def _row(found: Evidence, verdict: str) -> dict[str, str]:
    share = "–" if np.isnan(found.superiority) else f"{found.superiority:.0%}"
    return {
        "contrast": str(found.contrast),
        "verdict": verdict,
        "effect": rounded(found.effect, True, found.ci_half_width),
        "covers": "–" if np.isnan(found.coverage) else f"{found.coverage:.0%}",
        "better in": share,
        "patients × seeds": f"{found.patients} × {found.seeds}" if found.seeds else "–",
        "what would decide": found.need or found.reason,
    }


def as_json(judged: Sequence[ClaimVerdict]) -> list[dict[str, Any]]:
    """Everything, with None for NaN."""
    return [
        {
            "claim": one.claim.name,
            "says": one.claim.says,
            "source": one.claim.source,
            "verdict": one.verdict,
            "contrasts": [_plain(found) for found in one.evidence],
            "descriptive": [_plain(found) for found in one.descriptive],
        }
        for one in judged
    ]


def _plain(found: Evidence) -> dict[str, Any]:
    values = {one.name: getattr(found, one.name) for one in fields(found)}
    plain = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in values.items()}
    return {**plain, "contrast": found.contrast.model_dump()}
