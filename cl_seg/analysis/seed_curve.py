"""SEED curves: Dice on a new scanner against the number of slices labelled there."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cl_seg.analysis.intervals import difference_with_half_width, interval_half_width
from cl_seg.analysis.tables import rounded
from cl_seg.messages.errors import InputError
from cl_seg.metrics.continual import Matrix, Positions
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import SeedImagesSpec
from cl_seg.records.tables import InMemoryTables

FEW_SEED_IMAGES, MANY_SEED_IMAGES = 10, 40
"""The study's claim: FEW_SEED_IMAGES by transfer reach what MANY_SEED_IMAGES do from scratch."""
EQUIVALENCE_MARGIN = 0.01
"""Dice by which transfer may be below scratch and still reach it (our choice)."""
SeedConfiguration = tuple[str, str, str, int]


def seed_curve_runs(results: Sequence[RunResult]) -> dict[SeedConfiguration, list[RunResult]]:
    """Runs by network, strategy, choice of slices and count, as seen on the new scanner."""
    found: dict[SeedConfiguration, list[RunResult]] = {}
    for result in runs_on_new_scanner(results):
        found.setdefault(_configuration(result), []).append(result)
    return found


def runs_on_new_scanner(results: Sequence[RunResult]) -> list[RunResult]:
    """The runs with the new scanner alone, so that transfer and scratch can be compared.

    A curve from a saved model has one more run per seed, before the others: that of no SEED image,
    the model as it is, which depends on neither seed, strategy nor choice of slices.
    """
    found, begun = [], set()
    for result in results:
        curve = (*_configuration(result)[:3], result.seed)
        if result.record.spec.parent is not None and curve not in begun:
            begun.add(curve)
            found.append(_as_single_scanner_run(_before_training(result)))
        found.append(_as_single_scanner_run(result))
    return found


def _configuration(result: RunResult) -> SeedConfiguration:
    images = seed_images_of(result)
    return result.network, result.strategy, images.by, images.count


def seed_images_of(result: RunResult) -> SeedImagesSpec:
    """The slices labelled of the new scanner.

    Raises:
        InputError: the run is none of a seed curve.
    """
    if result.record.spec.seed_images is None:
        raise InputError(f"{result.run_id} is no run of a seed curve (no seed_images)")
    return result.record.spec.seed_images


def _before_training(result: RunResult) -> RunResult:
    """What a run from a saved model was before its last stage, as a run with no SEED image."""
    record, cases = result.record, result.cases
    images = seed_images_of(result).model_copy(update={"count": 0})
    changes = {
        "spec": record.spec.model_copy(update={"seed_images": images}),
        "R": {name: rows[:-1] for name, rows in record.R.items()},
        "stages": record.stages[:-1],
    }
    tables = InMemoryTables(cases[cases["stage"] < cases["stage"].max()])
    return replace(result, record=record.model_copy(update=changes), tables=tables)


def _as_single_scanner_run(result: RunResult) -> RunResult:
    target, cases = result.order[-1], result.cases
    column = {name: tuple(row[-1:] for row in rows) for name, rows in result.record.R.items()}
    record = result.record.with_scores(column, order=(target,))
    tables = InMemoryTables(cases[cases["scanner"] == target], result.curve)
    return replace(result, record=record, tables=tables)


def dice_at_end(r: Matrix, learned: Positions) -> float:
    """Dice on the new scanner after the last stage."""
    return float(r[-1, -1])


def seed_curve_table(by_configuration: dict[SeedConfiguration, list[RunResult]]) -> pd.DataFrame:
    """One row per network, strategy, choice of slices and their count, 0 of a saved model as it is.

    Columns model, strategy, start, by, images, seeds, ``Dice`` and ``Dice ±``, ``Dice`` and ``±``
    of every class, ``left to draw`` and ``to correct`` (cm² per slice).
    """
    rows = []
    for (model, strategy, by, images), runs in by_configuration.items():
        row: dict[str, object] = {
            "model": model,
            "strategy": strategy,
            "start": _start(runs),
            "by": by,
            "images": images,
            "seeds": len(runs),
            "Dice": float(np.mean([run.score(dice_at_end) for run in runs])),
            "Dice ±": interval_half_width(runs, dice_at_end),
        }
        for name in runs[0].classes:
            row[f"Dice {name}"] = float(np.mean([run.score(dice_at_end, name) for run in runs]))
            row[f"Dice {name} ±"] = interval_half_width(
                [run.of_class(name) for run in runs], dice_at_end
            )
        rows.append(row | _effort(runs))
    return pd.DataFrame(rows)


def _effort(runs: Sequence[RunResult]) -> dict[str, float]:
    last = pd.concat([run.last_cases for run in runs])
    contour = last["contour_mm"].sum()
    return {
        "left to draw": last["added_path_mm"].sum() / contour if contour else np.nan,
        "to correct": last.groupby("class")["to_correct_cm2"].mean().sum(),
    }


def shown_seed_curve_table(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The table rounded for reading."""
    shown = table[["model", "strategy", "by", "images", "seeds"]].copy()
    for name in ("Dice", *(f"Dice {name}" for name in classes)):
        pairs = zip(table[name], table[f"{name} ±"], strict=True)
        shown[name] = [rounded(value, half_width=half_width) for value, half_width in pairs]
    shown["left to draw"] = table["left to draw"].map("{:.0%}".format)
    shown["to correct, cm²"] = table["to correct"].map("{:.1f}".format)
    return shown


def verdicts(by_configuration: dict[SeedConfiguration, list[RunResult]]) -> list[str]:
    """Sentences on whether few SEED images by transfer reach what many do from scratch.

    For every network, strategy and choice of slices: the largest count of at most 10 by transfer
    against the smallest of at least 40 from scratch, paired by patient and seed. It is reached
    where the whole interval of the difference lies above −0.01 Dice, not reached where it lies
    below, else undecided.
    """
    sentences = []
    starts = {key: _start(runs) for key, runs in by_configuration.items()}
    scratch = [key for key, start in starts.items() if start == "scratch"]
    transfer = [key for key, start in starts.items() if start == "transfer"]
    for model, strategy, by in dict.fromkeys(key[:3] for key in transfer):
        few = [key for key in transfer if key[:3] == (model, strategy, by)]
        few = [key for key in few if _images(key) <= FEW_SEED_IMAGES]
        # A strategy has no part in training from scratch.
        many = [key for key in scratch if (key[0], key[2]) == (model, by)]
        many = [key for key in many if _images(key) >= MANY_SEED_IMAGES]
        if not few or not many:
            continue
        most, fewest = max(few, key=_images), min(reversed(many), key=_images)
        gain, half_width = difference_with_half_width(
            by_configuration[most], by_configuration[fewest], dice_at_end
        )
        sentences.append(
            f"{model}, {strategy}, slices chosen by {by}: {_images(most)} SEED images by transfer "
            f"against {_images(fewest)} from scratch, difference {rounded(gain, True, half_width)} "
            f"Dice: {_verdict(gain, half_width)}."
        )
    return sentences


def _images(configuration: SeedConfiguration) -> int:
    return configuration[3]


def _verdict(gain: float, half_width: float) -> str:
    if np.isnan(half_width):
        return "no interval, no verdict"
    if gain - half_width >= -EQUIVALENCE_MARGIN:
        return "reached"
    return "not reached" if gain + half_width < -EQUIVALENCE_MARGIN else "undecided"


def _start(runs: Sequence[RunResult]) -> str:
    return seed_images_of(runs[0]).start
