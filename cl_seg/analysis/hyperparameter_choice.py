"""Settings chosen by validation scores on the first two scanners of one stream."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import yaml

from cl_seg.analysis.tables import last_validation, last_validations, markdown
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import NetworkSpec

CONFIGURATION = ["network", "strategy"]
ChosenBy = Literal["validation", "test"]
MIN_GRID_VALUES = 3  # values from which a choice at an end of its grid is reported


def best_settings_table(
    results: Sequence[RunResult],
    defaults: Mapping[str, Mapping[str, Any]] = {},
    by: ChosenBy = "validation",
) -> pd.DataFrame:
    """One row per candidate: a network and strategy with settings and a learning rate.

    Columns network, strategy, learning_rate, ``settings`` (those that differ between the candidates
    of one network and strategy), ``fixed`` (those that do not, without defaults), ``seeds``,
    ``dice`` (mean over seeds of the Dice on the slices of both scanners after the last step),
    ``lowest`` and ``highest`` of the seeds, ``on`` a scanner (its part in ``dice``), ``chosen``
    (the first of the best), and ``edge`` (chosen at an end of its grid).

    Args:
        results: runs of a suite.
        defaults: strategy → settings that it has where a suite does not give them.
        by: slices that the Dice is of: ``validation``, or ``test`` of a suite whose test patients
            no other suite tests. Validation scores lack what some strategies do before scoring.

    Raises:
        InputError: not one order of at most two scanners, no validation curves, candidates with
            different seeds, or learning rates and settings at once.
    """
    _check_stream(results)
    runs = pd.DataFrame([_candidate(result, by) for result in results])
    has_rates = runs.groupby("architecture")["learning_rate"].transform("nunique") > 1
    if (has_rates & (runs.groupby("architecture")["settings_json"].transform("nunique") > 1)).any():
        raise InputError(
            "choose learning rates first, in a suite of one strategy without a grid, then the "
            "settings of strategies at the chosen rates"
        )
    runs["network"] = runs["architecture"].where(has_rates, runs["label"])
    rows = []
    for configuration, grid in runs.groupby(CONFIGURATION, sort=False):
        candidates = [c for _, c in grid.groupby(["learning_rate", "settings_json"], sort=False)]
        seeds = {tuple(sorted(c["seed"])) for c in candidates}
        if len(seeds) > 1:
            raise InputError(
                f"{' '.join(map(str, configuration))}: some settings have other seeds than others: "
                "run all of them"
            )
        differing = _differing([json.loads(c["settings_json"].iloc[0]) for c in candidates])
        default = defaults.get(str(configuration[1]), {}).items()
        for candidate in candidates:
            settings = json.loads(candidate["settings_json"].iloc[0])
            rows.append({
                **dict(zip(CONFIGURATION, configuration, strict=True)),
                "learning_rate": candidate["learning_rate"].iloc[0],
                "settings": {name: settings.get(name) for name in differing},
                "fixed": {
                    name: value
                    for name, value in settings.items()
                    if name not in differing and (name, value) not in default
                },
                "seeds": len(candidate),
                "dice": candidate["dice"].mean(),
                "lowest": candidate["dice"].min(),
                "highest": candidate["dice"].max(),
                **{name: candidate[name].mean() for name in _by_scanner(candidate)},
            })  # fmt: skip
    table = pd.DataFrame(rows)
    best = table.groupby(CONFIGURATION, sort=False)["dice"].idxmax()
    table["chosen"] = table.index.isin(best)
    table["edge"] = [_at_edge(row, table) for _, row in table.iterrows()]
    return table


def _check_stream(results: Sequence[RunResult]) -> None:
    orders = {tuple(result.order) for result in results}
    if len(orders) > 1 or len(results[0].order) > 2:
        raise InputError(
            "settings are chosen on one order of at most two scanners, the first ones of a stream: "
            f"this suite has {counted(len(orders), 'order')} of "
            f"{max(map(len, orders))} scanners"
        )


def _candidate(result: RunResult, by: ChosenBy) -> dict[str, Any]:
    spec = result.record.spec
    dice = _test_dice(result) if by == "test" else _validation_dice(result)
    return {
        "label": spec.model.label,
        "architecture": _architecture(spec.model),
        "strategy": spec.strategy.name,
        "learning_rate": spec.learning_rate,
        "settings_json": json.dumps(spec.strategy.settings, sort_keys=True),
        "seed": spec.seed,
        "dice": sum(dice.values()) / len(dice),
        **{f"on {name}": value for name, value in dice.items()},
    }


def _test_dice(result: RunResult) -> dict[str, float]:
    return dict(zip(result.scanners, map(float, result.matrix()[-1]), strict=True))


def _validation_dice(result: RunResult) -> dict[str, float]:
    if not result.validation_matches_test:
        raise InputError(
            f"{result.run_id}: settings of {result.record.spec.strategy.name} cannot be chosen "
            "by validation Dice, which lacks what it does before scoring: leave it out of this "
            "suite, or choose `--by test` on patients that no other suite tests"
        )
    if pd.isna(last_validation(result)):
        raise InputError(
            f"{result.run_id} has no validation curve: set `curve_every` under "
            "`training` and run the suite again"
        )
    dice = last_validations(result)
    return {str(scanner): float(value) for scanner, value in dice.items()}


def _by_scanner(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith("on ")]


def _architecture(model: NetworkSpec) -> str:
    """Name, preset, arguments and first weights of a network, not its label and learning rate."""
    arguments = json.dumps(model.arguments, sort_keys=True) if model.arguments else ""
    return " ".join(filter(None, [model.name, model.preset, arguments, model.load]))


def _differing(settings: list[dict[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for candidate in settings for name in candidate))
    return [
        name
        for name in names
        if len({json.dumps(candidate.get(name)) for candidate in settings}) > 1
    ]


def _at_edge(row: "pd.Series[Any]", table: pd.DataFrame) -> bool:
    candidates = table[(table[CONFIGURATION] == row[CONFIGURATION]).all(axis=1)]
    grids = [({"": rate} | settings) for rate, settings in zip(
        candidates["learning_rate"], candidates["settings"], strict=True)]  # fmt: skip
    for name, value in ({"": row["learning_rate"]} | row["settings"]).items():
        values = [grid[name] for grid in grids]
        numbers = sorted({v for v in values if isinstance(v, int | float)})
        if row["chosen"] and len(numbers) >= MIN_GRID_VALUES and value in (numbers[0], numbers[-1]):
            return True
    return False


def best_settings_page(table: pd.DataFrame, by: ChosenBy = "validation") -> str:
    """The grid with the chosen settings as Markdown, and the lines to copy into a suite."""
    shown = pd.DataFrame({
        "network": table["network"],
        "strategy": table["strategy"],
        "learning rate": [f"{rate:g}" for rate in table["learning_rate"]],
        "settings": [", ".join(f"{k} {v}" for k, v in s.items()) or "–" for s in table["settings"]],
        f"{by} Dice": [
            f"{row['dice']:.3f}"
            + f" ({row['lowest']:.3f} to {row['highest']:.3f})" * (row["seeds"] > 1)
            for _, row in table.iterrows()
        ],
        **{name: table[name].map("{:.3f}".format) for name in _by_scanner(table)},
        "": [
            ("chosen, at an end of its grid" if row["edge"] else "chosen") * row["chosen"]
            for _, row in table.iterrows()
        ],
    })  # fmt: skip
    return f"{markdown(shown)}\n```yaml\n{chosen_lines(table)}```\n"


def chosen_lines(table: pd.DataFrame) -> str:
    """The choice as lines of a suite: its ``strategies``, or learning rates as comments."""
    chosen = table[table["chosen"]]
    if table.groupby(CONFIGURATION)["learning_rate"].nunique().max() > 1:
        return "".join(
            f"# {row['network']}: learning_rate: {row['learning_rate']:g}\n"
            for _, row in chosen.iterrows()
        )
    strategies: list[Any] = []
    for name, rows in chosen.groupby("strategy", sort=False):
        settings_of = {
            row["network"]: settings
            for _, row in rows.iterrows()
            if (settings := row["fixed"] | row["settings"])
        }
        strategies.append({"name": name, "settings_of": settings_of} if settings_of else name)
    return yaml.safe_dump({"strategies": strategies}, sort_keys=False, default_flow_style=None)
