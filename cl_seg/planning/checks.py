"""Errors and notes about a suite and its data, before anything is trained."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.messages.suggest import did_you_mean
from cl_seg.planning.context import StageContext
from cl_seg.planning.gpus import gpus_of, visible_gpus
from cl_seg.planning.runs import Run
from cl_seg.semi_automatic.registry import TOOLS
from cl_seg.spec.suite import Suite
from cl_seg.strategies.registry import find_strategy
from cl_seg.strategies.shared.memory_settings import MemorySettings

Counts = Mapping[str, Mapping[str, int]]


def check_batches(suite: Suite, runs: Sequence[Run]) -> None:
    """Refuse batches that old slices fill for strategies that put old and new ones into each.

    Raises:
        InputError: naming the strategies.
    """
    needed: dict[str, int] = {}
    for run in runs:
        label = run.strategy.label
        settings = find_strategy(run.strategy.name).settings.model_validate(run.strategy.settings)
        if len(run.experiences) > 1 and isinstance(settings, MemorySettings):
            needed[label] = max(settings.smallest_batch, needed.get(label, 0))
    size = suite.training.batch_size
    if mixing := [label for label, smallest in needed.items() if size < smallest]:
        raise InputError(
            f"training.batch_size is {size}: a batch of {' and '.join(mixing)} holds old and new "
            f"slices, make it {max(needed.values())} or more, or set `batch: added`"
        )


def check_tools(suite: Suite) -> None:
    """Refuse tools that are unknown or find what the suite does not ask for.

    Raises:
        InputError: naming the tool.
    """
    for name in suite.tools:
        if name not in TOOLS:
            raise InputError(f"tools: unknown tool {name}{did_you_mean(name, list(TOOLS))}")
        if TOOLS[name].structure not in suite.classes:
            raise InputError(
                f"tools: {name} finds {TOOLS[name].structure}, which is not among `classes`"
            )


def check_seed_images(runs: Sequence[Run], counts: Counts) -> None:
    """Refuse to label more slices of a new scanner than it has for training.

    Args:
        runs: of a suite.
        counts: scanner → part → number of slices.

    Raises:
        InputError: naming the scanner and how many it has.
    """
    for run in runs:
        images, target = run.seed_images, run.order[-1]
        in_update = run.starting_model and not (images and images.base_model)
        field = "labelled" if in_update else "seed_images"
        if images is not None and images.count > counts[target].get("train", 0):
            raise InputError(
                f"{field}: {counted(images.count, 'slice')} to be labelled, but {target} has "
                f"{counts[target].get('train', 0)} for training: ask for fewer"
            )


def check_classes(cases: pd.DataFrame) -> None:
    """Refuse scanners none of whose cases has some class: it has no Dice there.

    Args:
        cases: see :func:`cl_seg.planning.digests.classes_of_cases`.

    Raises:
        InputError: naming every such scanner and class.
    """
    faults = [
        f"{scanner}: {_none_of(len(own), 'case')} a pixel of {name}: leave {scanner} out of "
        f"`orders`, or {name} out of `classes`"
        for scanner, own in cases.groupby("scanner", sort=False)
        for name in cases.columns
        if not own[name].any()
    ]
    if faults:
        raise InputError("\n".join(faults))


def plan_notes(suite: Suite, cases: pd.DataFrame, counts: Counts) -> Iterator[str]:
    """Notes on data that can be trained and tested on, but not in all of their parts.

    Args:
        suite: what is run on them.
        cases: see :func:`cl_seg.planning.digests.classes_of_cases`.
        counts: scanner → part → number of slices.
    """
    for (scanner, part), own in cases.groupby(["scanner", "part"], sort=False):
        for name in cases.columns:
            if part == "test" and not own[name].any():
                yield (
                    f"{scanner}: {_none_of(len(own), 'test case')} a pixel of {name}, so that no "
                    "Dice of it is defined there and runs on it are not evaluable"
                )
            if part == "train" and not own[name].any():
                yield (
                    f"{scanner}: {_none_of(len(own), 'training case')} a pixel of {name}: nothing "
                    "of it can be learned there"
                )
    by_scanner = getattr(suite, "experience", "scanner") == "scanner"
    for scanner, parts in counts.items() if by_scanner else ():
        if 0 < parts.get("train", 0) < suite.training.batch_size:  # 0 of one that is held out
            yield (
                f"{scanner} has {counted(parts['train'], 'training slice')} for batches of "
                f"{suite.training.batch_size}: every batch holds slices twice"
            )


def device_notes(suite: Suite) -> Iterator[str]:
    """Whether a suite for a GPU can be run on this machine, as on one that only plans."""
    device = suite.training.device
    if device.startswith("cuda") and not gpus_of(device):
        count = len(visible_gpus())
        here = f"{counted(count, 'GPU')}, counted from 0" if count else "no GPU that torch can use"
        yield (
            f"training.device is {device} and this machine has {here}: it can plan the suite, "
            "run it on a machine with that GPU, or with --engine slurm"
        )


def precision_notes(context: StageContext) -> Iterator[str]:
    """The arithmetic that ``precision: auto`` chose for each network."""
    if context.training.precision == "auto":
        chosen = [f"{m.label} in {context.training_of(m).precision}" for m in context.models]
        yield f"training.precision is auto: {', '.join(chosen)}"


def _none_of(count: int, what: str) -> str:
    return f"its one {what} has not" if count == 1 else f"none of its {count} {what}s has"
