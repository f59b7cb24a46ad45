"""Tries the networks and plugins of plans before anything is trained, and times a few steps."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING

from cl_seg.planning.context import StageContext
from cl_seg.planning.gpus import require_gpu
from cl_seg.planning.plan import Plan, merged_graph
from cl_seg.planning.stages import Graph
from cl_seg.spec.choices import ModelChoice
from cl_seg.suite.check_networks import check_networks
from cl_seg.suite.own_plugins import check_own_plugins
from cl_seg.suite.view import duration_text

if TYPE_CHECKING:
    from torch import nn

STEPS = 4  # timed, after one that is not


def try_plans(plans: Sequence[Plan]) -> Iterator[str]:
    """Build every network, check every plugin, and say how long the trainings will take.

    Torch is imported. The times are of plain fine-tuning with the slices in memory, on one worker
    of this machine; strategies and evaluations add to them.

    Args:
        plans: to try, with or without their data.

    Yields:
        A line per network.

    Raises:
        InputError: a GPU is not there, a network cannot be built, or a strategy has no effect on
            a network or breaks the contract for masks.
    """
    for plan in plans:
        if plan.context.device != "cpu":
            require_gpu(plan.context.device)
        runs, size = [planned.run for planned in plan.runs], plan.context.image.size
        check_networks(runs, 1 + len(plan.context.classes), size)
        check_own_plugins(runs, size)
    steps = _steps(merged_graph(plans))
    models = {m.model_dump_json(): (m, plan.context) for plan in plans for m in plan.context.models}
    for key, (model, context) in models.items():
        yield _line(model, context, steps[key])


def _steps(graph: Graph) -> dict[str, int]:
    """Optimiser steps of all stages by network."""
    steps: dict[str, int] = defaultdict(int)
    for stage in graph.stages.values():
        steps[stage.run.model.model_dump_json()] += stage.steps
    return steps


def _line(model: ModelChoice, context: StageContext, steps: int) -> str:
    from cl_seg.models.build import build_model, parameter_count  # noqa: PLC0415 - torch, slow

    classes, size = 1 + len(context.classes), context.image.size
    network = build_model(model.name, model.preset, model.arguments, classes, size)
    seconds = seconds_per_step(network, context, context.training_of(model).precision)
    return (
        f"{model.label}: {parameter_count(network) / 1e6:.1f} million parameters, "
        f"{seconds:.2g} s a step here: its {steps} steps take about "
        f"{duration_text(seconds * steps)} on one worker, evaluations and strategies come on top"
    )


def seconds_per_step(network: "nn.Module", context: StageContext, precision: str) -> float:
    """Median duration of some training steps on random images.

    Args:
        network: is trained, and moved to the device.
        context: of the plan.
        precision: ``float32`` or ``bfloat16``.
    """
    from cl_seg.runtime import torch_setup  # noqa: PLC0415  # isort: skip
    import torch  # noqa: PLC0415

    from cl_seg.losses import dice_cross_entropy  # noqa: PLC0415

    training, size = context.training, context.image.size
    torch_setup.make_deterministic(training.threads)
    device = torch_setup.pick_device(context.device)
    images = torch.rand(training.batch_size, 1, size, size, device=device)
    labels = torch.randint(0, 1 + len(context.classes), images[:, 0].shape, device=device)
    network.to(device).train()
    optimiser = torch.optim.AdamW(network.parameters())
    durations = []
    for _ in range(1 + STEPS):
        started = time.perf_counter()
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            logits = network(images)
        dice_cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        durations.append(time.perf_counter() - started)
    return median(durations[1:])
