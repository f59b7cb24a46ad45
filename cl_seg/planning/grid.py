"""From a suite to the list of its runs."""

from collections import Counter
from dataclasses import replace
from itertools import product

from cl_seg.messages.errors import InputError
from cl_seg.messages.suggest import did_you_mean
from cl_seg.planning.months import Months
from cl_seg.planning.runs import Run, SeedImages
from cl_seg.planning.streams import stream_runs
from cl_seg.planning.update_runs import update_runs
from cl_seg.spec.choices import StrategyChoice
from cl_seg.spec.read import AnySuite
from cl_seg.spec.suite import SeedCurveSuite, StreamSuite
from cl_seg.spec.update import UpdateSuite
from cl_seg.strategies.registry import find_strategy

SCRATCH = StrategyChoice.model_construct(name="naive", label="scratch")


def plan_runs(suite: AnySuite, scanners: list[str], months: Months = ()) -> list[Run]:
    """All runs of a suite, in a fixed order.

    Args:
        suite: what to run.
        scanners: what the data offer.
        months: of a stream by months, see :func:`cl_seg.planning.months.scanners_of_months`.

    Raises:
        InputError: it names an unknown scanner, what has no place in it, or two runs alike.
    """
    if isinstance(suite, StreamSuite):
        runs = [replace(run, months=months) for run in stream_runs(suite, scanners)]
    elif isinstance(suite, UpdateSuite):
        runs = update_runs(suite, scanners)
    else:
        runs = _seed_runs(suite, scanners)
    _require_folders_apart(runs)
    return runs


def _seed_runs(suite: SeedCurveSuite, scanners: list[str]) -> list[Run]:
    """Runs of a seed curve; from scratch the strategies make no difference, so one run for all."""
    target = suite.target or scanners[-1]
    base = tuple(suite.base) or tuple(name for name in scanners if name != target)
    for name in (*base, target):
        if name not in scanners:
            raise InputError(
                f"base and target: unknown scanner {name}{did_you_mean(name, scanners)}"
            )
    for choice in suite.strategies:
        if find_strategy(choice.name).training_regime != "sequential":
            raise InputError(
                f"strategies: {choice.name} has no place in a seed curve, where a network goes "
                "from the base scanners to the SEED images"
            )
    if not base or target in base:
        raise InputError(
            f"base and target: {target} is the new scanner and needs others as base, of "
            f"{', '.join(scanners)}"
        )
    runs = []
    axes = (suite.models, suite.start, suite.strategies, suite.by, suite.seed_images, suite.seeds)
    for position in product(*(range(len(axis)) for axis in axes)):
        m, t, c, b, n, seed_at = position
        model, start, choice = suite.models[m], suite.start[t], suite.strategies[c]
        by, count, seed = suite.by[b], suite.seed_images[n], suite.seeds[seed_at]
        transfer = start == "transfer"
        if not transfer and c:
            continue
        strategy = choice.for_network(model.label) if transfer else SCRATCH
        run_id = f"{model.label}-{strategy.label}-{by}-{count}-seed{seed}"
        order = (*base, target) if transfer else (target,)
        images = SeedImages(count, by, base, transfer)
        runs.append(Run(run_id, order, model, strategy, seed, position, images))
    return runs


def _require_folders_apart(runs: list[Run]) -> None:
    """Refuse labels of networks and strategies that, put together, name two runs alike."""
    counts = Counter(run.run_id for run in runs)
    for run in runs:
        if counts[run.run_id] > 1:
            raise InputError(
                f"two runs would be called {run.run_id}, one of {run.model.label} with "
                f"{run.strategy.label}: give the network or the strategy another `label`"
            )
