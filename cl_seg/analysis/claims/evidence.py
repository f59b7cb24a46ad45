"""Evidence on a contrast: effect, interval, and the verdict on it alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.analysis.claims.claim import UNSEEN, Contrast
from cl_seg.analysis.claims.find_runs import RunFinder, RunsPerMethod
from cl_seg.analysis.intervals import (
    LEVEL,
    Groups,
    ci_half_width,
    jackknife_pseudo_values,
    patient_groups,
    projected_half_width,
    random_factor,
    same_design,
    simulated_coverage,
)
from cl_seg.analysis.tables import SCORES
from cl_seg.analysis.unlearned import describe_unlearned
from cl_seg.messages.errors import InputError
from cl_seg.records.damage import DamagedResults
from cl_seg.records.results import RunResult

SCORE_OF_CLAIM = {**SCORES, UNSEEN: SCORES["ACC"]}
"""Unseen Dice is the ACC of a run with the scanners held out in place of those learned."""
Values = npt.NDArray[np.float64]
Verdict = Literal["supported", "contradicted", "undecided", "not evaluable", "no result"]
MAX_SUGGESTED_SAMPLES = 1000
"""Seeds or patients beyond which "more" is no advice."""
ONE_PATIENT = "more test patients: a scanner or structure has but one, and there is no interval"


@dataclass(frozen=True)
class Evidence:
    """Evidence on a contrast, as far as the runs give any.

    Attributes:
        contrast: contrast it is on.
        verdict: verdict on this contrast alone.
        effect: difference of the means, a − b.
        ci_half_width: half the width of its 95 % interval for other patients and other seeds.
        coverage: share of such intervals that cover the truth, simulated with these variances.
        superiority: share of patients of whom a is better, seeds and orders averaged; ties count
            half.
        patients: number of test patients.
        seeds: number of random seeds, or of replicates.
        need: number of seeds or patients that would decide an undecided contrast.
        reason: reason for which there is no effect.
        repeats: ``seeds`` or ``replicates``.
    """

    contrast: Contrast
    verdict: Verdict
    effect: float = float("nan")
    ci_half_width: float = float("nan")
    coverage: float = float("nan")
    superiority: float = float("nan")
    patients: int = 0
    seeds: int = 0
    need: str = ""
    reason: str = ""
    repeats: str = "seeds"


def evidence_on(contrast: Contrast, finder: RunFinder, level: float) -> Evidence:
    """Evidence on a contrast; ``level`` is that at which it can be contradicted.

    Raises:
        DamagedResults: of other results that cannot be used the evidence says why.
    """
    try:
        sides = finder.find(contrast)
        methods = [runs for side in sides for runs in side]
        if unlearned := dict.fromkeys(filter(None, map(_unlearned, methods))):
            reason = f"not learned: {'; '.join(unlearned)}"
            return Evidence(contrast, "not evaluable", reason=reason)
        if contrast.score == UNSEEN:
            sides = _on_held_out(sides[0]), _on_held_out(sides[1])
        values = contrast_values(contrast, sides)
    except DamagedResults:
        raise
    except InputError as error:
        return Evidence(contrast, "no result", reason=str(error))
    patients, seeds = values.shape
    superiority, repeats = _superiority(contrast, sides), random_factor(methods[0])
    if not np.isfinite(values).all():
        return Evidence(
            contrast, "undecided", _effect(contrast, sides), superiority=superiority,
            patients=patients, seeds=seeds, need=ONE_PATIENT, repeats=repeats,
        )  # fmt: skip
    groups = patient_groups([run for side in sides for runs in side for run in runs])
    verdict = _verdict(values, contrast.margin, level, groups)
    return Evidence(
        contrast,
        verdict,
        effect=float(values.mean()),
        ci_half_width=ci_half_width(values, groups=groups),
        coverage=simulated_coverage(values, groups=groups),
        superiority=superiority,
        patients=patients,
        seeds=seeds,
        need=needed(values, contrast.margin, level, groups, repeats)
        if verdict == "undecided"
        else "",
        repeats=repeats,
    )


def _on_held_out(side: RunsPerMethod) -> RunsPerMethod:
    return [[run.on_held_out for run in runs] for runs in side]


def contrast_values(contrast: Contrast, sides: tuple[RunsPerMethod, RunsPerMethod]) -> Values:
    """Difference of the score, patient by patient and seed by seed, (patients, seeds).

    Args:
        contrast: contrast whose score is compared.
        sides: its runs, see :class:`cl_seg.analysis.claims.find_runs.RunFinder`.

    Raises:
        InputError: the sides cannot be compared.
    """
    methods = [runs for side in sides for runs in side]
    if not all(same_design(methods[0], runs) for runs in methods):
        raise InputError("the runs differ in patients, seeds or orders")
    score = SCORE_OF_CLAIM[contrast.score]
    a, b = (
        np.mean([jackknife_pseudo_values(runs, score) for runs in side], axis=0) for side in sides
    )
    values: Values = a - b
    if not values.size:
        raise InputError("not all seeds have all orders: let `cl-seg run` finish the suite")
    if not np.isfinite(_effect(contrast, sides)):
        raise InputError(f"{contrast.score} is not defined for these runs")
    return values


def _effect(contrast: Contrast, sides: tuple[RunsPerMethod, RunsPerMethod]) -> float:
    score = SCORE_OF_CLAIM[contrast.score]
    a, b = (np.mean([run.score(score) for runs in side for run in runs]) for side in sides)
    return float(a - b)


def _superiority(contrast: Contrast, sides: tuple[RunsPerMethod, RunsPerMethod]) -> float:
    """Share of patients of whom a is better, on the scanners each was seen on."""
    a, b = (
        pd.concat([_by_patient(contrast, run) for runs in side for run in runs])
        .groupby(level=0)
        .mean()
        for side in sides
    )
    gain = (a - b).dropna()
    return float((gain > 0).mean() + 0.5 * (gain == 0).mean())


def _by_patient(contrast: Contrast, run: RunResult) -> "pd.Series[float]":
    """The score of every patient alone."""
    every = run.main_cases
    last = int(every["stage"].max())
    chosen = (every["true"] > 0) & every["class"].isin(run.classes)
    cases = every[chosen & every["scanner"].isin(run.scanners)]
    dice = cases.groupby(["patient", "scanner", "stage"])["dice"].mean().unstack("stage")
    dice = dice.reindex(columns=range(last + 1))
    positions = [run.first_visits[name] for name in dice.index.get_level_values("scanner")]
    after = np.minimum(positions, last)
    learned = pd.Series(dice.to_numpy(float)[np.arange(len(dice)), after], index=dice.index)
    scores = {
        "ACC": dice[last],
        UNSEEN: dice[last],
        "plasticity": learned,
        "BWT": (dice[last] - learned)[np.array(positions) < last],
    }
    return scores[contrast.score].groupby("patient").mean()


def _verdict(values: Values, margin: float, level: float, groups: Groups) -> Verdict:
    effect = float(values.mean())
    if effect - ci_half_width(values, groups=groups) > margin:
        return "supported"
    return "contradicted" if effect + ci_half_width(values, level, groups) < margin else "undecided"


def needed(
    values: Values,
    margin: float = 0.0,
    level: float = LEVEL,
    groups: Groups | None = None,
    repeats: str = "seeds",
) -> str:
    """Number of seeds, or patients, that would decide if effect and spread stayed as they are.

    Args:
        values: (P, S).
        margin: bound that the effect is compared with.
        level: confidence level at which an effect below the bound contradicts; one above it
            supports at 95 %.
        groups: as for :func:`cl_seg.analysis.intervals.ci_half_width`.
        repeats: what the columns are, ``seeds`` or ``replicates``.
    """
    patients, seeds = values.shape
    if min(patients, seeds) < 2:
        return f"more {repeats} and patients: there is no interval yet"
    effect = float(values.mean()) - margin
    level = LEVEL if effect > 0 else level
    for what, have in ((repeats, seeds), ("patients", patients)):
        more = np.arange(have + 1, MAX_SUGGESTED_SAMPLES + 1)
        of_patients, of_seeds = (patients, more) if what == repeats else (more, seeds)
        widths = projected_half_width(values, of_patients, of_seeds, level, groups)
        if (widths < abs(effect)).any():
            return f"about {more[np.argmax(widths < abs(effect))]} {what} (now {have})"
    return f"an effect this small is not decided by more {repeats} or more patients alone"


def _unlearned(runs: Sequence[RunResult]) -> str:
    """Structures that one network did not learn; empty of a tool, which learns nothing."""
    unlearned = describe_unlearned(runs) if runs[0].record.spec.learned_dice else ""
    return f"{runs[0].network} {runs[0].strategy}: {unlearned}" if unlearned else ""
