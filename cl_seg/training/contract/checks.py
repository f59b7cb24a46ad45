"""The checks of the contract: each trains a strategy and returns its observation in words."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

from cl_seg.losses import IGNORED
from cl_seg.runtime.serialise import from_bytes, to_bytes
from cl_seg.training.checkpoint import TrainingStopped
from cl_seg.training.contract.strategy_under_test import StrategyUnderTest
from cl_seg.training.contract.tiny_training import (
    EXPERIENCES,
    SETTINGS,
    Weights,
    random_experiences,
    train,
    train_from_files,
    train_on,
)


class ContractViolation(Exception):
    """A strategy does not do what the contract asks for."""


def trains(strategy: StrategyUnderTest) -> str:
    """It trains without a crash, to finite weights."""
    for weights in train(strategy):
        _require_finite(weights)
    return ""


def leaves_data_and_shapes_alone(strategy: StrategyUnderTest) -> str:
    """It changes neither images nor masks nor the shape of the network."""
    experiences = random_experiences(strategy.size)
    before = copy.deepcopy(experiences)
    shapes = _shapes(strategy.make_model().state_dict())
    for loop, _ in train_on(strategy, experiences):
        if _shapes(loop.model.state_dict()) != shapes:
            raise ContractViolation("it replaced the network by one with other weights")
    for part, as_it_was in zip(experiences, before, strict=True):
        if not all(torch.equal(a, b) for a, b in zip(part, as_it_was, strict=True)):
            raise ContractViolation("it changed the images or masks")
    return ""


def has_effect(strategy: StrategyUnderTest) -> str:
    """It trains other weights than its baseline: a silent no-op fails."""
    if strategy.first_active_experience is None:
        return "takes part in no training"
    other = "plain fine-tuning" if strategy.make_baseline is None else "itself switched off"
    baseline = replace(strategy, make_plugin=strategy.make_baseline or _no_plugin)
    own, others = train(strategy)[-1], train(baseline)[-1]
    if _same(own, others):
        raise ContractViolation(
            f"weights after {EXPERIENCES} experiences equal {other} bit for bit"
        )
    start = strategy.make_model().state_dict()
    apart = _distance(own, others) / max(_distance(others, start), 1e-12)
    return f"weights differ from {other} by {apart:.2g} of the way that training goes"


def has_no_effect_too_early(strategy: StrategyUnderTest) -> str:
    """It leaves the training alone before the first experience it is declared active in."""
    first = (
        EXPERIENCES + 1
        if strategy.first_active_experience is None
        else strategy.first_active_experience
    )
    own, plain = train(strategy), train(replace(strategy, make_plugin=_no_plugin))
    for position in range(1, min(first, EXPERIENCES + 1)):
        if not _same(own[position - 1], plain[position - 1]):
            raise ContractViolation(
                f"already the training of experience {position} differs from fine-tuning"
            )
    return "" if first > 1 else "may act from the first step on"


def resumes_from_saved_state(strategy: StrategyUnderTest) -> str:
    """Resumed from files after each experience and within it, it trains the same weights."""
    whole = train(strategy)[-1]
    if not strategy.keeps_state and strategy.first_active_experience == 1:
        return "keeps none: its runs are trained in one piece"
    weights, state = to_bytes(strategy.make_model().state_dict()), None
    for position in range(1, EXPERIENCES + 1):
        try:
            loop, plugin = train_from_files(strategy, position, weights, state, {})
        except TrainingStopped as stopped:
            loop, plugin = train_from_files(strategy, position, weights, state, stopped.args[0])
        state = to_bytes(plugin.state_dict()) if strategy.keeps_state else None
        weights = to_bytes(loop.model.state_dict())
    if not _same(from_bytes(weights, None), whole):
        raise ContractViolation(
            "taken up from files, after each experience and within, it trains other weights"
        )
    return ""


def ignored_pixels(strategy: StrategyUnderTest) -> str:
    """It stays finite on masks with ignored pixels, and on one of nothing else."""
    experiences = random_experiences(strategy.size)
    for images, masks in experiences:
        masks[:, : strategy.size // 2] = IGNORED
        masks[0] = IGNORED
        images[0] = 0.5
    for loop, _ in train_on(strategy, experiences):
        _require_finite(loop.model.state_dict())
    return ""


def batch_of_one(strategy: StrategyUnderTest) -> str:
    """It trains with batches of one image."""
    train(strategy, replace(SETTINGS, batch_size=1))
    return ""


def bfloat16(strategy: StrategyUnderTest) -> str:
    """It trains under autocast to finite weights of full precision."""
    weights = train(strategy, replace(SETTINGS, autocast=True))[-1]
    if any(w.dtype == torch.bfloat16 for w in weights.values()):
        raise ContractViolation("weights became bfloat16")
    _require_finite(weights)
    return ""


def changes_scoring(strategy: StrategyUnderTest) -> str:
    """It scores the first experience with another network than the last."""
    experiences = random_experiences(strategy.size)
    *_, (loop, plugin) = train_on(strategy, experiences)
    trained = copy.deepcopy(loop.model.state_dict())
    states = []
    for experience in (EXPERIENCES - 1, 0):
        loop.model.load_state_dict(trained)
        plugin.prepare_scoring(loop.model, experience, [experiences[experience][0]])
        states.append(copy.deepcopy(loop.model.state_dict()))
    if _same(*states):
        raise ContractViolation("the first experience is scored with the same network as the last")
    return ""


CHECKS: Mapping[str, Callable[[StrategyUnderTest], str]] = {
    "changes nothing else": leaves_data_and_shapes_alone,
    "acts": has_effect,
    "acts not too early": has_no_effect_too_early,
    "keeps its state": resumes_from_saved_state,
    "ignored pixels": ignored_pixels,
    "batch of one": batch_of_one,
    "bfloat16": bfloat16,
}
"""Name in results and tables → check; :func:`trains` comes before them, as ``runs``."""


def _no_plugin() -> None:
    return None


def _require_finite(weights: Weights) -> None:
    if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
        raise ContractViolation("weights became NaN or infinite")


def _shapes(weights: Weights) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in weights.items()}


def _distance(a: Weights, b: Weights) -> float:
    squares = [(a[name].double() - b[name].double()).pow(2).sum() for name in a]
    return float(torch.stack(squares).sum().sqrt())


def _same(a: Weights, b: Weights) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)
