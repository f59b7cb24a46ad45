"""Effects and intervals of the contrasts of claims."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cl_seg.analysis.claims.evidence import Evidence
from cl_seg.analysis.claims.judge import ClaimVerdict
from cl_seg.analysis.figures.style import STYLE, with_caveats

LOOKS = {
    "supported": ("#1b7f5c", "o", "full"),
    "contradicted": ("#b42318", "X", "full"),
    "undecided": ("#6b7280", "o", "none"),
}


def claims_figure(judged: Sequence[ClaimVerdict], caveats: Sequence[str]) -> Figure | None:
    """Effects and intervals of all contrasts, below each claim's name and verdict.

    None where no contrast could be judged.

    Args:
        judged: the claims.
        caveats: sentences that the figure must show.
    """
    shown = (
        found
        for claim_verdict in judged
        for found in (*claim_verdict.evidence, *claim_verdict.descriptive)
    )
    if not any(found.verdict in LOOKS for found in shown):
        return None
    with mpl.rc_context(STYLE):
        figure = _drawn(judged)
    return with_caveats(figure, caveats)


def _drawn(judged: Sequence[ClaimVerdict]) -> Figure:
    rows = sum(
        2 + len(claim_verdict.evidence) + len(claim_verdict.descriptive) for claim_verdict in judged
    )
    figure = Figure(figsize=(15, 0.8 + 0.25 * rows), layout="constrained")
    axes = figure.add_subplot()
    labels: list[tuple[float, str, bool]] = []
    y = 0.0
    for claim_verdict in judged:
        claim = claim_verdict.claim
        labels.append((y, f"{claim.name}, {claim_verdict.verdict}: {claim.says}", True))
        y += 1
        for label, contrasts in (
            ("{}", claim_verdict.evidence),
            ("({})", claim_verdict.descriptive),
        ):
            for found in contrasts:
                labels.append((y, label.format(found.contrast.in_words), False))
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
    """One contrast: its effect, interval, and a tick at the margin the claim asks for."""
    if found.verdict not in LOOKS:
        axes.text(0, y, f" {found.verdict}", va="center", fontsize=8, color="#6b7280")
        return
    colour, marker, fill = LOOKS[found.verdict]
    width = found.ci_half_width if np.isfinite(found.ci_half_width) else 0.0
    axes.errorbar(
        found.effect, y, xerr=width, fmt=marker, color=colour, fillstyle=fill, markersize=6
    )
    margin = found.contrast.margin
    axes.plot([margin, margin], [y - 0.4, y + 0.4], color="#1f2937", linewidth=1.2)
