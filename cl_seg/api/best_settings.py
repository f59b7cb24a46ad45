"""The best settings of a grid, chosen by validation scores."""

from pathlib import Path

from cl_seg.analysis.hyperparameter_choice import (
    best_settings_page,
    best_settings_table,
    chosen_lines,
)
from cl_seg.api.stores import AnyPath
from cl_seg.files.write import write_text
from cl_seg.records.load import load_results
from cl_seg.strategies.registry import STRATEGIES


def write_best_settings(results: AnyPath) -> tuple[str, Path]:
    """Choose settings on two scanners, and write ``selection.csv`` and ``selection.md``.

    Args:
        results: folder of a suite with grids.

    Returns:
        The choice in words, and the path of the page with the whole grid.
    """
    defaults = {
        name: {key: field.default for key, field in strategy.settings.model_fields.items()}
        for name, strategy in STRATEGIES.items()
    }
    folder = Path(results)
    table = best_settings_table(load_results(folder), defaults)
    write_text(folder / "selection.csv", table.to_csv(index=False))
    write_text(folder / "selection.md", best_settings_page(table))
    return chosen_lines(table).rstrip(), folder / "selection.md"
