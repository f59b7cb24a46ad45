"""What every strategy must do on dense targets, checked by a few tiny trainings.

A crash shows at once; a strategy that silently does nothing, or something else than it does when a
run is taken up again, does not. Every point is a small experiment against plain fine-tuning with
the same seeds.
"""

import copy
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.data_attribute import TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from cl_seg.losses import IGNORED
from cl_seg.messages.errors import InputError
from cl_seg.strategies.declared import declared_strategy
from cl_seg.strategies.registry import build_plugin
from cl_seg.training.augmentation import Augmentation, Ranges
from cl_seg.training.checkpoint import (
    Checkpointing,
    State,
    Stopped,
    from_bytes,
    read_checkpoint,
    to_bytes,
)
from cl_seg.training.loop import DenseTraining, LoopSettings, NonFiniteLoss

CLASSES = 3
SLICES = 5
EXPERIENCES = 3
RANGES = Ranges(rotate_degrees=10.0, scale=0.1, flip=True, shift=0.05)
SETTINGS = LoopSettings(
    steps=4, batch_size=2, learning_rate=3e-3, weight_decay=1e-4, gradient_clip=1.0
)


@dataclass(frozen=True)
class Subject:
    """What is held to the contract.

    Attributes:
        make_plugin: makes the plugin as it is before the first experience.
        make_model: makes the untrained network, the same one every time.
        size: height and width of the images.
        first_acts: position (from 1) of the first experience whose training it may change or
            watch; None where it takes part in none.
        keeps_state: True where it says so by ``state_dict``.
        make_null: makes the plugin with what sets it apart switched off; None to compare with plain
            fine-tuning.
        scores: True where it has a part in scoring, by ``put_in``.
    """

    make_plugin: Callable[[], Any]
    make_model: Callable[[], nn.Module]
    size: int
    first_acts: int | None
    keeps_state: bool
    make_null: Callable[[], Any] | None = None
    scores: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a point of the contract came out.

    Attributes:
        point: name.
        kept: False where it was broken.
        detail: what was seen, in words.
    """

    point: str
    kept: bool
    detail: str = ""


def subject_of(
    name: str, settings: Mapping[str, Any], make_model: Callable[[], nn.Module], size: int
) -> Subject:
    """A registered strategy, or anyone's plugin, on a network.

    Args:
        name: of the strategy, or ``module:Class``.
        settings: of it, without those that have defaults.
        make_model: makes the network for :data:`CLASSES` classes, its weights not yet fixed.
        size: height and width it takes.
    """
    declared = declared_strategy(name)

    def making(more: Mapping[str, Any]) -> Callable[[], Any]:
        return lambda: build_plugin(name, {**declared.briefly, **settings, **more}, 1)

    def same_model() -> nn.Module:
        torch.manual_seed(1)
        return make_model()

    return Subject(
        making({}),
        same_model,
        size,
        declared.first_acts,
        declared.memory in {"apart", "within"},
        making(declared.null) if declared.null else None,
        declared.scores,
    )


Weights = dict[str, Tensor]
ESSENTIAL = frozenset({"runs", "acts", "leaves the rest", "keeps its state"})
"""Without these, whatever the data and the settings of a training, a result means nothing."""
MAY_REFUSE = {"runs", "batch of one", "bfloat16"}  # with the reason; elsewhere it ran before


def check_contract(subject: Subject, only: Collection[str] = ()) -> list[Verdict]:
    """All points, or those named in ``only``; after a crash in the first one there is only that."""
    first = _verdict("runs", lambda: _runs(subject))
    if not first.kept or first.detail.startswith("refused"):
        return [first]
    points: dict[str, Callable[[Subject], str]] = {
        "leaves the rest": _leaves_the_rest,
        "acts": _acts,
        "acts in time": _acts_in_time,
        "keeps its state": _keeps_its_state,
        "ignored pixels": _ignored_pixels,
        "batch of one": _batch_of_one,
        "bfloat16": _bfloat16,
        **({"scores": _scores} if subject.scores else {}),
    }
    chosen = {name: point for name, point in points.items() if not only or name in only}
    return [first, *(_verdict(name, partial(point, subject)) for name, point in chosen.items())]


class Broken(Exception):
    """A point of the contract is broken."""


def _verdict(name: str, point: Callable[[], str]) -> Verdict:
    try:
        return Verdict(name, True, point())
    except (Broken, NonFiniteLoss) as broken:
        return Verdict(name, False, str(broken))
    except InputError as refused:
        return Verdict(name, name in MAY_REFUSE, f"refused: {refused}")
    except Exception as error:  # whatever the plugin raises
        reason = str(error).splitlines()[0] if str(error) else ""
        return Verdict(name, False, f"{type(error).__name__}: {reason}")


def _runs(subject: Subject) -> str:
    for weights in _train(subject, SETTINGS):
        if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
            raise Broken("weights became NaN or infinite")
    return ""


def _acts(subject: Subject) -> str:
    if subject.first_acts is None:
        return "takes part in no training"
    other = "plain fine-tuning" if subject.make_null is None else "itself switched off"
    null = replace(subject, make_plugin=subject.make_null or (lambda: None))
    ours, theirs = _train(subject, SETTINGS)[-1], _train(null, SETTINGS)[-1]
    if _same(ours, theirs):
        raise Broken(f"weights after {EXPERIENCES} experiences equal {other} bit for bit")
    start = subject.make_model().state_dict()
    apart = _distance(ours, theirs) / max(_distance(theirs, start), 1e-12)
    return f"weights differ from {other} by {apart:.2g} of the way that training goes"


def _acts_in_time(subject: Subject) -> str:
    first = subject.first_acts
    ours, naive = _train(subject, SETTINGS), _train(_naive(subject), SETTINGS)
    expected = EXPERIENCES + 1 if first is None else first
    for position in range(1, min(expected, EXPERIENCES + 1)):
        if not _same(ours[position - 1], naive[position - 1]):
            raise Broken(f"already the training of experience {position} differs from fine-tuning")
    return "" if expected > 1 else "may act from the first step on"


def _leaves_the_rest(subject: Subject) -> str:
    experiences = _experiences(subject.size)
    images = [[item.clone() for item in part[:2]] for part in experiences]
    model = subject.make_model()
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    loop = _loop(subject, SETTINGS, model, subject.make_plugin(), 1)
    for experience in _stream(experiences):
        loop.train(experience, eval_streams=[])
    if {name: tensor.shape for name, tensor in loop.model.state_dict().items()} != shapes:
        raise Broken("it replaced the network by one with other weights")
    for part, before in zip(experiences, images, strict=True):
        if not all(torch.equal(a, b) for a, b in zip(part[:2], before, strict=True)):
            raise Broken("it changed the images or masks")
    return ""


def _keeps_its_state(subject: Subject) -> str:
    whole = _train(subject, SETTINGS)[-1]
    if not subject.keeps_state and subject.first_acts == 1:
        return "keeps none: its runs are trained in one piece"
    weights, state = to_bytes(subject.make_model().state_dict()), None
    for position in range(1, EXPERIENCES + 1):
        try:
            loop, plugin = _taken_up(subject, position, weights, state, {})
        except Stopped as stopped:
            loop, plugin = _taken_up(subject, position, weights, state, stopped.args[0])
        state = to_bytes(plugin.state_dict()) if subject.keeps_state else None
        weights = to_bytes(loop.model.state_dict())
    if not _same(from_bytes(weights), whole):
        raise Broken(
            "taken up from files, after each experience and within, it trains other weights"
        )
    return ""


def _taken_up(
    subject: Subject, position: int, weights: bytes, state: bytes | None, checkpoint: State
) -> tuple[DenseTraining, Any]:
    """An experience trained from files; without a checkpoint it is stopped in the middle.

    Raises:
        Stopped: with the checkpoint.
    """
    model, plugin = subject.make_model(), subject.make_plugin()
    model.load_state_dict(from_bytes(weights))
    if state is not None:
        plugin.load_state_dict(from_bytes(state))
    loop = _loop(subject, SETTINGS, model, plugin, position)
    loop.checkpoint = checkpoint
    experience = _stream(_experiences(subject.size))[position - 1]
    with TemporaryDirectory() as name:
        file = Path(name) / "checkpoint.pt"
        if not checkpoint:
            steps = count(1)
            half = SETTINGS.steps // 2
            loop.plugins.append(Checkpointing(file, math.inf, lambda: next(steps) == half))
        try:
            loop.train(experience, eval_streams=[])
        except Stopped:
            raise Stopped(read_checkpoint(file)) from None
    return loop, plugin


def _ignored_pixels(subject: Subject) -> str:
    experiences = _experiences(subject.size)
    for images, masks in experiences:
        masks[:, : subject.size // 2] = IGNORED
        masks[0] = IGNORED
        images[0] = 0.5
    for weights in _train(subject, SETTINGS, experiences):
        if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
            raise Broken("weights became NaN or infinite")
    return ""


def _batch_of_one(subject: Subject) -> str:
    _train(subject, replace(SETTINGS, batch_size=1))
    return ""


def _bfloat16(subject: Subject) -> str:
    weights = _train(subject, replace(SETTINGS, autocast=True))[-1]
    if any(w.dtype == torch.bfloat16 for w in weights.values()):
        raise Broken("weights became bfloat16")
    if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
        raise Broken("weights became NaN or infinite")
    return ""


def _scores(subject: Subject) -> str:
    plugin, model = subject.make_plugin(), subject.make_model()
    for position, experience in enumerate(_stream(_experiences(subject.size)), start=1):
        loop = _loop(subject, SETTINGS, model, plugin, position)
        loop.train(experience, eval_streams=[])
        model = loop.model
    states = []
    for experience in (EXPERIENCES - 1, 0):
        plugin.put_in(model, experience)
        states.append(copy.deepcopy(model.state_dict()))
    if _same(*states):
        raise Broken("the first experience is scored with the same network as the last")
    return ""


def _naive(subject: Subject) -> Subject:
    return replace(subject, make_plugin=lambda: None)


def _train(subject: Subject, settings: LoopSettings, experiences: Any = None) -> list[Weights]:
    """Weights after each experience of a stream trained in one process."""
    plugin, weights = subject.make_plugin(), []
    model = subject.make_model()
    for position, experience in enumerate(
        _stream(experiences or _experiences(subject.size)), start=1
    ):
        loop = _loop(subject, settings, model, plugin, position)
        loop.train(experience, eval_streams=[])
        model = loop.model
        weights.append(copy.deepcopy(model.state_dict()))
    return weights


def _loop(
    subject: Subject, settings: LoopSettings, model: nn.Module, plugin: Any, position: int
) -> DenseTraining:
    loop = DenseTraining(
        model=model,
        settings=settings,
        generator=torch.Generator().manual_seed(position),
        augment=Augmentation(RANGES, torch.Generator().manual_seed(position)),
        plugins=[] if plugin is None else [plugin],
    )
    loop.clock.train_exp_counter = position - 1
    loop.clock.train_iterations = (position - 1) * settings.steps
    return loop


def _experiences(size: int) -> list[list[Tensor]]:
    """Smooth random images and masks of three classes; each experience is darker than the last."""
    generator = torch.Generator().manual_seed(0)
    parts = []
    for k in range(EXPERIENCES):
        coarse = torch.rand(SLICES, 1, size // 8, size // 8, generator=generator)
        images = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
        masks = (images[:, 0] * CLASSES).long().clamp(max=CLASSES - 1)
        parts.append([images * (1 - 0.2 * k), masks])
    return parts


def _stream(experiences: list[list[Tensor]]) -> Any:
    datasets = [
        AvalancheDataset(
            [TensorDataset(*part)], data_attributes=[TaskLabels(ConstantSequence(0, len(part[0])))]
        )
        for part in experiences
    ]
    return benchmark_from_datasets(train=datasets).train_stream


def _distance(a: Weights, b: Weights) -> float:
    squares = [(a[name].double() - b[name].double()).pow(2).sum() for name in a]
    return float(torch.stack(squares).sum().sqrt())


def _same(a: Weights, b: Weights) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)
