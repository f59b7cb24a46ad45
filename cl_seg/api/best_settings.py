"""The best settings of a grid."""

import json
from pathlib import Path
from typing import Any

from cl_seg.analysis.hyperparameter_choice import (
    ChosenBy,
    best_settings_page,
    best_settings_table,
    chosen_lines,
)
from cl_seg.api.stores import AnyPath
from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_text
from cl_seg.messages.errors import InputError
from cl_seg.records.load import PLAN, load_results
from cl_seg.strategies.registry import STRATEGIES


def write_best_settings(results: AnyPath, by: ChosenBy = "validation") -> tuple[str, Path]:
    """Choose settings on two scanners, and write ``selection.csv`` and ``selection.md``.

    Args:
        results: folder of a suite with grids.
        by: ``validation`` scores, or ``test`` scores of a suite whose data have
            ``pool: development``, which are of bodies that no other suite tests.

    Returns:
        The choice in words, and the path of the page with the whole grid.

    Raises:
        InputError: not a fair choice, or one by test scores of another suite.
    """
    defaults = {
        name: {key: _plain(field.default) for key, field in strategy.settings.model_fields.items()}
        for name, strategy in STRATEGIES.items()
    }
    folder = Path(results)
    if by == "test":
        _require_development_pool(folder)
    table = best_settings_table(load_results(folder), defaults, by)
    write_text(folder / "selection.csv", table.to_csv(index=False))
    write_text(folder / "selection.md", best_settings_page(table, by))
    return chosen_lines(table).rstrip(), folder / "selection.md"


def _plain(value: Any) -> Any:
    """A value as records have it."""
    return json.loads(json.dumps(value, default=str))


def _require_development_pool(folder: Path) -> None:
    try:
        pool = read_json(folder / PLAN)["suite"]["data"]["phantom"]["pool"]
    except (OSError, ValueError, KeyError, TypeError):
        pool = None
    if pool != "development":
        raise InputError(
            f"{folder}: --by test needs a suite with `pool: development` under `data.phantom` (its "
            f"{PLAN} says so), whose test bodies no other suite tests; on other data choose by "
            "validation scores"
        )
