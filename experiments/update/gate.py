"""Verdicts of the update gate against the truth of many patients and seeds.

A model of three realistic scanners (``base.yaml``) is updated with each stress scanner
(``SUITE``). The truth is the mean change over all test patients and all seeds. Gates with
fewer of both are then drawn from them, and their verdicts counted: *wrong* is "not worse" where the
truth is a loss larger than the margin, *power* "not worse" where nothing is lost.

Patients and seeds of a draw are part of those that the truth is made of, which makes errors look
rarer than they are; so the truth is also taken from those that were not drawn, whose own error
makes them look more frequent. The rate lies between the two::

    python experiments/update/gate.py --out results/reference/update/gate
    python experiments/update/gate.py --gains results/reference/update/gate/gains.parquet --out OUT
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cl_seg
from cl_seg.analysis.tables import markdown
from cl_seg.analysis.update.judge import change_of
from cl_seg.analysis.update.outcomes import Outcome, mean_dice, outcomes_of
from cl_seg.analysis.update.recommend import Candidate, JudgedOutcome, recommended_of
from cl_seg.files.write import new_folder
from cl_seg.records.results import RunResult

HERE = Path(__file__).parent
WORK = Path("data/gate")
OLD = ["siemens_like", "ge_like", "united_like"]
NEW = ["stress_sharp", "stress_quarter_dose", "stress_native", "stress_arterial", "stress_metal",
       "stress_off_centre"]  # fmt: skip
SUITE: dict[str, Any] = {
    "kind": "update",
    "name": "gate",
    "data": {
        "phantom": {
            "scanners": [*OLD, *NEW],
            "own_bodies": 34,
            "shared_bodies": 210,  # tested on every scanner
            "size": 256,  # 410 mm; a wider body is marked
        }
    },
    "split": {"by": "patient", "test": 0.86, "validation": 0.02},
    "old": OLD,
    "labelled": ["all"],
    "strategies": ["naive", "replay"],
    "seeds": list(range(12)),
    "training": {"steps": 300, "batch_size": 4},
}
"""One update, but for ``model`` and ``new``."""
PATIENTS, SEEDS, DRAWS = (14, 30, 60), (3, 5), 500
SIZE = ["seeds", "test patients"]
GATE = ["network", "new"]
CELL = ["strategy", "scanner", "role", "score", "margin"]
MEAN = "Dice, mean"
"""The score that must gain on the new scanner; it has no margin of its own."""


def main() -> None:
    """Compute what is missing, and write tables and gains to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--gains", type=Path, help="of an earlier computation: nothing is trained")
    parser.add_argument("--network", nargs="+", default=["unet", "vnet"])
    parser.add_argument("--seeds", type=int, help="fewer than those of ``SUITE``")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    if options.gains:
        gains = pd.read_parquet(options.gains)
    else:
        gains = pd.concat(
            [
                gains_of_update(network, new, options.seeds, options.workers)
                for network in options.network
                for new in NEW
            ]
        )
    write(options.out, gains, options.draws)


def base_model(network: str, workers: int | None) -> Path:
    """Folder of the network that learned the realistic scanners."""
    folder = WORK / f"base-{network}"
    if folder.exists():
        return folder
    results = cl_seg.run(HERE / "base.yaml", results=WORK / "base", workers=workers)
    record = next(run.record for run in results.runs if run.record.spec.model.name == network)
    results.save_model(record.model, record.strategy, folder)
    return folder


def gains_of_update(network: str, new: str, seeds: int | None, workers: int | None) -> pd.DataFrame:
    """What every test patient gains by each candidate with each seed, positive where better."""
    suite = {**SUITE, "model": str(base_model(network, workers)), "new": new}
    suite["seeds"] = suite["seeds"][:seeds]
    results = cl_seg.run(suite, results=WORK / f"{network}-{new}", workers=workers)
    tables = [gains_of_candidate(runs) for runs in by_strategy(results.runs)]
    return pd.concat(tables).assign(network=network, new=new)


def by_strategy(runs: list[RunResult]) -> list[list[RunResult]]:
    """Runs of each strategy."""
    names = dict.fromkeys(run.strategy for run in runs)
    return [[run for run in runs if run.strategy == name] for name in names]


def gains_of_candidate(runs: list[RunResult]) -> pd.DataFrame:
    """Gains in rows: scanner, role, score, margin, patient, seed, gain."""
    judged = [one for one in outcomes_of(runs) if one.margin is not None]
    rows = []
    for outcome, score in [*((one, one.name) for one in judged), (mean_dice(runs), MEAN)]:
        patients, seeds = outcome.gain.shape
        columns = {
            "patient": np.repeat(np.arange(patients), seeds),
            "seed": np.tile(np.arange(seeds), patients),
            "gain": outcome.gain.astype(np.float32).ravel(),
        }
        keys = {"scanner": outcome.scanner, "role": outcome.role, "score": score}
        rows.append(pd.DataFrame(columns).assign(**keys, margin=outcome.margin))
    table: pd.DataFrame = pd.concat(rows)
    return table.assign(strategy=runs[0].strategy)


@dataclass(frozen=True)
class Cell:
    """One score of one candidate on one scanner: gains of all patients (P, S) with all seeds."""

    strategy: str
    scanner: str
    role: str
    score: str
    margin: float
    gains: np.ndarray

    def judged(self, drawn: np.ndarray) -> JudgedOutcome:
        """The verdict on some of the gains."""
        role: Any = self.role
        outcome = Outcome(
            self.scanner, role, self.score, self.margin, True, np.zeros_like(drawn), drawn
        )
        return JudgedOutcome(outcome, change_of(drawn))


def cells_of(gains: pd.DataFrame) -> list[Cell]:
    """All cells of one gate."""
    cells = []
    key: Any
    for key, own in gains.groupby(CELL, sort=False):
        table = own.pivot(index="patient", columns="seed", values="gain").to_numpy(float)
        cells.append(Cell(**dict(zip(CELL, key, strict=True)), gains=table))
    return cells


def drawn_verdicts(gains: pd.DataFrame, draws: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Verdicts on every cell, and answers of the gate, of all draws of patients and seeds."""
    random = np.random.default_rng(0)
    verdicts, answers = [], []
    for gate, own in gains.groupby(GATE, sort=False):
        cells = cells_of(own)
        patients, seeds = cells[0].gains.shape
        names = dict(zip(GATE, gate, strict=True))
        for of_seeds, of_patients, _ in product(SEEDS, PATIENTS, range(draws)):
            rows, columns = random.permutation(patients), random.permutation(seeds)
            draw = {**names, "seeds": of_seeds, "test patients": of_patients}
            found = list(of_draw(cells, rows[:of_patients], columns[:of_seeds]))
            verdicts += [draw | row for row, _ in found]
            answers.append(draw | answer_of(found))
    return pd.DataFrame(verdicts), pd.DataFrame(answers)


def of_draw(
    cells: list[Cell], rows: np.ndarray, columns: np.ndarray
) -> Iterator[tuple[dict[str, Any], JudgedOutcome]]:
    """Verdict and truth of every cell."""
    for cell in cells:
        judged = cell.judged(cell.gains[np.ix_(rows, columns)])
        rest = np.delete(np.delete(cell.gains, rows, axis=0), columns, axis=1)
        row = {name: getattr(cell, name) for name in ("strategy", "scanner", "score", "margin")}
        row |= {"truth": cell.gains.mean(), "truth of the rest": rest.mean()}
        yield row | {"verdict": judged.verdict}, judged


def answer_of(found: list[tuple[dict[str, Any], JudgedOutcome]]) -> dict[str, Any]:
    """The answer of one gate, and whether it recommends what is truly worse somewhere."""
    candidates, harmful = [], {}
    for name in dict.fromkeys(row["strategy"] for row, _ in found):
        own = [(row, judged) for row, judged in found if row["strategy"] == name]
        decisive = [judged for row, judged in own if row["score"] != MEAN]
        gain = next(judged for row, judged in own if row["score"] == MEAN)
        candidates.append(Candidate("", name, 0, [], decisive, gain))
        harmful[name] = any(
            row["truth"] <= -row["margin"] for row, _ in own if row["score"] != MEAN
        )
    answer = recommended_of(candidates)
    wrong = answer.best is not None and harmful[answer.best.strategy]
    return {"answer": answer.status, "wrong": wrong, "all harmful": all(harmful.values())}


def write(out: Path, gains: pd.DataFrame, draws: int) -> None:
    """Write ``gate.md`` and ``gains.parquet``."""
    verdicts, answers = drawn_verdicts(gains, draws)
    cells = verdicts[verdicts["score"] != MEAN]
    seeds, patients = gains["seed"].nunique(), gains["patient"].nunique()
    lines = [
        "# Verdicts of the update gate against the truth",
        "",
        f"Made by `experiments/update/gate.py`: {patients} test patients and {seeds} seeds are the "
        f"truth; {draws} gates are drawn for each number of seeds and of test patients. Numbers of "
        "verdicts are percentages.",
        "",
        "## Verdicts on one score on one scanner",
        "",
        markdown(by_truth(cells)),
        "The cell that is most often wrong:",
        "",
        markdown(worst_cells(cells)),
        "## Answers of the gate",
        "",
        "*Wrong*: the recommended candidate loses more than a margin somewhere.",
        "",
        markdown(by_answer(answers)),
        "## What the updates change",
        "",
        "Means over the truth; *worst old* is the largest loss of a score on an old scanner, in "
        "margins.",
        "",
        markdown(truths(cells, verdicts)),
    ]
    with new_folder(out) as building:
        (building / "gate.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        gains.to_parquet(building / "gains.parquet", index=False, compression="zstd")


CLASSES = ["more lost than the margin", "less lost than the margin", "nothing lost"]


def loss_class(truth: pd.Series, margin: pd.Series) -> pd.Series:
    """What a true gain means for a verdict."""
    lost = np.select([truth <= -margin, truth < 0], CLASSES[:2], CLASSES[2])
    return pd.Series(lost, index=truth.index)


def by_truth(cells: pd.DataFrame) -> pd.DataFrame:
    """Shares of the three verdicts, for what is truly lost and for numbers of patients."""
    lost = loss_class(cells["truth"], cells["margin"])
    rest = loss_class(cells["truth of the rest"], cells["margin"])
    rows = []
    for (name, *size), own in cells.groupby([lost.rename("truth"), *SIZE]):
        same_size = (cells[SIZE] == size).all(axis=1)
        count = len(own.groupby([*GATE, "strategy", "scanner", "score"]))
        row = {"truth": name, "cells": str(count)} | dict(zip(SIZE, map(str, size), strict=True))
        row |= {verdict: share(own, verdict) for verdict in ("not worse", "undecided", "worse")}
        of_rest = cells[(rest == name) & same_size]
        rows.append(row | {"not worse, truth of the rest": share(of_rest, "not worse")})
    table = pd.DataFrame(rows)
    return table.sort_values("truth", key=lambda names: names.map(CLASSES.index), kind="stable")


def share(cells: pd.DataFrame, verdict: str) -> str:
    """Percentage of one verdict."""
    return f"{100 * (cells['verdict'] == verdict).mean():.1f}"


def worst_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """For each size of a gate the cell with a true loss that is most often "not worse"."""
    wrong = cells[cells["truth"] <= -cells["margin"]]
    keys = [*SIZE, *GATE, "strategy", "scanner", "score", "truth", "margin"]
    rates = wrong.groupby(keys)["verdict"].apply(lambda own: 100 * (own == "not worse").mean())
    table = rates.rename("not worse").reset_index()
    worst: pd.DataFrame = table.loc[table.groupby(SIZE)["not worse"].idxmax()]
    return worst.round({"truth": 4, "margin": 3, "not worse": 1})


def by_answer(answers: pd.DataFrame) -> pd.DataFrame:
    """Shares of the answers, where a candidate is truly nowhere worse and where none is."""
    rows = []
    for (harmful, *size), own in answers.groupby(["all harmful", *SIZE]):
        row = {"candidates": "all lose somewhere" if harmful else "one or both lose nowhere"}
        row |= {"gates": str(len(own.groupby(GATE)))} | dict(zip(SIZE, map(str, size), strict=True))
        for answer in ("recommended", "undecided", "not recommended"):
            row[answer] = f"{100 * (own['answer'] == answer).mean():.1f}"
        rows.append(row | {"wrong": f"{100 * own['wrong'].mean():.1f}"})
    return pd.DataFrame(rows)


def truths(cells: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row per network, new scanner and candidate."""
    keys = [*GATE, "strategy"]
    truth = cells.drop_duplicates([*keys, "scanner", "score"])
    new = truth["scanner"] == truth["new"]
    gain = verdicts[verdicts["score"] == MEAN].drop_duplicates(keys).set_index(keys)["truth"]
    in_margins = truth["truth"] / truth["margin"]
    old = in_margins[~new].groupby([truth[key] for key in keys])
    columns = {"gain in Dice on new": gain, "mean old": old.mean(), "worst old": old.min()}
    return pd.DataFrame(columns).round(3).reset_index()


if __name__ == "__main__":
    main()
