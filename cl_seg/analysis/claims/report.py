"""claims.html: every claim with its verdict, effects and intervals."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cl_seg.analysis.claims.claim import contrast_text
from cl_seg.analysis.claims.judge import Evidence, Judged, results_of
from cl_seg.analysis.claims.text import as_json, claims_page, claims_table, stamps_of
from cl_seg.analysis.figures.style import STYLE, as_svg, stamped
from cl_seg.analysis.report.page import Page, html
from cl_seg.analysis.report.provenance import data_kind, provenance, settings_of
from cl_seg.analysis.report.section import Section
from cl_seg.files.write import write_text
from cl_seg.messages.plural import counted

LOOKS = {
    "supported": ("#1b7f5c", "o", "full"),
    "contradicted": ("#b42318", "X", "full"),
    "undecided": ("#6b7280", "o", "none"),
}
CAPTION = (
    "Every contrast of every claim: the difference of the two sides and its 95 % interval for "
    "other patients and other seeds. The tick is what the claim asks for. Filled: supported, "
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
    "better in": "share of patients of whom our side is better, half for ties",
    "beside": "in brackets: shown with the claim, without a say in its verdict",
}


def write_claims(judged: Sequence[Judged], folder: Path) -> Path:
    """Write ``claims.html``, with ``claims.md`` and ``claims.json``, to a folder.

    And ``claims.svg``, where a contrast could be judged.

    Args:
        judged: the claims.
        folder: with a folder of results per suite.

    Returns:
        Path of the page.

    Raises:
        InputError: a run does not say where it comes from.
    """
    suites = results_of(judged, folder)
    runs = list(chain.from_iterable(suites.values()))
    stamps = stamps_of(runs)
    sections = [Section("Verdicts", table=_verdicts(judged), definitions=DEFINITIONS)]
    sections.append(Section("Runs", notes=[f"{stamp[0].upper()}{stamp[1:]}." for stamp in stamps]))
    svg = {}
    if _can_be_drawn(judged):
        figure = stamped(claims_figure(judged), stamps)
        sections.append(Section("Effects", figures={"claims": (CAPTION, figure)}))
        svg["claims"] = as_svg(figure)
    sections += [
        Section(f"{one.claim.name}: {one.claim.says}", table=claims_table(one)) for one in judged
    ]
    page = Page(
        title="Claims",
        data_kind=data_kind(runs) if runs else "no results",
        about=f"{counted(len(judged), 'claim')} · {counted(len(runs), 'run')} of "
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
    write_text(folder / "claims.md", claims_page(judged, stamps))
    write_text(folder / "claims.json", json.dumps(as_json(judged), indent=1) + "\n")
    write_text(folder / "claims.html", html(page))
    return folder / "claims.html"


def _can_be_drawn(judged: Sequence[Judged]) -> bool:
    every = (found for one in judged for found in (*one.evidence, *one.beside))
    return any(found.verdict in LOOKS for found in every)


def _verdicts(judged: Sequence[Judged]) -> pd.DataFrame:
    return pd.DataFrame({
        "claim": [one.claim.name for one in judged],
        "says": [one.claim.says for one in judged],
        "source": [one.claim.source for one in judged],
        "verdict": [one.verdict for one in judged],
    })  # fmt: skip


def claims_figure(judged: Sequence[Judged]) -> Figure:
    """Effects and intervals of all contrasts, below each claim's words and verdict."""
    with mpl.rc_context(STYLE):
        return _drawn(judged)


def _drawn(judged: Sequence[Judged]) -> Figure:
    rows = sum(2 + len(one.evidence) + len(one.beside) for one in judged)
    figure = Figure(figsize=(15, 0.8 + 0.25 * rows), layout="constrained")
    axes = figure.add_subplot()
    labels: list[tuple[float, str, bool]] = []
    y = 0.0
    for one in judged:
        labels.append((y, f"{one.claim.name}: {one.verdict}", True))
        y += 1
        for kind, every in (("", one.evidence), ("(beside) ", one.beside)):
            for found in every:
                labels.append((y, kind + contrast_text(found.contrast), False))
                _draw(axes, y, found)
                y += 1
        y += 0.6
    axes.axvline(0, color="#6b7280", linewidth=0.8)
    axes.set_ylim(y - 0.6, -0.8)
    axes.set_yticks([place for place, _, _ in labels], [text for _, text, _ in labels])
    for tick, (_, _, heading) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if heading else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e5e7eb", linewidth=0.8)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel("difference of the score (Dice in 0…1)")
    return figure


def _draw(axes: Axes, y: float, found: Evidence) -> None:
    """One contrast: its effect, interval, and a tick at what the claim asks for."""
    if found.verdict not in LOOKS:
        axes.text(0, y, f" {found.verdict}", va="center", fontsize=8, color="#6b7280")
        return
    colour, marker, fill = LOOKS[found.verdict]
    margin = found.margin if np.isfinite(found.margin) else 0.0
    axes.errorbar(
        found.effect, y, xerr=margin, fmt=marker, color=colour, fillstyle=fill, markersize=6
    )
    least = found.contrast.at_least
    axes.plot([least, least], [y - 0.4, y + 0.4], color="#1f2937", linewidth=1.2)
