"""The runs of a stream suite: networks, strategies, and streams of scanners with their seeds."""

from dataclasses import dataclass, replace
from itertools import pairwise, permutations, product

from cl_seg.messages.errors import InputError
from cl_seg.messages.suggest import did_you_mean
from cl_seg.planning.runs import Run
from cl_seg.spec.suite import Replicates, StreamSuite

Order = tuple[str, ...]


@dataclass(frozen=True)
class _Stream:
    """A stream of scanners with a random seed.

    Attributes:
        name: of its runs, after network and strategy.
        order: scanners in stream order.
        seed: random seed.
        position: of order and seed in the suite.
        replicate: number of the replicate that it is of, 0 without replicates.
    """

    name: str
    order: Order
    seed: int
    position: tuple[int, int]
    replicate: int = 0


def stream_runs(suite: StreamSuite, scanners: list[str]) -> list[Run]:
    """Runs of a stream suite.

    Joint training does not depend on the order, so it is planned once per set of scanners; where
    every stream is a pair, once on the scanners of all pairs, but for replicates, of which each has
    its own.

    Args:
        suite: what to run.
        scanners: what the data offer.

    Raises:
        InputError: an order names an unknown scanner or one that follows itself, scanners that are
            held out are unknown, trained on, or all there are, or there are too few for replicates.
    """
    runs = []
    joint_done: set[tuple[object, ...]] = set()
    _check_held_out(suite, scanners)
    streams = _streams(suite, [name for name in scanners if name not in suite.held_out])
    orders = [stream.order for stream in streams]
    together = () if suite.replicates else _scanners_of_pairs(orders, scanners)
    axes = (enumerate(suite.models), enumerate(suite.strategies), streams)
    for (m, model), (s, strategy), stream in product(*axes):
        if strategy.networks is not None and model.label not in strategy.networks:
            continue
        if strategy.replicates is not None and stream.replicate > strategy.replicates:
            continue
        run = Run(
            run_id=f"{model.label}-{strategy.label}-{stream.name}",
            order=stream.order,
            model=model,
            strategy=strategy.for_network(model.label),
            seed=stream.seed,
            grid_position=(m, s, *stream.position),
            replicate=stream.replicate,
        )
        if run.joint:
            run = replace(run, order=together) if together else run
            same = (frozenset(run.order), model.label, strategy.label, run.seed)
            if same in joint_done:
                continue
            joint_done.add(same)
        runs.append(run)
    return runs


def _streams(suite: StreamSuite, scanners: list[str]) -> list[_Stream]:
    if suite.replicates is not None:
        return _replicates(suite.replicates, scanners)
    return [
        _Stream(f"order{o + 1}-seed{seed}", order, seed, (o, at))
        for (o, order), (at, seed) in product(
            enumerate(_orders(suite, scanners)), enumerate(suite.seeds)
        )
    ]


def _replicates(wanted: Replicates, scanners: list[str]) -> list[_Stream]:
    """Every replicate with the next scanners, which no other one has."""
    length, needed = wanted.scanners, wanted.number * wanted.scanners
    if needed > len(scanners):
        raise InputError(
            f"replicates: {wanted.number} streams of {length} scanners need {needed}, but the data "
            f"have {len(scanners)} that are not held out: let more be drawn "
            "(`data.phantom.drawn`), or ask for fewer"
        )
    return [
        _Stream(
            name=f"replicate{r}",
            order=tuple(scanners[(r - 1) * length : r * length]),
            seed=r,
            position=(r - 1, 0),
            replicate=r,
        )
        for r in range(1, wanted.number + 1)
    ]


def _scanners_of_pairs(orders: list[Order], scanners: list[str]) -> Order:
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


def _orders(suite: StreamSuite, scanners: list[str]) -> list[Order]:
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
