"""Judges claims: effect, interval and verdict of every contrast.

A claim is true of these runs as far as its interval says; nothing else is read into it. Several
contrasts of one claim must all hold for it to be supported, which needs no correction
(intersection–union test, Berger 1982); one that fails contradicts it, for which the level is
divided by their number (Bonferroni).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.analysis.claims.claim import Claim, Contrast
from cl_seg.analysis.claims.sides import Members, members_of, there_are
from cl_seg.analysis.intervals import (
    LEVEL,
    Groups,
    alike_patients,
    crossed_margin,
    paired_values,
    projected_margin,
    same_design,
    simulated_coverage,
)
from cl_seg.analysis.seed_curve import on_target
from cl_seg.analysis.tables import SCORES
from cl_seg.analysis.unlearned import describe_unlearned
from cl_seg.messages.errors import InputError
from cl_seg.records.damage import DamagedResults
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.records.tables import PACKED

Values = npt.NDArray[np.float64]
Verdict = Literal["supported", "contradicted", "undecided", "not evaluable", "no result"]
MOST = 1000  # seeds or patients beyond which "more" is no advice
FEW = "more test patients: a scanner or structure has but one, and there is no interval"


@dataclass(frozen=True)
class Evidence:
    """What the runs say of a contrast.

    Attributes:
        contrast: which.
        effect: difference of the means.
        margin: half the width of the 95 % interval for other patients and other seeds.
        coverage: how often such an interval covers the truth, simulated with these variances.
        superiority: share of patients of whom ours is better, seeds and orders averaged; ties
            count half.
        patients: how many.
        seeds: how many.
        verdict: of this contrast alone.
        need: what would decide an undecided one.
        reason: why there is none.
    """

    contrast: Contrast
    verdict: Verdict
    effect: float = float("nan")
    margin: float = float("nan")
    coverage: float = float("nan")
    superiority: float = float("nan")
    patients: int = 0
    seeds: int = 0
    need: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim and what the runs say of it."""

    claim: Claim
    verdict: Verdict
    evidence: list[Evidence]
    beside: list[Evidence]


def judge(claims: Sequence[Claim], folder: Path) -> list[Judged]:
    """Hold claims to the results of suites below a folder.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} does not exist: give a folder with a folder of results per suite"
        )
    if (folder / PACKED).is_file() or (folder / "runs").is_dir():
        raise InputError(f"{folder} is the results of one suite: give the folder that holds it")
    if not _suites(folder):
        raise InputError(f"{folder} holds no results of a suite: `cl-seg run` makes them")
    runs_of = suites_below(folder)
    judged = []
    for claim in claims:
        level = 1 - (1 - LEVEL) / len(claim.contrasts)
        evidence = [_evidence(contrast, folder, runs_of, level) for contrast in claim.contrasts]
        beside = [_evidence(contrast, folder, runs_of, LEVEL) for contrast in claim.beside]
        judged.append(Judged(claim, _verdict_of_all(evidence), evidence, beside))
    return judged


def suites_below(folder: Path) -> Callable[[str], list[RunResult]]:
    """What gives the runs of a suite by its name, those of a SEED curve as seen on its target."""

    @cache
    def runs_of(suite: str) -> list[RunResult]:
        _require_suite(suite, folder)
        runs = load_results(folder / suite)
        of_seeds = runs[0].schedule == "seed_curve"
        return [on_target(run) for run in runs] if of_seeds else runs

    return runs_of


def results_of(judged: Sequence[Judged], folder: Path) -> dict[str, list[RunResult]]:
    """Runs of every suite that the claims are about and that has any."""
    found: dict[str, list[RunResult]] = {}
    for one in judged:
        for evidence in (*one.evidence, *one.beside):
            with suppress(InputError):
                suite = evidence.contrast.suite
                found[suite] = found.get(suite) or load_results(folder / suite)
    return found


def _suites(folder: Path) -> list[str]:
    """Names of the suites whose results are below a folder."""
    there = sorted(path.parent.name for path in folder.glob(f"*/{PACKED}"))
    return there + sorted(path.parent.name for path in folder.glob("*/runs"))


def _require_suite(suite: str, folder: Path) -> None:
    there = _suites(folder)
    # Where there is nothing at all, reading it says what to do.
    if there and not (folder / suite).is_dir():
        raise InputError(f"no suite {suite}; {there_are(there)}")


def _verdict_of_all(evidence: Sequence[Evidence]) -> Verdict:
    each = [one.verdict for one in evidence]
    # What is contradicted stays so, whatever the other contrasts lack.
    for decisive in ("contradicted", "no result", "not evaluable"):
        if decisive in each:
            return decisive
    return "supported" if all(verdict == "supported" for verdict in each) else "undecided"


def _evidence(contrast: Contrast, folder: Path, runs_of: Any, level: float) -> Evidence:
    try:
        sides = members_of(contrast, folder, runs_of)
        every = [one for members in sides for one in members]
        if lost := dict.fromkeys(filter(None, map(_lost, every))):
            reason = f"not learned: {'; '.join(lost)}"
            return Evidence(contrast, "not evaluable", reason=reason)
        values = contrast_values(contrast, sides)
    except DamagedResults:
        raise
    except InputError as error:
        return Evidence(contrast, "no result", reason=str(error))
    superiority = _superiority(contrast, sides)
    if not np.isfinite(values).all():
        return Evidence(
            contrast, "undecided", _effect(contrast, sides), superiority=superiority,
            patients=len(values), seeds=values.shape[1], need=FEW,
        )  # fmt: skip
    return _judged(
        contrast, values, superiority, level, alike_patients([run for one in every for run in one])
    )


def contrast_values(contrast: Contrast, sides: tuple[Members, Members]) -> Values:
    """Difference of the score, patient by patient and seed by seed, (patients, seeds).

    Args:
        contrast: which.
        sides: of :func:`cl_seg.analysis.claims.sides.members_of`.

    Raises:
        InputError: the sides cannot be compared.
    """
    every = [one for members in sides for one in members]
    if not all(same_design(every[0], one) for one in every):
        raise InputError("the runs differ in patients, seeds or orders")
    score = SCORES[contrast.score]
    means = [np.mean([paired_values(one, score) for one in members], axis=0) for members in sides]
    values: Values = means[0] - means[1]
    if not values.size:
        raise InputError("not all seeds have all orders: let `cl-seg run` finish the suite")
    if not np.isfinite(_effect(contrast, sides)):
        raise InputError(f"{contrast.score} is not defined for these runs")
    return values


def _effect(contrast: Contrast, sides: tuple[Members, Members]) -> float:
    score = SCORES[contrast.score]
    ours, theirs = (
        np.mean([score(run.matrix()) for one in members for run in one]) for members in sides
    )
    return float(ours - theirs)


def _superiority(contrast: Contrast, sides: tuple[Members, Members]) -> float:
    """Share of patients of whom ours is better, on the scanners each was seen on."""
    means = [
        pd.concat([_of_patients(contrast, run) for one in members for run in one])
        .groupby(level=0)
        .mean()
        for members in sides
    ]
    gain = (means[0] - means[1]).dropna()
    return float((gain > 0).mean() + 0.5 * (gain == 0).mean())


def _of_patients(contrast: Contrast, run: RunResult) -> "pd.Series[float]":
    """The score of every patient alone."""
    chosen = (run.cases["true"] > 0) & run.cases["class"].isin(run.classes)
    cases = run.cases[chosen & run.cases["scanner"].isin(run.order)]
    dice = cases.groupby(["patient", "scanner", "stage"])["dice"].mean().unstack("stage")
    last = int(dice.columns.max())
    positions = [run.order.index(scanner) + 1 for scanner in dice.index.get_level_values("scanner")]
    after = np.minimum(positions, last)
    learned = pd.Series(dice.to_numpy(float)[np.arange(len(dice)), after], index=dice.index)
    scores = {
        "ACC": dice[last],
        "plasticity": learned,
        "BWT": (dice[last] - learned)[np.array(positions) < last],
    }
    return scores[contrast.score].groupby("patient").mean()


def _judged(
    contrast: Contrast, values: Values, superiority: float, level: float, alike: Groups
) -> Evidence:
    """What finite values say; ``level`` is that at which they contradict."""
    effect, margin = float(values.mean()), crossed_margin(values, alike=alike)
    patients, seeds = values.shape
    verdict: Verdict = "undecided"
    if effect - margin > contrast.at_least:
        verdict = "supported"
    elif effect + crossed_margin(values, level, alike) < contrast.at_least:
        verdict = "contradicted"
    need = needed(values, contrast.at_least, level, alike) if verdict == "undecided" else ""
    coverage = simulated_coverage(values, alike=alike)
    return Evidence(
        *(contrast, verdict, effect, margin, coverage, superiority, patients, seeds, need)
    )


def needed(
    values: Values, at_least: float = 0.0, level: float = LEVEL, alike: Groups | None = None
) -> str:
    """How many seeds, or patients, would decide if effect and spread stayed as they are.

    Args:
        values: (P, S).
        at_least: what the effect is held against.
        level: at which an effect that is smaller contradicts; one that is larger supports at 95 %.
        alike: as for :func:`cl_seg.analysis.intervals.crossed_margin`.
    """
    patients, seeds = values.shape
    if min(patients, seeds) < 2:
        return "more seeds and patients: there is no interval yet"
    effect = float(values.mean()) - at_least
    level = LEVEL if effect > 0 else level
    for what, have in (("seeds", seeds), ("patients", patients)):
        more = np.arange(have + 1, MOST + 1)
        of_patients, of_seeds = (patients, more) if what == "seeds" else (more, seeds)
        margins = projected_margin(values, of_patients, of_seeds, level, alike)
        if (margins < abs(effect)).any():
            return f"about {more[np.argmax(margins < abs(effect))]} {what} (now {have})"
    return "an effect this small is not decided by more seeds or more patients alone"


def _lost(runs: Sequence[RunResult]) -> str:
    """What a network of one side did not learn; empty of a tool, which learns nothing."""
    missed = describe_unlearned(runs) if runs[0].record.spec.learned_dice else ""
    return f"{runs[0].model} {runs[0].strategy}: {missed}" if missed else ""
