"""From a suite file to the list of runs, without torch."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.messages.suggest import did_you_mean
from cl_seg.models.declared import NETWORKS
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.read import read_suite
from cl_seg.spec.suite import SeedCurveSuite, StreamSuite
from cl_seg.strategies.declared import STRATEGIES, declared_strategy

JOINT = "all scanners"
FINE_TUNING, SCRATCH = (
    StrategyChoice.model_construct(name="naive", label=label) for label in ("naive", "scratch")
)


@dataclass(frozen=True)
class SeedImages:
    """Labelled slices of a new scanner.

    Attributes:
        count: how many.
        by: how they are chosen.
        base: scanners of the network that is transferred, and that chooses where one is needed.
        transfer: True where training on them starts from that network.
    """

    count: int
    by: str
    base: tuple[str, ...]
    transfer: bool

    @property
    def start(self) -> str:
        """The suite's word for where training starts from."""
        return "transfer" if self.transfer else "scratch"


@dataclass(frozen=True)
class Run:
    """One run: an order of scanners, a network, a strategy and a seed.

    Attributes:
        run_id: folder name, unique in the suite.
        order: scanners in stream order.
        model: network.
        strategy: strategy with its settings filled in.
        seed: of everything random in the run.
        place: position of model, strategy, order and seed in the suite, for sorting.
        seed_images: of a seed curve: what is labelled of the last scanner of the order, which is
            trained on after all others together.
        base_model: checksum of the weights of a saved network the run goes on from, "" for none;
            what that was trained on counts as the first experience.
    """

    run_id: str
    order: tuple[str, ...]
    model: ModelChoice
    strategy: StrategyChoice
    seed: int
    place: tuple[int, ...] = ()
    seed_images: SeedImages | None = None
    base_model: str = ""

    @property
    def joint(self) -> bool:
        """True where one stage trains on all scanners together."""
        return declared_strategy(self.strategy.name).schedule == "joint"

    @property
    def cumulative(self) -> bool:
        """True where every stage trains on all scanners seen so far."""
        return declared_strategy(self.strategy.name).schedule == "cumulative"

    @property
    def order_number(self) -> int:
        """Place of its order among those of the suite, from 1; a seed curve has one."""
        return self.place[2] + 1 if self.place and self.seed_images is None else 1

    @property
    def experiences(self) -> tuple[tuple[str, ...], ...]:
        """The scanners each stage trains on, in stream order."""
        if self.base_model:
            return ((), self.order)
        if self.seed_images is not None:
            return tuple(group for group in (self.order[:-1], self.order[-1:]) if group)
        if self.joint:
            return (self.order,)
        if self.cumulative:
            return tuple(self.order[:position] for position in range(1, len(self.order) + 1))
        return tuple((scanner,) for scanner in self.order)

    def learned_at(self, scanner: str) -> int:
        """Position, from 1, of the first experience that trains on a scanner of the order."""
        return next(k for k, group in enumerate(self.experiences, 1) if scanner in group)

    @property
    def from_scratch(self) -> bool:
        """True where every stage starts from the untrained network."""
        schedule = declared_strategy(self.strategy.name).schedule
        return schedule == "single" or bool(self.strategy.settings.get("restart"))

    def stage_name(self, position: int) -> str:
        """The selection a stage trains on: a scanner, all of them, or those seen so far."""
        if self.joint:
            return JOINT
        name = " + ".join(self.experiences[position - 1])
        labelled = self.seed_images
        if labelled is None or position < len(self.experiences):
            return name
        return f"{labelled.count} of {name} by {labelled.by}"

    @property
    def titles(self) -> dict[str, str]:
        """Names of network and strategy for tables and figures; labels of the suite go first."""
        model, strategy = self.model, self.strategy
        return {
            "model": NETWORKS[model.name].title if model.label == model.name else model.label,
            "strategy": declared_strategy(strategy.name).title
            if strategy.label == strategy.name
            else strategy.label,
        }

    @property
    def learning_rate(self) -> float:
        """Peak learning rate: the suite's, else the preset's own."""
        if self.model.learning_rate is not None:
            return self.model.learning_rate
        return NETWORKS[self.model.name].presets[self.model.preset].learning_rate

    def stage_steps(self, steps: int) -> list[int]:
        """Optimiser steps of each stage, given the suite's steps per stage."""
        factor = self.strategy.settings.get("steps_factor")
        sizes = [len(scanners) for scanners in self.experiences]
        return [max(1, round(steps * (factor or size))) for size in sizes]


def load_suite(path: Path, data: Path | None = None) -> StreamSuite | SeedCurveSuite:
    """Read and check a suite against the registered networks and strategies.

    Raises:
        InputError: every problem at once.
    """
    return read_suite(path, NETWORKS, STRATEGIES, data)


def plan_runs(suite: StreamSuite | SeedCurveSuite, scanners: list[str]) -> list[Run]:
    """All runs of a suite, in a fixed order.

    Args:
        suite: what to run.
        scanners: what the data offer.

    Raises:
        InputError: it names an unknown scanner, what has no place in it, or two runs alike.
    """
    if isinstance(suite, StreamSuite):
        runs = _stream_runs(suite, scanners)
    else:
        runs = _seed_runs(suite, scanners)
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
        InputError: an order names an unknown scanner or one twice.
    """
    runs = []
    joint_done: set[tuple[object, ...]] = set()
    orders = _orders(suite, scanners)
    together = _scanners_of_pairs(orders, scanners)
    axes = (suite.models, suite.strategies, orders, suite.seeds)
    for place in product(*(range(len(axis)) for axis in axes)):
        m, s, o, seed_at = place
        model, strategy, seed = suite.models[m], suite.strategies[s], suite.seeds[seed_at]
        if strategy.networks is not None and model.label not in strategy.networks:
            continue
        run_id = f"{model.label}-{strategy.label}-order{o + 1}-seed{seed}"
        run = Run(run_id, orders[o], model, strategy.on(model.label), seed, place)
        if run.joint:
            run = replace(run, order=together) if together else run
            same = (frozenset(run.order), model.label, strategy.label, seed)
            if same in joint_done:
                continue
            joint_done.add(same)
        runs.append(run)
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
        if declared_strategy(choice.name).schedule != "sequential":
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
    for place in product(*(range(len(axis)) for axis in axes)):
        m, t, c, b, n, seed_at = place
        model, start, choice = suite.models[m], suite.start[t], suite.strategies[c]
        by, count, seed = suite.by[b], suite.seed_images[n], suite.seeds[seed_at]
        transfer = start == "transfer"
        if not transfer and c:
            continue
        strategy = choice.on(model.label) if transfer else SCRATCH
        run_id = f"{model.label}-{strategy.label}-{by}-{count}-seed{seed}"
        order = (*base, target) if transfer else (target,)
        images = SeedImages(count, by, base, transfer)
        runs.append(Run(run_id, order, model, strategy, seed, place, images))
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
        if len(set(order)) < len(order):
            raise InputError(f"orders: a scanner appears twice in {list(order)}")
    orders = [tuple(order) for order in suite.orders]
    if len(set(orders)) < len(orders):
        raise InputError("orders: the same order is listed twice")
    return orders
