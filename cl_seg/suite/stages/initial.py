"""Networks as every stream begins with them."""

from cl_seg.runtime import torch_setup  # isort: skip
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.planning.context import StageContext
from cl_seg.planning.runs import Run
from cl_seg.runtime.weights import call_loader, load_weights_file
from cl_seg.training.seeds import derive_seeds


def initial_model(run: Run, context: StageContext) -> nn.Module:
    """The network of a run before its first experience.

    Its weights are drawn from the run's seed, or those that the suite loads.

    Raises:
        InputError: they cannot be loaded.
    """
    torch_setup.seed_everything(derive_seeds(run.seed, 0, "initial weights")["global"])
    classes, size = len(context.classes) + 1, context.image.size
    choice = run.model
    network = build_model(choice.name, choice.preset, choice.arguments, classes, size)
    if choice.weights_file:
        load_weights_file(network, choice.weights_file)
    elif choice.loader:
        call_loader(network, choice.loader)
    return network
