"""Runs found by the names of their network and strategy, and their mean accuracy matrix."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cl_seg.analysis.positions import by_position
from cl_seg.messages.errors import InputError
from cl_seg.records.matrices import MEAN
from cl_seg.records.results import RunResult


def with_columns(run: RunResult, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a run with the columns run, model, strategy, order and seed before its own.

    ``order`` is the number of the order of scanners, from 1.
    """
    columns = {
        "run": run.run_id,
        "model": run.network,
        "strategy": run.strategy,
        "order": run.order_number,
        "seed": run.seed,
    }
    identity = pd.DataFrame(columns, index=table.index)
    return pd.concat([identity, table], axis=1)


def network_names(run: RunResult) -> tuple[str, str]:
    """Title and label of the network of a run."""
    return run.network, str(run.record.spec.model.label)


def strategy_names(run: RunResult) -> tuple[str, str]:
    """Title and label of the strategy of a run."""
    return run.strategy, str(run.record.spec.strategy.label)


def runs_of(
    runs: Sequence[RunResult], network: str, strategy: str, random_seed: int | None = None
) -> list[RunResult]:
    """The runs of a network and a strategy, named by title or label, in any case.

    Raises:
        InputError: there is none, naming those there are.
    """
    of_network = _named(runs, network, network_names, "network")
    of_both = _named(of_network, strategy, strategy_names, "strategy")
    if random_seed is None:
        return of_both
    seeds = sorted({run.seed for run in of_both})
    if random_seed not in seeds:
        raise InputError(f"seed {random_seed}: expected one of {', '.join(map(str, seeds))}")
    return [run for run in of_both if run.seed == random_seed]


def _named(
    runs: Sequence[RunResult],
    name: str,
    names_of: Callable[[RunResult], tuple[str, str]],
    what: str,
) -> list[RunResult]:
    folded = name.casefold()
    if named := [run for run in runs if folded in map(str.casefold, names_of(run))]:
        return named
    titles = list(dict.fromkeys(names_of(run)[0] for run in runs))
    raise InputError(f"{what} {name!r}: expected one of {', '.join(titles)}")


def mean_matrix(
    runs: Sequence[RunResult],
    order: int | None = None,
    class_name: str | None = None,
    held_out: bool = False,
) -> pd.DataFrame:
    """R of runs that differ in their seed, averaged; rows are stages, columns scanners.

    Replicates have streams of other scanners each: without one of them, columns are positions in
    the stream.

    Args:
        runs: runs of one network and strategy.
        order: number of the order of scanners, or of the replicate, from 1; the first order there
            is, or all replicates, by default.
        class_name: class of the masks; the mean over all by default.
        held_out: True for the scanners held out as columns.

    Raises:
        InputError: no such order or class, or no scanner is held out.
    """
    numbers = sorted({run.order_number for run in runs})
    chosen = numbers[0] if order is None else order
    if chosen not in numbers:
        raise InputError(f"order {order}: expected one of {', '.join(map(str, numbers))}")
    of_order = [run for run in runs if run.order_number == chosen]
    if order is None and runs[0].replicate:
        of_order = by_position(runs)
    first = of_order[0]
    if class_name is not None and class_name not in first.classes:
        raise InputError(f"class {class_name!r}: expected one of {', '.join(first.classes)}")
    if held_out and not first.held_out:
        raise InputError("no scanner is held out: name some as `held_out` in the suite")
    tested = [run.on_held_out if held_out else run for run in of_order]
    values = np.mean([run.matrix(class_name or MEAN) for run in tested], axis=0)
    is_joint = len(values) == 2 and len(first.scanners) > 1
    learned = ["all scanners"] if is_joint else first.stage_names
    rows = ["untrained", *(f"after {name}" for name in learned)]
    columns = [first.short_names[scanner] for scanner in tested[0].scanners]
    return pd.DataFrame(values, rows, pd.Index(columns, name="Dice on"))
