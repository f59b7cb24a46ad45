"""What an update changes for every test patient: Dice, and the error of the muscle's area."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import UpdateSpec

Role = Literal["old", "new", "held out"]
Values = npt.NDArray[np.float64]
BEFORE, AFTER = 1, 2
"""Stages of a run: the saved model, and the updated one."""
AREA_CLASS = "muscle"
"""The structure whose area is what body composition measures."""


@dataclass(frozen=True)
class Outcome:
    """One score on one scanner, before and after the update.

    Attributes:
        scanner, role: scanner, and what it is to the update.
        name: of the score, with its structure and unit.
        margin: loss that still counts as not worse; None where the score is only shown.
        more_is_better: False for errors.
        before, after: (P, S), a row per test patient and a column per seed.
    """

    scanner: str
    role: Role
    name: str
    margin: float | None
    more_is_better: bool
    before: Values
    after: Values

    @property
    def gain(self) -> Values:
        """(P, S): what every patient gains with every seed, positive where it is better."""
        change = self.after - self.before
        return change if self.more_is_better else -change


@dataclass(frozen=True)
class Score:
    """A column of per-case scores, see :class:`Outcome`."""

    name: str
    column: str
    structures: Sequence[str]
    margin: float | None
    more_is_better: bool = True


def update_of(run: RunResult) -> UpdateSpec:
    """The update that a run made.

    Raises:
        InputError: the run is of another suite.
    """
    if run.record.spec.update is None:
        raise InputError(f"{run.run_id} is no run of an update suite")
    return run.record.spec.update


def roles(run: RunResult) -> dict[str, Role]:
    """Scanner → its role: the new one, then the old ones, then those held out."""
    update = update_of(run)
    found: dict[str, Role] = {update.new: "new"}
    found |= dict.fromkeys(update.old, "old")
    return found | dict.fromkeys(update.held_out, "held out")


def scores_of(run: RunResult) -> list[Score]:
    """Scores with a margin, and the error of the area in cm², which has none."""
    margins = update_of(run).margins
    scores = [Score(f"Dice {name}", "dice", [name], margins.dice) for name in run.classes]
    if AREA_CLASS in run.classes:
        name = f"area error {AREA_CLASS}"
        scores += [
            Score(f"{name}, %", "error_percent", [AREA_CLASS], 100 * margins.area, False),
            Score(f"{name}, cm²", "error_cm2", [AREA_CLASS], None, False),
        ]
    return scores


def outcomes_of(runs: Sequence[RunResult]) -> list[Outcome]:
    """All outcomes of one candidate: every score on every scanner, where a case has the structure.

    A patient's value is the mean over its cases whose truth contains the structure.

    Args:
        runs: of the candidate, one per seed.

    Raises:
        InputError: a run is of another suite, runs have other test patients, or a scanner has none.
    """
    cases = pd.concat([_cases(run) for run in runs])
    if untested := [scanner for scanner in roles(runs[0]) if scanner not in set(cases["scanner"])]:
        raise InputError(f"{untested[0]} has no test case: a change there cannot be judged")
    outcomes = [
        _outcome(cases[cases["scanner"] == scanner], score, scanner, role)
        for scanner, role in roles(runs[0]).items()
        for score in scores_of(runs[0])
    ]
    return [outcome for outcome in outcomes if outcome.before.size]


def mean_dice(runs: Sequence[RunResult]) -> Outcome:
    """Dice on the new scanner, the mean over the structures that a patient has."""
    cases, update = pd.concat([_cases(run) for run in runs]), update_of(runs[0])
    score = Score("Dice, mean of structures", "dice", runs[0].classes, update.margins.dice)
    return _outcome(cases[cases["scanner"] == update.new], score, update.new, "new")


def _cases(run: RunResult) -> pd.DataFrame:
    """Cases whose truth contains the structure, with absolute errors of area and the seed."""
    cases = run.cases
    cases = cases[(cases["true"] > 0) & cases["stage"].isin([BEFORE, AFTER])]
    return cases.assign(
        seed=run.seed,
        error_percent=cases["area_error_percent"].abs(),
        error_cm2=cases["area_error_cm2"].abs(),
    )


def _outcome(cases: pd.DataFrame, score: Score, scanner: str, role: Role) -> Outcome:
    own = cases[cases["class"].isin(score.structures)]
    keys = ["patient", "stage", "seed"]
    values = own.groupby([*keys, "class"])[score.column].mean().groupby(keys).mean()
    moments = pd.MultiIndex.from_product([(BEFORE, AFTER), sorted(cases["seed"].unique())])
    table = values.unstack(["stage", "seed"]).reindex(columns=moments)
    if table.isna().to_numpy().any():
        raise InputError(
            f"{score.name} on {scanner}: runs differ in their test patients: let `cl-seg run` "
            "finish the suite"
        )
    before, after = (table[stage].to_numpy(float) for stage in (BEFORE, AFTER))
    return Outcome(scanner, role, score.name, score.margin, score.more_is_better, before, after)
