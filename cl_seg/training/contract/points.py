"""The checks of the contract: each trains a subject and returns its observation in words."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

from cl_seg.losses import IGNORED
from cl_seg.runtime.tensor_bytes import from_bytes, to_bytes
from cl_seg.training.checkpoint import Stopped
from cl_seg.training.contract.subject import Subject
from cl_seg.training.contract.trial import (
    EXPERIENCES,
    SETTINGS,
    Weights,
    random_experiences,
    train,
    train_from_files,
    train_on,
)


class Broken(Exception):
    """A check of the contract failed."""


def runs(subject: Subject) -> str:
    """It trains without a crash, to finite weights."""
    for weights in train(subject):
        _require_finite(weights)
    return ""


def changes_nothing_else(subject: Subject) -> str:
    """It changes neither images nor masks nor the shape of the network."""
    experiences = random_experiences(subject.size)
    before = copy.deepcopy(experiences)
    shapes = _shapes(subject.make_model().state_dict())
    for loop, _ in train_on(subject, experiences):
        if _shapes(loop.model.state_dict()) != shapes:
            raise Broken("it replaced the network by one with other weights")
    for part, as_it_was in zip(experiences, before, strict=True):
        if not all(torch.equal(a, b) for a, b in zip(part, as_it_was, strict=True)):
            raise Broken("it changed the images or masks")
    return ""


def acts(subject: Subject) -> str:
    """It trains other weights than its baseline: a strategy without effect fails."""
    if subject.active_from is None:
        return "takes part in no training"
    other = "plain fine-tuning" if subject.make_baseline is None else "itself switched off"
    baseline = replace(subject, make_plugin=subject.make_baseline or (lambda: None))
    own, others = train(subject)[-1], train(baseline)[-1]
    if _same(own, others):
        raise Broken(f"weights after {EXPERIENCES} experiences equal {other} bit for bit")
    start = subject.make_model().state_dict()
    apart = _distance(own, others) / max(_distance(others, start), 1e-12)
    return f"weights differ from {other} by {apart:.2g} of the way that training goes"


def acts_not_too_early(subject: Subject) -> str:
    """It does not change the training of an experience before the first it is declared for."""
    first = EXPERIENCES + 1 if subject.active_from is None else subject.active_from
    own, plain = train(subject), train(replace(subject, make_plugin=lambda: None))
    for position in range(1, min(first, EXPERIENCES + 1)):
        if not _same(own[position - 1], plain[position - 1]):
            raise Broken(f"already the training of experience {position} differs from fine-tuning")
    return "" if first > 1 else "may act from the first step on"


def keeps_its_state(subject: Subject) -> str:
    """Taken up from files after each experience and within it, it trains the same weights."""
    whole = train(subject)[-1]
    if not subject.keeps_state and subject.active_from == 1:
        return "keeps none: its runs are trained in one piece"
    weights, state = to_bytes(subject.make_model().state_dict()), None
    for position in range(1, EXPERIENCES + 1):
        try:
            loop, plugin = train_from_files(subject, position, weights, state, {})
        except Stopped as stopped:
            loop, plugin = train_from_files(subject, position, weights, state, stopped.args[0])
        state = to_bytes(plugin.state_dict()) if subject.keeps_state else None
        weights = to_bytes(loop.model.state_dict())
    if not _same(from_bytes(weights), whole):
        raise Broken(
            "taken up from files, after each experience and within, it trains other weights"
        )
    return ""


def ignored_pixels(subject: Subject) -> str:
    """It stays finite on masks with ignored pixels, and on one of nothing else."""
    experiences = random_experiences(subject.size)
    for images, masks in experiences:
        masks[:, : subject.size // 2] = IGNORED
        masks[0] = IGNORED
        images[0] = 0.5
    for loop, _ in train_on(subject, experiences):
        _require_finite(loop.model.state_dict())
    return ""


def batch_of_one(subject: Subject) -> str:
    """It trains with batches of one image."""
    train(subject, replace(SETTINGS, batch_size=1))
    return ""


def bfloat16(subject: Subject) -> str:
    """It trains under autocast to finite weights of full precision."""
    weights = train(subject, replace(SETTINGS, autocast=True))[-1]
    if any(w.dtype == torch.bfloat16 for w in weights.values()):
        raise Broken("weights became bfloat16")
    _require_finite(weights)
    return ""


def changes_scoring(subject: Subject) -> str:
    """It scores the first experience with another network than the last."""
    *_, (loop, plugin) = train_on(subject, random_experiences(subject.size))
    states = []
    for experience in (EXPERIENCES - 1, 0):
        plugin.load_scanner_statistics(loop.model, experience)
        states.append(copy.deepcopy(loop.model.state_dict()))
    if _same(*states):
        raise Broken("the first experience is scored with the same network as the last")
    return ""


POINTS: Mapping[str, Callable[[Subject], str]] = {
    "changes nothing else": changes_nothing_else,
    "acts": acts,
    "acts not too early": acts_not_too_early,
    "keeps its state": keeps_its_state,
    "ignored pixels": ignored_pixels,
    "batch of one": batch_of_one,
    "bfloat16": bfloat16,
}


def _require_finite(weights: Weights) -> None:
    if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
        raise Broken("weights became NaN or infinite")


def _shapes(weights: Weights) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in weights.items()}


def _distance(a: Weights, b: Weights) -> float:
    squares = [(a[name].double() - b[name].double()).pow(2).sum() for name in a]
    return float(torch.stack(squares).sum().sqrt())


def _same(a: Weights, b: Weights) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)
