"""The runs of a seed curve: networks x starts x strategies x choices of slices x seeds."""

from collections.abc import Iterator, Sequence
from itertools import product

from cl_seg.messages.errors import InputError, refuse
from cl_seg.messages.suggest import did_you_mean
from cl_seg.planning.runs import Run, SeedImages
from cl_seg.planning.saved_model import starting_model, why_not_further
from cl_seg.spec.choices import StrategyChoice
from cl_seg.spec.seed_curve import SeedCurveSuite
from cl_seg.strategies.registry import find_strategy

SCRATCH = StrategyChoice.model_construct(name="naive", label="scratch")


def seed_curve_runs(suite: SeedCurveSuite, scanners: list[str]) -> list[Run]:
    """Runs of a seed curve; from scratch the strategies make no difference, so one run for all.

    A saved model as it is needs none: it is the first stage of those that start from it.

    Args:
        suite: what to run.
        scanners: what the data offer.

    Raises:
        InputError: it names an unknown scanner, or strategies that have no place in it.
    """
    target = suite.target or scanners[-1]
    saved = starting_model(suite) if suite.model else None
    base = () if saved else _base_scanners(suite, target, scanners)
    for name in (*base, target):
        if name not in scanners:
            raise InputError(
                f"base and target: unknown scanner {name}{did_you_mean(name, scanners)}"
            )
    _check_strategies(suite)
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
        images = SeedImages(count, by, base, transfer, saved)
        started = saved if transfer else None
        runs.append(Run(run_id, order, model, strategy, seed, position, images, started))
    return runs


def seed_curve_notes(runs: Sequence[Run]) -> Iterator[str]:
    """Whether the new scanner is one that the saved model has seen."""
    images, target = runs[0].seed_images, runs[0].order[-1]
    if images and images.base_model and target in images.base_model.scanners:
        yield (
            f"target: the card of the model names {target} among the scanners it was trained on, "
            "so that it is not new to it"
        )


def _base_scanners(suite: SeedCurveSuite, target: str, scanners: list[str]) -> tuple[str, ...]:
    base = tuple(suite.base or (name for name in scanners if name != target))
    if not base or target in base:
        raise InputError(
            f"base and target: {target} is the new scanner and needs others as base, of "
            f"{', '.join(scanners)}"
        )
    return base


def _check_strategies(suite: SeedCurveSuite) -> None:
    for choice in suite.strategies:
        if find_strategy(choice.name).training_regime != "sequential":
            raise InputError(
                f"strategies: {choice.name} has no place in a seed curve, where a network that "
                "was trained before goes on with the SEED images"
            )
    if suite.model:
        refuse([fault for choice in suite.strategies if (fault := why_not_further(choice, ()))])
