"""From a suite to the list of its runs."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise, permutations, product

from cl_seg.messages.errors import InputError
from cl_seg.messages.suggest import did_you_mean
from cl_seg.planning.months import Months
from cl_seg.planning.runs import Run
from cl_seg.planning.seed_curve_runs import seed_curve_runs
from cl_seg.planning.update_runs import update_runs
from cl_seg.spec.read import AnySuite
from cl_seg.spec.suite import StreamSuite
from cl_seg.spec.update import UpdateSuite


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
        runs = [replace(run, months=months) for run in _stream_runs(suite, scanners)]
    elif isinstance(suite, UpdateSuite):
        runs = update_runs(suite, scanners)
    else:
        runs = seed_curve_runs(suite, scanners)
    _require_folders_apart(runs)
    return runs


def _stream_runs(suite: StreamSuite, scanners: list[str]) -> list[Run]:
    """Runs of a stream suite.

    Joint training does not depend on the order, so it is planned once per set of scanners; where
    every stream is a pair, once on the scanners of all pairs.

    Args:
        suite: what to run.
        scanners: what the data offer.

    Raises:
        InputError: an order names an unknown scanner or one that follows itself, or scanners that
            are held out are unknown, trained on, or all there are.
    """
    runs = []
    joint_done: set[tuple[object, ...]] = set()
    _check_held_out(suite, scanners)
    orders = _orders(suite, [name for name in scanners if name not in suite.held_out])
    together = _scanners_of_pairs(orders, scanners)
    axes = (suite.models, suite.strategies, orders, suite.seeds)
    for position in product(*(range(len(axis)) for axis in axes)):
        m, s, o, seed_at = position
        model, strategy, seed = suite.models[m], suite.strategies[s], suite.seeds[seed_at]
        if strategy.networks is not None and model.label not in strategy.networks:
            continue
        run_id = f"{model.label}-{strategy.label}-order{o + 1}-seed{seed}"
        run = Run(run_id, orders[o], model, strategy.for_network(model.label), seed, position)
        if run.joint:
            run = replace(run, order=together) if together else run
            same = (frozenset(run.order), model.label, strategy.label, seed)
            if same in joint_done:
                continue
            joint_done.add(same)
        runs.append(run)
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


def _scanners_of_pairs(orders: list[tuple[str, ...]], scanners: list[str]) -> tuple[str, ...]:
    """The scanners of several pairs; none where a stream is longer or there are but two."""
    used = {scanner for order in orders for scanner in order}
    several = len(used) > 2 and all(len(order) == 2 for order in orders)
    return tuple(scanner for scanner in scanners if several and scanner in used)


def _check_held_out(suite: StreamSuite, scanners: list[str]) -> None:
    for name in suite.held_out:
        if name not in scanners:
            raise InputError(f"held_out: unknown scanner {name}{did_you_mean(name, scanners)}")
        if not isinstance(suite.orders, str) and any(name in order for order in suite.orders):
            raise InputError(
                f"held_out: {name} is in `orders`, where it would be trained on: leave it out of "
                "one of them"
            )
    if suite.held_out and set(suite.held_out) == set(scanners):
        raise InputError("held_out: these are all scanners there are, none is left to train on")


def _orders(suite: StreamSuite, scanners: list[str]) -> list[tuple[str, ...]]:
    if suite.orders == "as_listed":
        return [tuple(scanners)]
    if suite.orders == "both_ways":
        return list(dict.fromkeys([tuple(scanners), tuple(reversed(scanners))]))
    if suite.orders == "all":
        return list(permutations(scanners))
    if suite.orders == "pairs":
        return list(permutations(scanners, 2))
    for order in suite.orders:
        for name in order:
            if name not in scanners:
                raise InputError(f"orders: unknown scanner {name}{did_you_mean(name, scanners)}")
        for name, following in pairwise(order):
            if name == following:
                raise InputError(
                    f"orders: {name} follows itself in {list(order)}: a stream can return to a "
                    "scanner after another one"
                )
    orders = [tuple(order) for order in suite.orders]
    if len(set(orders)) < len(orders):
        raise InputError("orders: the same order is listed twice")
    return orders
