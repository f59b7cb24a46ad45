"""Untrained networks, which every stream begins with."""

from cl_seg.runtime import torch_setup  # isort: skip
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.planning.context import StageContext
from cl_seg.planning.runs import Run
from cl_seg.training.seeds import derive_seeds


def initial_model(run: Run, context: StageContext) -> nn.Module:
    """The untrained network of a run, its weights drawn from the run's seed."""
    torch_setup.seed_everything(derive_seeds(run.seed, 0, "initial weights")["global"])
    classes, size = len(context.classes) + 1, context.image.size
    return build_model(run.model.name, run.model.preset, run.model.arguments, classes, size)
