"""Which runs of a suite the user's words name, and their accuracy matrices."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.records.matrices import MEAN
from cl_seg.records.results import RunResult


def with_columns(run: RunResult, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a run with columns that say which run it is of: run, model, strategy, order, seed.

    ``order`` is the number of the order of scanners, from 1.
    """
    columns = {
        "run": run.run_id,
        "model": run.model,
        "strategy": run.strategy,
        "order": run.order_number,
        "seed": run.seed,
    }
    known = pd.DataFrame(columns, index=table.index)
    return pd.concat([known, table], axis=1)


def model_names(run: RunResult) -> tuple[str, str]:
    """Title and label of the network of a run."""
    return run.model, str(run.record.spec.model.label)


def strategy_names(run: RunResult) -> tuple[str, str]:
    """Title and label of the strategy of a run."""
    return run.strategy, str(run.record.spec.strategy.label)


def runs_of(
    runs: Sequence[RunResult], model: str, strategy: str, chosen_seed: int | None = None
) -> list[RunResult]:
    """The runs of a network and a strategy, named by title or label, in any case.

    Raises:
        InputError: there is none, naming those there are.
    """
    of_model = _named(runs, model, model_names, "network")
    found = _named(of_model, strategy, strategy_names, "strategy")
    if chosen_seed is None:
        return found
    seeds = sorted({run.seed for run in found})
    if chosen_seed not in seeds:
        raise InputError(f"seed {chosen_seed}: expected one of {', '.join(map(str, seeds))}")
    return [run for run in found if run.seed == chosen_seed]


def _named(
    runs: Sequence[RunResult],
    name: str,
    names_of: Callable[[RunResult], tuple[str, str]],
    what: str,
) -> list[RunResult]:
    wanted = name.casefold()
    if found := [run for run in runs if wanted in map(str.casefold, names_of(run))]:
        return found
    titles = list(dict.fromkeys(names_of(run)[0] for run in runs))
    raise InputError(f"{what} {name!r}: expected one of {', '.join(titles)}")


def mean_matrix(
    runs: Sequence[RunResult], order: int | None = None, class_name: str | None = None
) -> pd.DataFrame:
    """R of runs that differ in their seed, averaged; rows are stages, columns scanners.

    Args:
        runs: of one network and strategy.
        order: number of the order of scanners, from 1; the first there is by default.
        class_name: of one structure; all averaged by default.

    Raises:
        InputError: no such order or class.
    """
    numbers = sorted({run.order_number for run in runs})
    chosen = numbers[0] if order is None else order
    if chosen not in numbers:
        raise InputError(f"order {order}: expected one of {', '.join(map(str, numbers))}")
    same = [run for run in runs if run.order_number == chosen]
    first = same[0]
    if class_name is not None and class_name not in first.classes:
        raise InputError(f"class {class_name!r}: expected one of {', '.join(first.classes)}")
    values = np.mean([run.matrix(class_name or MEAN) for run in same], axis=0)
    scanners = [first.short_names[scanner] for scanner in first.order]
    learned = ["all scanners"] if len(values) == 2 and len(scanners) > 1 else scanners
    rows = ["untrained", *(f"after {name}" for name in learned)]
    return pd.DataFrame(values, rows, pd.Index(scanners, name="Dice on"))
