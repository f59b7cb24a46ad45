"""Losses of pairs of scanners, where the streams of a suite are nothing but pairs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cl_seg.analysis.figures.loss_maps import pair_loss_maps
from cl_seg.analysis.pairs import pair_losses, pair_summary
from cl_seg.analysis.report.section import ReportData, Section

CAPTION = (
    "Dice points lost by every ordered pair of scanners, mean over seeds. All are differences from "
    "the Dice of the model trained on the scanner of the row, there. Transfer: its Dice on the "
    "scanner of the column. Joint: the Dice there of the model trained on all scanners together. "
    "Forgetting: its Dice on the scanner of the row after training on that of the column."
)


def losses(data: ReportData) -> Section:
    """Losses of every pair as a figure, and their medians in words."""
    table = pair_losses(data.results)
    return Section(
        "Pairs",
        figures={"pairs": (CAPTION, pair_loss_maps(data.results))},
        notes=[_in_words(row) for row in pair_summary(table).to_dict("records")],
        files={"pairs": table},
    )


def _in_words(row: Mapping[Any, Any]) -> str:
    text = (
        f"{row['model']} {row['strategy']}, {row['pairs']} pairs of scanners, {row['seeds']} "
        f"seeds: median Dice points lost on the unseen scanner {row['transfer']:.1f} "
        f"(quartiles {row['transfer quartiles']})"
    )
    if not pd.isna(row["joint"]):
        text += f", with joint training {row['joint']:.1f} ({row['joint quartiles']})"
    if not pd.isna(row["forgetting"]):
        text += f"; on the first by learning the second {row['forgetting']:.1f}"
        text += f" ({row['forgetting quartiles']})"
    return f"{text}."
