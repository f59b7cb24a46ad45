"""One finished run: its record, its tables, and what follows from both."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.metrics.continual import Matrix, Positions, Score
from cl_seg.metrics.returns import Return, first_visits, returns_of
from cl_seg.records.matrices import leave_one_patient_out_dice
from cl_seg.records.record import RunRecord
from cl_seg.records.tables import (
    Examples,
    InMemoryTables,
    RenamedTables,
    StoredTables,
    no_curve,
)


def plain_name(display_name: str) -> str:
    """What makes a scanner what it is: its display name up to kernel, brackets and settings.

    >>> plain_name("Stress old sharp kernel 140 kV (simulated)")
    'Old sharp kernel'
    """
    head = re.split(r"[,(·]", display_name)[0].strip()
    plain = re.sub(r"(\s[\d.]+ (kV|mm))+$", "", head)
    stressed = plain.removeprefix("Stress ")
    return plain if plain == stressed else stressed[:1].upper() + stressed[1:]


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    Attributes:
        record: all that is known of it besides its tables.
        tables: per-case scores, validation curve and pictures.
        names: scanner → display name, for all results it was loaded with; its own where empty.
        trained_on: order of the scanners it was trained on, where those of R are others.
        positions_of: stream whose positions are its scanners, see :mod:`cl_seg.analysis.positions`.
    """

    record: RunRecord
    tables: StoredTables | InMemoryTables | RenamedTables
    names: dict[str, str] = field(default_factory=dict)
    trained_on: tuple[str, ...] = ()
    positions_of: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """Its name, unique in the suite."""
        return self.record.run_id

    @property
    def order(self) -> list[str]:
        """Scanners in stream order, an entry per visit."""
        return list(self.record.spec.order)

    @property
    def by_months(self) -> bool:
        """True where its experiences are months: no scanner is learned at a moment of its own."""
        return self.training_regime == "months"

    @property
    def visits(self) -> list[tuple[str, ...]]:
        """The scanners of each part of the stream: one that is new or back, or those of a month."""
        return list(self.record.spec.months) or [(scanner,) for scanner in self.order]

    @cached_property
    def first_visits(self) -> dict[str, int]:
        """Scanner, a column of R each → position, from 1, of the first experience on it.

        An updated model learned all scanners but the last before the update. One that no experience
        trains on has the position after the last, and so have all where experiences are months.
        """
        if self.by_months:
            return dict.fromkeys(self.scanners, len(self.record.R["mean"]))
        if self.record.spec.update and not self.trained_on:
            return dict.fromkeys(self.order, 1) | {self.order[-1]: 2}
        visits, never = first_visits(self.trained_on or self.order), len(self.record.R["mean"])
        return {scanner: visits.get(scanner, never) for scanner in self.scanners}

    @property
    def scanners(self) -> list[str]:
        """Scanners in the order of their first visits: the columns of R."""
        return list(dict.fromkeys(self.order))

    @property
    def returns(self) -> list[Return]:
        """Experiences on scanners that the stream had trained on before."""
        return returns_of(self.order)

    @property
    def classes(self) -> list[str]:
        """Names of the foreground classes."""
        return list(self.record.spec.classes)

    @property
    def seed(self) -> int:
        """Random seed of the run."""
        return self.record.spec.seed

    @property
    def replicate(self) -> int:
        """Number of its replicate, which is its seed too; 0 in a suite of orders and seeds."""
        return self.record.spec.replicate

    @property
    def order_and_seed(self) -> tuple[tuple[str, ...], int]:
        """Order and seed of training, by which runs of other networks and strategies are paired.

        The order of a stream by months is that of its months.
        """
        months = tuple(" + ".join(group) for group in self.record.spec.months)
        order = self.positions_of or self.trained_on or self.record.spec.order
        return months or order, self.seed

    @property
    def network(self) -> str:
        """Title of the network, ``model`` in records and tables."""
        return self.record.model

    @property
    def strategy(self) -> str:
        """Title of the strategy."""
        return self.record.strategy

    @property
    def is_joint(self) -> bool:
        """True for a run of one stage on all scanners."""
        return self.record.is_joint

    @property
    def training_regime(self) -> str:
        """Scanners that a stage trains on, ``schedule`` of the record.

        ``sequential`` the next one, ``cumulative`` all so far, ``joint`` all at once, ``single``
        one with a network of its own, ``months`` those of a month (or of all so far),
        ``seed_curve`` the base scanners, then SEED images, or these alone from a saved model,
        ``update`` a new scanner, from a saved model.
        """
        return self.record.schedule

    @property
    def validation_matches_test(self) -> bool:
        """False where test scores use what the strategy keeps and validation scores do not."""
        return not self.record.scores_with_memory

    @property
    def restarts_each_experience(self) -> bool:
        """True where each stage trains from scratch on all scanners seen so far."""
        settings = self.record.spec.strategy.settings
        return self.training_regime == "cumulative" and bool(settings.get("restart"))

    @property
    def short_names(self) -> dict[str, str]:
        """Scanner → its :func:`plain_name`, if that is unique; else its display name.

        Of all scanners of the results it was loaded with, so that its runs name them alike.
        """
        full = self.names or self.record.scanner_names
        short = {scanner: plain_name(name) for scanner, name in full.items()}
        return short if len({*short.values(), ""}) > len(short) else full

    @property
    def caveats(self) -> list[str]:
        """Sentences that every table and figure of this run must show."""
        caveats = []
        if self.record.data.kind == "simulated":
            caveats.append("simulated scanners and bodies, no patient data")
        if self.record.spec.split.by == "within_case":
            caveats.append("split within cases, not a generalisation result")
        return caveats

    def matrix(self, name: str = "mean") -> Matrix:
        """R of one class, or of their mean; (N+1, S), for joint training (2, S)."""
        return np.array(self.record.R[name], dtype=float)

    def after_learning(self, name: str = "mean") -> npt.NDArray[np.float64]:
        """(S,) Dice on every scanner right after the first visit, the diagonal of R."""
        r = self.matrix(name)
        return r[np.minimum(self._learned, len(r) - 1), np.arange(r.shape[1])]

    def score(self, score: Score, name: str = "mean") -> float:
        """A score of R of one class, or of their mean."""
        return score(self.matrix(name), self._learned)

    def scores_without_each_patient(self, score: Score) -> npt.NDArray[np.float64]:
        """(patients,) a score of the cells R[j, j] and R[N, j] without each patient in turn."""
        return np.array([score(r, self._learned) for r in self.matrices_without_each_patient()])

    @cached_property
    def _learned(self) -> Positions:
        return np.array(list(self.first_visits.values()))

    def of_class(self, name: str) -> "RunResult":
        """The run with this class alone."""
        rows = self.record.R[name]
        record = self.record.with_scores({"mean": rows, name: rows}, classes=(name,))
        if self.held_out:
            unseen = self.record.R_held_out[name]
            record = record.model_copy(update={"R_held_out": {"mean": unseen, name: unseen}})
        return replace(self, record=record)

    @property
    def held_out(self) -> list[str]:
        """Scanners that it was tested on and never trained on."""
        return list(self.record.spec.held_out)

    @cached_property
    def on_held_out(self) -> "RunResult":
        """The run with the scanners that are held out in place of those of its order.

        Its R is (N+1, H), and ACC, the mean of the last row, the Dice on unseen scanners. Scores of
        what is learned have no meaning. It is paired with other runs as this one is.
        """
        record, cases = self.record, self.cases
        spec = record.spec.model_copy(update={"order": record.spec.held_out, "held_out": ()})
        changes = {"R": record.R_held_out, "R_held_out": {}, "spec": spec}
        return replace(
            self,
            record=record.model_copy(update=changes),
            tables=InMemoryTables(cases[cases["scanner"].isin(self.held_out)]),
            trained_on=self.record.spec.order,
        )

    @property
    def order_number(self) -> int:
        """Number of its order of scanners in the suite, from 1."""
        return self.record.order_number

    @property
    def stream(self) -> str:
        """Its scanners by name, in stream order, or how many months of which scanners."""
        names = [self.short_names[scanner] for scanner in self.order]
        months = len(self.record.spec.months)
        return f"{months} months of {', '.join(names)}" if months else " → ".join(names)

    @property
    def stage_names(self) -> list[str]:
        """Names of the parts of the stream: its scanners, an entry per visit, or its months."""
        months = range(1, len(self.record.spec.months) + 1)
        scanners = [self.short_names[scanner] for scanner in self.order]
        return [f"month {month}" for month in months] or scanners

    @property
    def learned_dice(self) -> dict[str, float]:
        """Class → Dice from which it counts as learned, ``learned_dice`` of the suite."""
        return {name: self.record.spec.learned_dice.get(name, 0.0) for name in self.classes}

    def unlearned(self) -> list[tuple[str, str, float]]:
        """Scanner, class and Dice right after learning, where that is below ``learned_dice``.

        After the only stage of joint training; none of a stream by months, where nobody can tell
        what was not learned from what was forgotten. A scanner on which the strategy takes no step
        is not meant to be learned. NaN for a class that no test case has.
        """
        if self.by_months:
            return []
        first_steps: dict[str, int] = {}
        for stage in self.record.stages:
            first_steps.setdefault(stage.selection, stage.steps)
        unlearned = []
        for name, bound in self.learned_dice.items():
            unlearned += [
                (scanner, name, float(value))
                for scanner, value in zip(self.scanners, self.after_learning(name), strict=True)
                if not value >= bound and first_steps.get(scanner) != 0
            ]
        return unlearned

    def unlearned_text(self) -> list[str]:
        """:meth:`unlearned` as text, one for each scanner and class."""
        return [
            f"{self.short_names[s]} {name} {'no test case' if np.isnan(dice) else f'{dice:.2f}'}"
            for s, name, dice in self.unlearned()
        ]

    @property
    def cases(self) -> pd.DataFrame:
        """Per-case scores after every stage, read anew each time from the files of a run."""
        return self.tables.cases

    @cached_property
    def main_cases(self) -> pd.DataFrame:
        """Per-case scores on every scanner right after learning it and after the last stage.

        ACC, BWT and plasticity are made of them; of a long stream they are a small part of all.
        """
        cases = self.cases
        stage = cases["stage"]
        chosen = (stage == stage.max()) | (stage == cases["scanner"].map(self.first_visits))
        if self.held_out:
            chosen &= ~cases["scanner"].isin(self.held_out)
        main: pd.DataFrame = cases[chosen]
        return main

    @cached_property
    def last_cases(self) -> pd.DataFrame:
        """Per-case scores after the last stage."""
        cases = self.main_cases
        last: pd.DataFrame = cases[cases["stage"] == cases["stage"].max()]
        return last

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Test patients, in alphabetical order."""
        return tuple(sorted(map(str, self.last_cases["patient"].unique())))

    @cached_property
    def scored_mask(self) -> npt.NDArray[np.bool_]:
        """(patients, scanners × structures): True where the patient was scored on that pair."""
        cases = self.last_cases
        cases = cases[(cases["true"] > 0) & cases["scanner"].isin(self.scanners)]
        patients = pd.Categorical(cases["patient"].astype(str), categories=self.patients)
        scanners = pd.Categorical(cases["scanner"], categories=self.scanners)
        structures = pd.Categorical(cases["class"], categories=self.classes)
        shape = (len(self.patients), len(self.scanners), len(self.classes) + 1)
        seen = np.zeros(shape, bool)
        seen[patients.codes, scanners.codes, structures.codes] = True  # others' code is −1
        return seen[..., :-1].reshape(len(seen), -1)

    def matrices_without_each_patient(self) -> Iterator[Matrix]:
        """R without each of the patients in turn: R[j, j] and R[N, j] alone, NaN elsewhere.

        It is the same array every time, with other values: all of them would be cubic in N.
        """
        dice = leave_one_patient_out_dice(self.main_cases, self.first_visits, self.classes)
        last = int(self.last_cases["stage"].iloc[0])
        columns = np.arange(len(self.scanners))
        r = np.full((last + 1, len(columns)), np.nan)
        for learned, at_end in dice:
            r[np.minimum(self._learned, last), columns] = learned
            r[last] = at_end
            yield r

    @property
    def curve(self) -> pd.DataFrame:
        """Validation Dice while training; no rows where nothing was validated."""
        return self.tables.curve if self.record.spec.training.curve_every else no_curve()

    @cached_property
    def validation(self) -> pd.DataFrame:
        """Validation Dice while training, classes averaged: rows (stage, step), columns scanners.

        Scanners are in the order of their first visits; one that was not scored is left out.
        """
        dice = self.curve.groupby(["stage", "step", "scanner"])["dice"].mean().unstack("scanner")
        return dice.reindex(columns=[s for s in self.scanners if s in dice.columns])

    @cached_property
    def pseudo_value_cache(self) -> dict[Score, npt.NDArray[np.float64]]:
        """Score → jackknife pseudo-values, kept by :mod:`cl_seg.analysis.intervals`."""
        return {}

    @property
    def examples(self) -> Examples:
        """Slices to look at, as :mod:`cl_seg.suite.write_record` describes them; none if packed."""
        return self.tables.examples
