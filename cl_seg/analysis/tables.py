"""Summary tables of a suite: one row per network and strategy."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.analysis.further_scores import FURTHER_SCORES, further_scores
from cl_seg.analysis.intervals import (
    difference_with_half_width,
    interval_half_width,
    jackknife_pseudo_values,
    patient_groups,
    simulated_coverage,
)
from cl_seg.analysis.returns import REGAINED, RELEARNING_STEPS, RETURN_SCORES, return_scores
from cl_seg.analysis.stability import stability_gap_of
from cl_seg.metrics.continual import (
    Score,
    acc,
    bwt,
    forgetting,
    fwt,
    intransigence,
    plasticity,
    relative_forgetting,
)
from cl_seg.records.record import StageRow
from cl_seg.records.results import RunResult

Diagonal = npt.NDArray[np.float64]
SCORES: dict[str, Score] = {
    "ACC": acc,
    "BWT": bwt,
    "FWT": fwt,
    "forgetting": forgetting,
    "relative forgetting": relative_forgetting,
    "plasticity": plasticity,
}
ONLY_DEFINED_SCORE = {
    **dict.fromkeys(("joint", "months", "seed_curve"), "ACC"),
    "single": "plasticity",
}
"""Training regime → the one score with a meaning where no network goes from scanner to scanner."""
WITH_INTERVAL = ("ACC", "BWT", "plasticity")
SIGNED = ("BWT", "FWT", REGAINED)
SHOWN_IF_KNOWN = (
    *("intransigence", "stability_gap", *RETURN_SCORES),
    *("false_positive_rate", "missed_rate"),
)
SLICES_OF_A_STEP = {"new_slices": "new slices a step", "replayed_slices": "replayed a step"}
NOT_EVALUABLE = "not evaluable"


def is_defined(score: str, regime: str) -> bool:
    """Whether a score has a meaning for runs of a training regime."""
    return ONLY_DEFINED_SCORE.get(regime, score) == score


def run_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """One row per run: its network, strategy, order and seed, scores, and whether it is evaluable.

    For joint training and streams by months only ACC is defined, for one network per scanner only
    plasticity.
    ``intransigence`` is measured against the cumulative runs from scratch of the same network,
    order and seed, where there are any. ``validation`` is the Dice on validation slices after the
    last step, by which settings are chosen. Scores of returns, see
    :func:`cl_seg.analysis.returns.return_scores`, are columns where a stream has any.
    ``missed_rate`` is the share of cases with the class
    in which nothing of it is found after the last stage (by the network of their scanner where
    each has its own), ``false_positive_rate`` the share of cases without it in which it is found,
    ``false_positive_cm2`` the mean area found there; NaN where there are no such cases. Further
    scores are those of :mod:`cl_seg.analysis.further_scores`, RMA relative to the runs of one
    network per scanner of the same network, order and seed, where there are any.
    """
    references = _diagonals([run for run in results if run.restarts_each_experience])
    alone = _diagonals([run for run in results if run.training_regime == "single"])
    keys = [(run.network, run.order_and_seed) for run in results]
    return pd.DataFrame([
        _run_row(run, references.get(key), alone.get(key))
        for run, key in zip(results, keys, strict=True)
    ])  # fmt: skip


def _diagonals(runs: Sequence[RunResult]) -> dict[tuple[object, ...], Diagonal]:
    """Dice right after learning each scanner, by network, order and seed."""
    return {(run.network, run.order_and_seed): run.after_learning() for run in runs}


def _run_row(
    result: RunResult, reference: Diagonal | None, alone: Diagonal | None
) -> dict[str, object]:
    scores = {
        name: result.score(score)
        for name, score in SCORES.items()
        if is_defined(name, result.training_regime)
    }
    if "ACC" in scores:
        scores |= {f"ACC {name}": result.score(acc, name) for name in result.classes}
    if reference is not None and result.training_regime in {"sequential", "cumulative"}:
        scores["intransigence"] = result.score(
            lambda r, learned: float(intransigence(r, reference, learned).mean())
        )
    unlearned = result.unlearned_text()
    last = _last_cases(result)
    absent = last[last["true"] == 0]
    return {
        "run": result.run_id,
        "model": result.network,
        "strategy": result.strategy,
        "order": " > ".join(result.positions_of or map(" + ".join, result.visits)),
        "seed": result.seed,
        **dict.fromkeys([*SCORES, *(f"ACC {name}" for name in result.classes)], np.nan),
        "intransigence": np.nan,
        "stability_gap": stability_gap_of(result),
        **scores,
        **return_scores(result),
        "validation": last_validation(result),
        "missed_rate": last.loc[last["true"] > 0, "missed"].mean(),
        "false_positive_rate": (absent["predicted"] > 0).mean() if len(absent) else np.nan,
        "false_positive_cm2": absent["false_positive_cm2"].mean() if len(absent) else np.nan,
        **further_scores(result, last, alone),
        "stamp": "; ".join(result.caveats),
        "learned": not unlearned,
        "not_learned": "; ".join(unlearned),
        **_cost(result.record.stages),
    }


def _last_cases(result: RunResult) -> pd.DataFrame:
    """Cases after the last stage; of a network per scanner those on the scanner of each."""
    if result.training_regime != "single":
        return result.last_cases
    cases = result.main_cases
    own_cases: pd.DataFrame = cases[cases["stage"] == cases["scanner"].map(result.first_visits)]
    return own_cases


def _cost(stages: Sequence[StageRow]) -> dict[str, float]:
    """Sums of steps and seconds over the stages; largest memory, and size of what is kept.

    Slices of a step are those of the last stage, where a memory takes part; older files lack them.
    """
    of_a_step = {name: getattr(one, name) for one in stages[-1:] for name in SLICES_OF_A_STEP}
    return {
        "steps": float(sum(stage.steps for stage in stages)),
        "train_seconds": float(sum(stage.train_seconds for stage in stages)),
        "consolidate_seconds": float(sum(stage.consolidate_seconds for stage in stages)),
        "peak_mb": max((stage.peak_bytes or 0 for stage in stages), default=0) / 1e6 or np.nan,
        "kept_slices": float(max((stage.kept_slices for stage in stages), default=0)),
        "kept_mb": max((stage.kept_bytes for stage in stages), default=0) / 1e6,
        **{name: float(count) for name, count in of_a_step.items() if count is not None},
    }


def last_validation(result: RunResult) -> float:
    """Mean validation Dice over scanners and classes after the last step.

    NaN without a curve, or where it lacks the strategy's part in scoring.
    """
    return (
        float(last_validations(result).mean()) if result.validation_matches_test else float("nan")
    )


def last_validations(result: RunResult) -> "pd.Series[float]":
    """Validation Dice after the last step, by scanner in stream order; empty without a curve."""
    dice = result.validation
    return dice.iloc[-1].dropna() if len(dice) else pd.Series(dtype=float)


def summary_table(runs: pd.DataFrame, results: Sequence[RunResult]) -> pd.DataFrame:
    """Mean over orders and seeds, one row per network and strategy, in the suite's order.

    ``ACC ±``, ``BWT ±`` and ``plasticity ±`` are half the widths of their 95 % intervals for other
    patients and other seeds, NaN with one seed; ``… coverage`` is how often such intervals cover
    the truth in a simulation with the same variances; ``unseen_after ±`` is that of the scanners
    held out. ``verdict`` is "not evaluable" when a run of
    the row did not learn one of its scanners; such a row must not be said to forget least.
    """
    numbers = [c for c in runs.columns if runs[c].dtype.kind == "f"]
    groups = runs.groupby(["model", "strategy"], sort=False)
    by_configuration = runs_by_configuration(results)
    summary = groups[numbers].mean().loc[list(by_configuration)]
    # A score that a run lacks is not that of the others: they may be of other scanners.
    partial = {*SCORES, *FURTHER_SCORES}
    scores = [c for c in numbers if c in partial or c.startswith("ACC ")]
    summary[scores] = summary[scores].where(groups[scores].count().eq(groups.size(), axis=0))
    if RELEARNING_STEPS in summary:  # of streams that return, all or none
        relearned, returned = (groups[name].count() for name in (RELEARNING_STEPS, REGAINED))
        summary[RELEARNING_STEPS] = summary[RELEARNING_STEPS].where(relearned == returned)
    summary.insert(0, "runs", groups.size())
    for name in WITH_INTERVAL:
        summary[f"{name} ±"] = [
            interval_half_width(runs_of, SCORES[name])
            if np.isfinite(summary[name][configuration])
            else np.nan
            for configuration, runs_of in by_configuration.items()
        ]
        summary[f"{name} coverage"] = [
            simulated_coverage(
                jackknife_pseudo_values(runs_of, SCORES[name]), groups=patient_groups(runs_of)
            )
            if np.isfinite(summary[f"{name} ±"][configuration])
            else np.nan
            for configuration, runs_of in by_configuration.items()
        ]
    summary["unseen_after ±"] = [
        interval_half_width([run.on_held_out for run in runs_of], acc)
        if np.isfinite(summary["unseen_after"][configuration])
        else np.nan
        for configuration, runs_of in by_configuration.items()
    ]
    summary["stamp"] = groups["stamp"].first()
    summary["verdict"] = np.where(groups["learned"].all(), "", NOT_EVALUABLE)
    return summary.reset_index()


def shown_table(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary rounded for reading, with dashes where a score is not defined.

    A score that no row has is left out, and so is ``verdict``.
    """
    columns = [c for c in summary.columns if c in SCORES or c.startswith("ACC ")]
    columns = [c for c in columns if not c.endswith(("±", "coverage"))]
    columns += [c for c in SHOWN_IF_KNOWN if c in summary]
    columns = [c for c in columns if summary[c].notna().any()]
    # The verdict stands where no narrow page cuts it off.
    verdict = ["verdict"] if summary["verdict"].any() else []
    shown = summary[["model", "strategy", *verdict, "runs", *columns]].copy()
    for column in columns:
        half_widths = summary.get(f"{column} ±", np.full(len(summary), np.nan))
        shown[column] = [
            rounded(value, column in SIGNED, half_width)
            if column != RELEARNING_STEPS
            else _whole(value)
            for value, half_width in zip(summary[column], half_widths, strict=True)
        ]
    return shown.rename(columns={c: c.replace("_", " ") for c in columns})


def _whole(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else "–"


def difference_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """Gains of every strategy over fine-tuning of the same network, order and seed.

    Columns model, strategy, and of ACC, BWT and plasticity the difference and ``±``; no rows
    without fine-tuning or without another strategy that goes from scanner to scanner.
    """
    by_configuration = runs_by_configuration(results)
    fine_tuned = {
        model: runs for (model, _), runs in by_configuration.items() if _is_naive(runs[0])
    }
    rows = []
    for (model, strategy), runs in by_configuration.items():
        if (
            model not in fine_tuned
            or _is_naive(runs[0])
            or runs[0].training_regime in {"joint", "single", "seed_curve"}
        ):
            continue
        row: dict[str, object] = {"model": model, "strategy": strategy}
        for name in WITH_INTERVAL:
            row[name], row[f"{name} ±"] = (
                difference_with_half_width(runs, fine_tuned[model], SCORES[name])
                if is_defined(name, runs[0].training_regime)
                else (np.nan, np.nan)
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _is_naive(run: RunResult) -> bool:
    return run.record.spec.strategy.name == "naive"


def shown_differences(differences: pd.DataFrame) -> pd.DataFrame:
    """The differences rounded for reading."""
    shown = differences[["model", "strategy"]].copy()
    for name in (score for score in WITH_INTERVAL if differences[score].notna().any()):
        pairs = zip(differences[name], differences[f"{name} ±"], strict=True)
        shown[name] = [rounded(value, True, half_width) for value, half_width in pairs]
    return shown


def shown_costs(summary: pd.DataFrame) -> pd.DataFrame:
    """Cost of a run of each row, rounded for reading."""
    after = summary["consolidate_seconds"]
    of_a_step = {
        shown: [_whole(v) for v in summary[name]]
        for name, shown in SLICES_OF_A_STEP.items()
        if name in summary
    }
    return pd.DataFrame({
        "model": summary["model"],
        "strategy": summary["strategy"],
        "steps": summary["steps"].map("{:.0f}".format),
        **of_a_step,
        "training s": summary["train_seconds"].map("{:.0f}".format),
        "after experiences s": after.map("{:.1f}".format),
        "peak MB": [_whole(v) for v in summary["peak_mb"]],
        "slices kept": summary["kept_slices"].map("{:.0f}".format),
        "MB kept": summary["kept_mb"].map("{:.1f}".format),
        "kept of network": _percent(summary["kept_share"]),
        "replayed": _percent(summary["replayed_share"]),
    })  # fmt: skip


def _percent(shares: "pd.Series[float]") -> list[str]:
    return [f"{share:.0%}" if np.isfinite(share) else "–" for share in shares]


def rounded(value: float, signed: bool = False, half_width: float = np.nan) -> str:
    """A score for reading, with the half width of its interval, where there is one."""
    if np.isnan(value):
        return "–"
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text if np.isnan(half_width) else f"{text} ± {half_width:.3f}"


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    rows = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).values.tolist()]
    return "\n".join("| " + " | ".join(map(_escaped, row)) + " |" for row in rows) + "\n"


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def runs_by_configuration(results: Sequence[RunResult]) -> dict[tuple[str, str], list[RunResult]]:
    """Runs by (network, strategy), in the suite's order."""
    found: dict[tuple[str, str], list[RunResult]] = {}
    for result in results:
        found.setdefault((result.network, result.strategy), []).append(result)
    return found
