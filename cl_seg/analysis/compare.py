"""Comparison of two folders of results: differences of their specs and of their scores."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.analysis.intervals import difference_with_half_width, paired_runs
from cl_seg.analysis.seed_curve import seed_curve_runs
from cl_seg.analysis.tables import (
    SCORES,
    SIGNED,
    WITH_INTERVAL,
    is_defined,
    markdown,
    rounded,
    runs_by_configuration,
)
from cl_seg.analysis.update.summary import refuse_updates
from cl_seg.records.results import RunResult

PER_RUN = {
    *("order", "seed", "replicate", "model", "strategy", "learning_rate"),
    *("seed_images", "by", "start"),
}


def compare_specs(a: Sequence[RunResult], b: Sequence[RunResult]) -> pd.DataFrame:
    """Differences of spec, data, source and machine: columns field, a, b.

    Settings of networks, and of strategies on networks, are compared by their names in the suites,
    where both sides have them.
    """
    rows = []
    named = [{run.network for run in side} for side in (a, b)]
    by_a, by_b = runs_by_configuration(a), runs_by_configuration(b)
    both = [configuration for configuration in by_a if configuration in by_b]
    sides = [
        _strategy_settings({configuration: by[configuration] for configuration in both})
        | _described(side, named[0] & named[1])
        for side, by in ((a, by_a), (b, by_b))
    ]
    for field in dict.fromkeys([*sides[0], *sides[1]]):
        values = [side.get(field, "–") for side in sides]
        if values[0] != values[1]:
            rows.append({"field": field, "a": str(values[0]), "b": str(values[1])})
    return pd.DataFrame(rows, columns=["field", "a", "b"])


def compare_outcomes(a: Sequence[RunResult], b: Sequence[RunResult]) -> pd.DataFrame:
    """A row per network and strategy that both have, and score.

    Columns model, strategy, score, a, b, difference and ``±``. All are of the orders and seeds
    that both have, so that the difference is b − a; NaN where there are none. Its interval is for
    other patients and other seeds, NaN where patients differ or there is one seed.
    """
    by_a, by_b = _runs_by_configuration(a), _runs_by_configuration(b)
    rows = []
    for configuration in (configuration for configuration in by_a if configuration in by_b):
        in_a, in_b = by_a[configuration], by_b[configuration]
        regimes = {in_a[0].training_regime, in_b[0].training_regime}
        for name in WITH_INTERVAL if len(regimes) == 1 else ():
            if is_defined(name, in_a[0].training_regime):
                means = [_mean(name, side) for side in paired_runs(in_a, in_b)]
                rows.append(
                    (
                        *configuration,
                        name,
                        *means,
                        *difference_with_half_width(in_b, in_a, SCORES[name]),
                    )
                )
    columns = ["model", "strategy", "score", "a", "b", "difference", "±"]
    return pd.DataFrame(rows, columns=columns)


def _mean(score: str, runs: Sequence[RunResult]) -> float:
    return float(np.mean([run.score(SCORES[score]) for run in runs])) if runs else math.nan


def _runs_by_configuration(results: Sequence[RunResult]) -> dict[tuple[str, str], list[RunResult]]:
    """Runs by network and strategy; in a seed curve also by the slices that were labelled."""
    refuse_updates(results)
    if results[0].training_regime != "seed_curve":
        return runs_by_configuration(results)
    return {
        (model, f"{strategy}, {images} by {by}"): runs
        for (model, strategy, by, images), runs in seed_curve_runs(results).items()
    }


def unmatched_run_notes(a: Sequence[RunResult], b: Sequence[RunResult]) -> list[str]:
    """Lines on networks with strategies, orders, seeds and runs that one side alone has."""
    lines = []
    kinds = ("networks and strategies", "orders", "seeds")
    sides = [dict.fromkeys(_identity(run) for run in side) for side in (a, b)]
    values_of = [
        [dict.fromkeys(run[i] for run in side) for i in range(len(kinds))] for side in sides
    ]
    for i, kind in enumerate(kinds):
        for name, these, those in (
            ("a", values_of[0], values_of[1]),
            ("b", values_of[1], values_of[0]),
        ):
            if missing := [value for value in these[i] if value not in those[i]]:
                lines.append(f"{kind} in {name} alone: {', '.join(missing)}")
    for name, runs, other_runs, other_values in (
        ("a", sides[0], sides[1], values_of[1]),
        ("b", sides[1], sides[0], values_of[0]),
    ):
        lines += [
            f"run in {name} alone: {run[0]}, order {run[1]}, seed {run[2]}"
            for run in runs
            if run not in other_runs and all(run[i] in other_values[i] for i in range(len(kinds)))
        ]
    return lines


def _identity(run: RunResult) -> tuple[str, str, str]:
    """Network and strategy, order and seed."""
    return f"{run.network} {run.strategy}", " → ".join(map(" + ".join, run.visits)), str(run.seed)


def comparison_page(a: Sequence[RunResult], b: Sequence[RunResult]) -> str:
    """The whole comparison as Markdown."""
    specs, outcomes = compare_specs(a, b), compare_outcomes(a, b)
    caveats = dict.fromkeys(caveat for run in (*a, *b) for caveat in run.caveats)
    parts = [f"*{caveat}*\n" for caveat in caveats]
    parts += ["## What was asked", markdown(specs) if len(specs) else "The same.\n"]
    if lines := unmatched_run_notes(a, b):
        parts.append("\n".join(f"- {line}" for line in lines) + "\n")
    parts.append("## What came out")
    parts.append(markdown(shown_outcomes(outcomes)) if len(outcomes) else "Nothing in common.\n")
    if outcomes["a"].isna().any():
        parts.append("Rows of dashes: not defined, or no order and seed in common.\n")
    if outcomes["±"].isna().any():
        parts.append(
            "Differences without ± carry no interval: fewer than two seeds, other patients, or a "
            "scanner or structure with one test patient.\n"
        )
    return "\n".join(parts)


def shown_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The outcomes rounded for reading."""
    signed = outcomes["score"].isin(SIGNED)
    shown = outcomes[["model", "strategy", "score"]].copy()
    for side in ("a", "b"):
        pairs = zip(outcomes[side], signed, strict=True)
        shown[side] = [rounded(value, is_signed) for value, is_signed in pairs]
    pairs = zip(outcomes["difference"], outcomes["±"], strict=True)
    shown["b − a"] = [rounded(value, True, half_width) for value, half_width in pairs]
    return shown


def _strategy_settings(by_configuration: dict[tuple[str, str], list[RunResult]]) -> dict[str, Any]:
    """Field → setting of a strategy, on each of its networks where these differ in it."""
    fields = {}
    for strategy in dict.fromkeys(strategy for _, strategy in by_configuration):
        settings_by_network = {
            network: _flat({strategy: runs[0].record.spec.strategy.settings})
            for (network, name), runs in by_configuration.items()
            if name == strategy
        }
        for field in dict.fromkeys(chain.from_iterable(settings_by_network.values())):
            values = {
                network: settings.get(field, "–")
                for network, settings in settings_by_network.items()
            }
            in_words = ", ".join(f"{value} on {network}" for network, value in values.items())
            alike = len(set(map(str, values.values()))) == 1
            fields[field] = next(iter(values.values())) if alike else in_words
    return fields


def _described(results: Sequence[RunResult], shared: set[str]) -> dict[str, Any]:
    """Field → value of the spec, data, source and machine of a side, without its strategies.

    All values of a field in which its runs differ; settings of ``shared`` networks only.
    """
    values_by_field: dict[str, list[Any]] = {}
    for run in results:
        record, spec = run.record, run.record.spec.as_suite_fields()
        network = {"learning_rate": spec.get("learning_rate"), **spec["model"]}
        fields = {
            **_flat({k: v for k, v in spec.items() if k not in PER_RUN}),
            **_flat({run.network: {k: v for k, v in network.items() if k != "label"}}),
            "data": record.data.content[:16],
            "processor": record.processor,
            "device": record.device,
            "commit": record.git_commit,
            **record.versions,
        }
        if run.network not in shared:
            fields = {k: v for k, v in fields.items() if not k.startswith(f"{run.network}.")}
        for field, value in fields.items():
            if value not in values_by_field.setdefault(field, []):
                values_by_field[field].append(value)
    return {
        field: values[0] if len(values) == 1 else ", ".join(sorted(map(str, values)))
        for field, values in values_by_field.items()
    }


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested fields as ``outer.inner``."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            fields |= _flat(value, f"{before}{name}.")
        else:
            fields[f"{before}{name}"] = value
    return fields
