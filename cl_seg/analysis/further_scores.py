"""Scores beyond ACC and BWT: other scanners, weakest cases, contours, areas, and what is kept."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.metrics.body_composition import area_bias_percent
from cl_seg.metrics.burden import kept_share, replayed_share
from cl_seg.metrics.continual import extended_fwt, rma, unseen_dice, worst_scanner
from cl_seg.metrics.spread import case_percentiles
from cl_seg.records.record import RunRecord
from cl_seg.records.results import RunResult

Diagonal = npt.NDArray[np.float64]
OF_R = ("E-FWT", "RMA", "worst_scanner", "unseen_before", "unseen_after", "worst_with_unseen")
OF_CASES = ("dice_p5", "dice_p25", "dice_median", "surface_dice_3mm")
FURTHER_SCORES = (*OF_R, *OF_CASES)
AREA_BIAS = "area_bias_percent"
NAMES = {
    "worst_scanner": "worst scanner",
    "unseen_before": "unseen, before",
    "unseen_after": "unseen, after",
    "worst_with_unseen": "worst, unseen too",
    "dice_p5": "Dice, 5th percentile",
    "dice_p25": "25th",
    "dice_median": "median",
    "surface_dice_3mm": "surface Dice, 3 mm",
}


def further_scores(run: RunResult, last: pd.DataFrame, alone: Diagonal | None) -> dict[str, float]:
    """Score → value; NaN where it is not defined or an older file lacks the column it needs.

    Args:
        run: the run.
        last: its cases after the last stage.
        alone: (S,) Dice on every scanner of a network trained on it alone, in the order of R.
    """
    return {
        **dict.fromkeys(OF_R, np.nan),
        **_of_matrices(run, alone),
        **_of_cases(last[last["true"] > 0], run.classes),
        **_burden(run.record),
    }


def _of_matrices(run: RunResult, alone: Diagonal | None) -> dict[str, float]:
    regime, r, scores = run.training_regime, run.matrix(), {}
    if regime == "single":  # no network has learned more than one scanner
        return {}
    if regime in {"sequential", "cumulative"}:
        scores["E-FWT"] = run.score(extended_fwt)
        if alone is not None:
            scores["RMA"] = run.score(lambda r, learned: rma(r, alone, learned))
    scores["worst_scanner"] = worst_scanner(r)
    if run.held_out:
        unseen = run.on_held_out.matrix()
        before, scores["unseen_after"] = unseen_dice(unseen)
        scores["unseen_before"] = np.nan if run.is_joint else before
        scores["worst_with_unseen"] = worst_scanner(r, unseen)
    return scores


def _of_cases(present: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Scores of cases that have a class, of each class; averaged over classes but for areas."""
    of_class = [present[present["class"] == name] for name in classes]
    percentiles = np.mean([case_percentiles(own["dice"]) for own in of_class], axis=0)
    surface = [
        own["surface_dice_3mm"].mean() if "surface_dice_3mm" in own else np.nan for own in of_class
    ]
    return {
        **dict(zip(OF_CASES[:3], map(float, percentiles), strict=True)),
        "surface_dice_3mm": float(np.mean(surface)),
        **{
            f"{AREA_BIAS} {name}": area_bias_percent(own["predicted"], own["true"])
            for name, own in zip(classes, of_class, strict=True)
        },
    }


def _burden(record: RunRecord) -> dict[str, float]:
    stages = record.stages
    kept = max((stage.kept_bytes for stage in stages), default=0)
    counts = [
        [getattr(stage, name) for stage in stages]
        for name in ("steps", "new_slices", "replayed_slices")
    ]
    return {
        "kept_share": kept_share(kept, record.parameters or 0),
        "replayed_share": replayed_share(*(np.array(each, float) for each in counts)),
    }


def shown_other_scanners(summary: pd.DataFrame) -> pd.DataFrame:
    """Scores of R and of scanners held out, rounded for reading; those that no row has left out."""
    return _shown(summary, OF_R)


def shown_cases(summary: pd.DataFrame) -> pd.DataFrame:
    """Percentiles of cases, surface Dice and bias of areas, likewise."""
    biases = [name for name in summary.columns if name.startswith(AREA_BIAS)]
    return _shown(summary, [*OF_CASES, *biases])


def _shown(summary: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    shown = summary[["model", "strategy"]].copy()
    for column in columns:
        if summary[column].notna().any():
            half_widths = summary.get(f"{column} ±", pd.Series(np.nan, summary.index))
            show = _format_of(column)
            shown[_name_of(column)] = [
                "–" if np.isnan(value) else show(value) + ("" if np.isnan(h) else f" ± {h:.3f}")
                for value, h in zip(summary[column], half_widths, strict=True)
            ]
    return shown


def _name_of(column: str) -> str:
    return NAMES.get(column, column.replace(AREA_BIAS, "area bias %,"))


def _format_of(column: str) -> Callable[[float], str]:
    if column.startswith(AREA_BIAS):
        return "{:+.1f}".format
    return ("{:+.3f}" if column == "E-FWT" else "{:.3f}").format
