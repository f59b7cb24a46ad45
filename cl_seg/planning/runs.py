"""Runs: an order of scanners, a network, a strategy and a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

from cl_seg.models.registry import NETWORKS
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.settings import Later, Training
from cl_seg.strategies.registry import find_strategy

JOINT = "all scanners"
Selection = tuple[tuple[str, str], ...]
"""Scanners and parts of the split: the slices of the one that are in the other, pair by pair."""


def month_part(position: int) -> str:
    """The part of the split that holds the training slices of a month, numbered from 1."""
    return f"month {position}"


@dataclass(frozen=True)
class StartingModel:
    """A saved network whose training a run continues.

    Attributes:
        folder: of the model; None where the network of the run loads weights itself.
        weights_sha256: checksum of its weights.
        scanners: it was trained on, key → name; empty where that is not known.
        simulated: True where it is known to have seen simulated CT only.
        levels: of the body that it was made for; "" where that is not known.
    """

    folder: Path | None
    weights_sha256: str
    scanners: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    levels: str = ""


@dataclass(frozen=True)
class SeedImages:
    """SEED images: labelled slices of a new scanner, the last of a run's order.

    They have nothing to do with a random seed.

    Attributes:
        count: how many.
        by: how they are chosen.
        base_scanners: of the network that is transferred, and that chooses where one is needed.
        transfer: True where training on them starts from that network.
        base_model: of a seed curve, that network where it is a saved one.
    """

    count: int
    by: str
    base_scanners: tuple[str, ...]
    transfer: bool
    base_model: StartingModel | None = None

    @property
    def start(self) -> str:
        """The suite's word for where training starts from."""
        return "transfer" if self.transfer else "scratch"


@dataclass(frozen=True)
class Run:
    """One run: an order of scanners, a network, a strategy and a seed.

    Attributes:
        run_id: folder name, unique in the suite.
        order: scanners in stream order; the stream returns to one that is there again, and trains
            on the same slices.
        model: network.
        strategy: strategy with its settings filled in.
        seed: of everything random in the run.
        grid_position: of model, strategy, order and seed in the suite, for sorting.
        seed_images: of a seed curve: what is labelled of the last scanner of the order, which is
            trained on after all others together.
        starting_model: saved network whose training the run continues on the last scanner of the
            order. It counts as the first experience, that of all other scanners of the order; what
            it finds completes slices that are labelled for some classes only.
        months: of a stream by months: the scanners with training slices in each, of which the order
            names all. Every month is an experience.
        replicate: number of the replicate that it is of, from 1; 0 where the suite has orders and
            seeds.
    """

    run_id: str
    order: tuple[str, ...]
    model: ModelChoice
    strategy: StrategyChoice
    seed: int
    grid_position: tuple[int, ...] = ()
    seed_images: SeedImages | None = None
    starting_model: StartingModel | None = None
    months: tuple[tuple[str, ...], ...] = ()
    replicate: int = 0

    @property
    def joint(self) -> bool:
        """True where one experience has all scanners together."""
        return find_strategy(self.strategy.name).training_regime == "joint"

    @property
    def cumulative(self) -> bool:
        """True where every experience has all scanners so far."""
        return find_strategy(self.strategy.name).training_regime == "cumulative"

    @property
    def order_number(self) -> int:
        """Number of its order, or replicate, in the suite, from 1; only streams have several."""
        in_stream = self.seed_images is None and self.starting_model is None
        return self.grid_position[2] + 1 if self.grid_position and in_stream else 1

    @cached_property
    def scanners(self) -> tuple[str, ...]:
        """Scanners in the order of their first visits: the columns of R."""
        return tuple(dict.fromkeys(self.order))

    @cached_property
    def experiences(self) -> tuple[tuple[str, ...], ...]:
        """The scanners that each experience trains on, in stream order."""
        in_turn = self.starting_model is None and self.seed_images is None
        if in_turn and self.cumulative:
            positions = range(1, len(self.visits) + 1)
            return tuple(
                tuple(dict.fromkeys(chain(*self.visits[:position]))) for position in positions
            )
        return self.visits

    def selection(self, position: int) -> Selection:
        """The slices that an experience trains on."""
        if not self.months or self.joint:
            return tuple((scanner, "train") for scanner in self.experiences[position - 1])
        months = range(1 if self.cumulative else position, position + 1)
        return tuple(
            (scanner, month_part(month)) for month in months for scanner in self.months[month - 1]
        )

    @cached_property
    def visits(self) -> tuple[tuple[str, ...], ...]:
        """The scanners that are new, or back, in each experience."""
        if self.starting_model is not None:
            return (self.order[:-1], self.order[-1:])
        if self.seed_images is not None:
            return tuple(group for group in (self.order[:-1], self.order[-1:]) if group)
        if self.joint:
            return (self.scanners,)
        return self.stream

    @property
    def stream(self) -> tuple[tuple[str, ...], ...]:
        """The scanners of each part of the stream: one scanner, or those of a month."""
        return self.months or tuple((scanner,) for scanner in self.order)

    @cached_property
    def first_positions(self) -> dict[str, int]:
        """Scanner of the order → position, from 1, of the first experience that trains on it.

        What is kept of a scanner is found by it, and replaced when the stream returns.
        """
        found: dict[str, int] = {}
        for position, group in enumerate(self.visits, start=1):
            for scanner in group:
                found.setdefault(scanner, position)
        return found

    def learned_at(self, scanner: str) -> int:
        """Position, from 1, of the first experience that trains on a scanner; 0 without one."""
        return self.first_positions.get(scanner, 0)

    def first_visit(self, position: int) -> int:
        """Position of the first experience on the scanner of an experience, which it may be itself.

        Months return to no scanner: each is an experience of its own.
        """
        if self.months:
            return position
        return min(map(self.learned_at, self.visits[position - 1]), default=position)

    @property
    def from_scratch(self) -> bool:
        """True where training on every experience starts from the untrained network."""
        regime = find_strategy(self.strategy.name).training_regime
        return regime == "single" or bool(self.strategy.settings.get("restart"))

    def training_set_name(self, position: int) -> str:
        """Names what an experience trains on: a scanner, all of them, or those seen so far."""
        if self.joint:
            return JOINT
        name = self.experience_name(position)
        labelled = self.seed_images
        if labelled is None or position < len(self.experiences):
            return name
        return f"{labelled.count} of {name} by {labelled.by}"

    def experience_name(self, position: int) -> str:
        """The scanners an experience trains on, or its month or months."""
        if not self.months or self.joint:
            return " + ".join(self.experiences[position - 1])
        several = self.cumulative and position > 1
        return f"months 1 to {position}" if several else month_part(position)

    @property
    def titles(self) -> dict[str, str]:
        """Names of network and strategy for tables and figures; labels of the suite go first."""
        model, strategy = self.model, self.strategy
        return {
            "model": NETWORKS[model.name].title if model.label == model.name else model.label,
            "strategy": find_strategy(strategy.name).title
            if strategy.label == strategy.name
            else strategy.label,
        }

    @property
    def learning_rate(self) -> float:
        """Peak learning rate of the first experience: the suite's, else the preset's own."""
        if self.model.learning_rate is not None:
            return self.model.learning_rate
        return NETWORKS[self.model.name].presets[self.model.preset].learning_rate

    def steps_per_experience(self, training: Training) -> list[int]:
        """Optimiser steps of each experience, given the settings of the suite."""
        factor, later = self.strategy.settings.get("steps_factor"), self._later(training)
        first, *others = (factor or count for count in self._scanners_or_months)
        multiples = [first, *(other * later.steps_factor for other in others)]
        steps = [max(1, round(training.steps * multiple)) for multiple in multiples]
        return steps if self.starting_model is None else [0, *steps[1:]]

    @property
    def _scanners_or_months(self) -> list[int]:
        """How many scanners, or months, each experience trains on."""
        if not self.months:
            return list(map(len, self.experiences))
        if self.joint:
            return [len(self.months)]
        positions = range(1, len(self.months) + 1)
        return [position if self.cumulative else 1 for position in positions]

    def learning_rates(self, training: Training) -> list[float]:
        """Peak learning rate of each experience, given the settings of the suite."""
        later = self.learning_rate * self._later(training).rate_factor
        return [self.learning_rate, *[later] * (len(self.experiences) - 1)]

    def _later(self, training: Training) -> Later:
        """Rate and steps from the second experience on, relative to the first."""
        return Later() if self.from_scratch else training.later
