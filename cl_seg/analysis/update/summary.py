"""Dice on every scanner before and after the update of a saved model."""

from collections.abc import Sequence

import pandas as pd

from cl_seg.analysis.update.outcomes import roles, update_of
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult

COLUMNS = ["model", "strategy", "slices", "scanner", "is", "before", "after"]


def refuse_updates(results: Sequence[RunResult]) -> None:
    """Refuse runs of an update where scores of a stream of scanners are asked for.

    Raises:
        InputError: naming the first of them.
    """
    for run in results:
        if run.record.spec.update is not None:
            raise InputError(
                f"{run.run_id} is of an update, not of a stream of scanners: read update.html"
            )


def update_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """A row per candidate and scanner: mean Dice of all seeds, before and after.

    Columns are network, strategy, number of labelled slices, scanner, what it is to the update
    (new, old or held out), and mean Dice over classes and test patients.
    """
    rows = [row for run in results for row in _rows(run)]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "change"])
    same = [name for name in COLUMNS if name not in {"before", "after"}]
    return table.groupby(same, sort=False, as_index=False).mean()


def _rows(run: RunResult) -> list[list[object]]:
    role, names = roles(run), run.short_names
    scores = list(zip(run.order, run.matrix()[1], run.matrix()[2], strict=True))
    if run.held_out:
        _, before, after = run.on_held_out.matrix()
        scores += zip(run.held_out, before, after, strict=True)
    candidate = [run.network, run.strategy, update_of(run).budget]
    return [
        [*candidate, names[name], role[name], before, after, after - before]
        for name, before, after in scores
    ]
