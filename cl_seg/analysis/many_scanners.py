"""What tables and figures per scanner show of a suite with more scanners than fit on a page."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.records.results import RunResult

MOST_SCANNERS = 12
"""Scanners up to which each has its own panel, its own row and its numbers."""
SHOWN_OF_MANY = 6


def is_many(count: int) -> bool:
    """True for more scanners than can be shown one by one."""
    return count > MOST_SCANNERS


def all_scanners(results: Sequence[RunResult]) -> list[str]:
    """The scanners of some runs, each once."""
    return list(dict.fromkeys(scanner for run in results for scanner in run.scanners))


def scanner_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """A row per network, strategy and scanner: Dice, averaged over orders and seeds.

    Columns model, strategy, scanner, ``learned`` (right after learning it; NaN for joint training
    and streams by months), ``last`` (after the last stage; NaN for a network per scanner) and
    ``change`` (last − learned).
    """
    rows = []
    for run in results:
        r, none = run.matrix(), np.full(len(run.scanners), np.nan)
        learned = none if run.is_joint or run.by_months else run.after_learning()
        last = none if run.training_regime == "single" else r[-1]
        row = {"model": run.network, "strategy": run.strategy, "scanner": run.scanners}
        scores = {"learned": learned, "last": last, "change": last - learned}
        rows.append(pd.DataFrame({**row, **scores}))
    keys = ["model", "strategy", "scanner"]
    return pd.concat(rows).groupby(keys, sort=False, as_index=False).mean()


def shown_scanners(results: Sequence[RunResult]) -> list[str]:
    """The scanners that figures per scanner show: those of the first run, in its order.

    Of many, the ones on which most was lost from learning them to the end, mean over all runs that
    go from scanner to scanner; without such runs, the first ones.
    """
    scanners = results[0].scanners
    if not is_many(len(scanners)):
        return scanners
    if not (streams := _streams(results)):
        return scanners[:SHOWN_OF_MANY]
    change = scanner_table(streams).groupby("scanner")["change"].mean()
    worst = change.reindex(scanners).nsmallest(SHOWN_OF_MANY).index
    return [scanner for scanner in scanners if scanner in worst]


def _streams(results: Sequence[RunResult]) -> list[RunResult]:
    return [run for run in results if run.training_regime in {"sequential", "cumulative"}]


def which_scanners(results: Sequence[RunResult]) -> str:
    """Sentence of a caption on the scanners that are shown; empty where all are."""
    count, shown = len(results[0].scanners), len(shown_scanners(results))
    if not is_many(count):
        return ""
    if not _streams(results):
        return f" Of {count} scanners the first {shown} are shown."
    return (
        f" Of {count} scanners the {shown} on which most was lost are shown; scanners.csv has all."
    )


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """Names in a line; of many the first ones, the last one, and how many there are."""
    if not is_many(len(names)):
        return separator.join(names)
    shown = [*names[: SHOWN_OF_MANY // 2], "…", names[-1]]
    return f"{separator.join(shown)} ({len(names)})"
