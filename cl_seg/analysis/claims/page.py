"""claims.html: every claim with its verdict, effects and intervals."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pandas as pd

from cl_seg.analysis.claims.judge import ClaimVerdict, results_of
from cl_seg.analysis.claims.text import (
    as_json,
    caveats_of_runs,
    claims_page,
    claims_table,
    repeats_of,
)
from cl_seg.analysis.figures.claims import claims_figure
from cl_seg.analysis.figures.style import as_svg
from cl_seg.analysis.report.page import Page, html
from cl_seg.analysis.report.provenance import data_origin, provenance, settings_of
from cl_seg.analysis.report.section import Section
from cl_seg.files.write import write_text
from cl_seg.messages.plural import counted

CAPTION = (
    "Every contrast of every claim: the difference of the two sides and its 95 % interval for "
    "other patients and other {repeats}. The tick is what the claim asks for. Filled: supported, "
    "cross: contradicted, open: undecided; a row without a mark could not be judged."
)
DEFINITIONS = {
    "supported": "the whole interval of every contrast lies above what the claim asks for",
    "contradicted": "an interval lies below it, at a level divided by the number of contrasts; one "
    "such contrast is enough",
    "undecided": "neither; the last column says what would decide if the effect stayed",
    "not evaluable": "on a scanner a network was below `learned_dice` of its suite right after "
    "learning it, in joint training at the end: what it forgot says nothing, and its ACC is that "
    "of a training that failed",
    "no result": "the suite has not been run, or its runs cannot be compared",
    "covers": "how often intervals like this one cover the truth in a simulation with as many "
    "patients and seeds that vary as these do",
    "better in": "share of patients of whom a is better, half for ties",
    "descriptive": "in brackets: shown with the claim, without a say in its verdict",
}


def write_claims(judged: Sequence[ClaimVerdict], folder: Path) -> Path:
    """Write ``claims.html``, with ``claims.md`` and ``claims.json``, to a folder.

    And ``claims.svg``, where a contrast could be judged.

    Args:
        judged: the claims.
        folder: folder that holds a folder of results per suite.

    Returns:
        Path of the page.
    """
    suites = results_of(judged, folder)
    runs = list(chain.from_iterable(suites.values()))
    caveats = caveats_of_runs(runs)
    sections = [Section("Verdicts", table=_verdicts(judged), definitions=DEFINITIONS)]
    sections.append(Section("Runs", notes=[f"{text[0].upper()}{text[1:]}." for text in caveats]))
    svg = {}
    every = [one for claim in judged for one in (*claim.evidence, *claim.descriptive)]
    figure = claims_figure(judged, caveats)
    if figure is not None:
        caption = CAPTION.format(repeats=repeats_of(every))
        sections.append(Section("Effects", figures={"claims": (caption, figure)}))
        svg["claims"] = as_svg(figure)
    sections += [
        Section(
            f"{claim_verdict.claim.name}: {claim_verdict.claim.says}",
            table=claims_table(claim_verdict),
        )
        for claim_verdict in judged
    ]
    page = Page(
        title="Claims",
        data_origin=data_origin(runs) if runs else "no results",
        subtitle=f"{counted(len(judged), 'claim')} · {counted(len(runs), 'run')} of "
        f"{counted(len(suites), 'suite')}",
        sections=sections,
        svg=svg,
        provenance=provenance(runs, "cl-seg claims --report") if runs else {},
        settings="\n".join(f"# {name}\n{settings_of(own)}" for name, own in suites.items()),
    )
    if svg:
        write_text(folder / "claims.svg", svg["claims"])
    else:
        (folder / "claims.svg").unlink(missing_ok=True)
    write_text(folder / "claims.md", claims_page(judged, caveats))
    write_text(folder / "claims.json", json.dumps(as_json(judged), indent=1) + "\n")
    write_text(folder / "claims.html", html(page))
    return folder / "claims.html"


def _verdicts(judged: Sequence[ClaimVerdict]) -> pd.DataFrame:
    return pd.DataFrame({
        "claim": [claim_verdict.claim.name for claim_verdict in judged],
        "says": [claim_verdict.claim.says for claim_verdict in judged],
        "source": [claim_verdict.claim.source for claim_verdict in judged],
        "verdict": [claim_verdict.verdict for claim_verdict in judged],
    })  # fmt: skip
