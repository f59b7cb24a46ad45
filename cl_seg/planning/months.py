"""Streams by months: an experience has the training slices of one month, of whatever scanners."""

from collections.abc import Iterator, Sequence

import pandas as pd

from cl_seg.messages.errors import InputError, refuse
from cl_seg.planning.context import StageContext
from cl_seg.planning.data import store_folder
from cl_seg.planning.runs import Run, month_part
from cl_seg.planning.split import split_slices
from cl_seg.scans.store import MONTH, SliceStore
from cl_seg.spec.suite import StreamSuite
from cl_seg.strategies.registry import find_strategy

Months = tuple[tuple[str, ...], ...]
"""The scanners with training slices in each month that has any."""


def scanners_of_months(suite: StreamSuite, scanners: Sequence[str]) -> Months:
    """The months of a stream by months, read from its store; none of another stream.

    Args:
        suite: of a stream.
        scanners: what its data offer.

    Raises:
        InputError: a strategy has to know the scanner, or the data have no months, or one alone.
    """
    if suite.experience != "months":
        return ()
    refuse([fault for choice in suite.strategies if (fault := _fault(choice.name))])
    if suite.data.phantom is not None:
        raise InputError("experience: simulated scans have no months, name a `store` under `data`")
    folder = store_folder(suite.data)
    slices = SliceStore(folder).slices
    if MONTH not in slices:
        raise InputError(
            f"experience: {folder} does not say in which month its scans were made: ingest them "
            "again with --months, or with a column `month` in the manifest"
        )
    split = split_slices(slices, suite.classes, suite.split, scanners, suite.held_out)
    train = split[split["part"] == "train"]
    found = [set(own["scanner"]) for _, own in train.groupby(MONTH)]
    if len(found) < 2:
        raise InputError(
            "experience: all training slices are of one month, which is no stream: were dates "
            "removed, or all made the same, before the ingest?"
        )
    return tuple(tuple(s for s in scanners if s in month) for month in found)


def with_months(split: pd.DataFrame) -> pd.DataFrame:
    """The split with further parts: the training slices of each month that has any."""
    train = split[split["part"] == "train"]
    position = train[MONTH].rank(method="dense").astype(int)
    return pd.concat([split, train.assign(part=position.map(month_part))])


def month_notes(runs: Sequence[Run], slices: pd.DataFrame, context: StageContext) -> Iterator[str]:
    """What a stream by months leaves out, has little of, and decides for its strategies.

    Args:
        runs: of a suite.
        slices: of its store.
        context: with the slices of every month.
    """
    months = runs[0].months
    if not months:
        return
    there = slices[MONTH].nunique()
    if there > len(months):
        yield f"months without a training slice are left out: {there - len(months)} of {there}"
    size, counts = context.training.batch_size, context.counts
    of_month = [
        sum(counts[scanner][month_part(k)] for scanner in own)
        for k, own in enumerate(months, start=1)
    ]
    if few := [k for k, count in enumerate(of_month, start=1) if count < size]:
        yield (
            f"months with fewer training slices than a batch of {size}, which then repeats some: "
            f"{len(few)} of {len(months)}, the first is month {few[0]}"
        )
    if bounded := [c.label for c in context.strategies if _acts_between(c.name)]:
        yield (
            f"for {', '.join(bounded)} an experience ends with its month: that boundary is a "
            "choice of the calendar, not of the data"
        )


def _acts_between(name: str) -> bool:
    """True where a strategy treats experiences after the first one in another way."""
    strategy = find_strategy(name)
    return strategy.plugin is not None and strategy.first_active_experience is not None


def _fault(name: str) -> str:
    """Why a strategy cannot learn month by month, "" where it can."""
    strategy = find_strategy(name)
    if strategy.training_regime == "single":
        return f"strategies: {name} trains a network for every scanner, a month may have several"
    if strategy.keeps_state_of_scanners:
        return (
            f"strategies: {name} keeps parameters or statistics of the scanner that an experience "
            "is on, and a month may have several: leave it out with `experience: months`"
        )
    return ""
