"""A model as a folder that anyone can load: weights as safetensors, and a card about them.

Layout::

    card.json             see :class:`cl_seg.records.model_card.ModelCard`
    model.safetensors     the network's parameters and buffers, float32 or float16
    features.safetensors  of its training scanners (:mod:`cl_seg.inference.training_features`)
    calibration.json      of its Dice (:mod:`cl_seg.inference.dice_calibration`)

The last two are for the monitor; a folder without them is whole.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from cl_seg.files.write import new_folder, write_bytes, write_text
from cl_seg.inference.training_features import FEATURES, TrainingFeatures
from cl_seg.messages.errors import InputError, one_line
from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.records.model_card import CARD, WEIGHTS, ModelCard, check_known, read_card
from cl_seg.records.shipped import find_model_folder
from cl_seg.runtime.weights import misfit


def save_model(
    folder: Path,
    weights: Mapping[str, Tensor],
    card: ModelCard,
    features: TrainingFeatures | None = None,
) -> None:
    """Write a model folder, whole or not at all.

    Args:
        folder: to make; must not exist.
        weights: ``state_dict`` of the network.
        card: its checksum is filled in.
        features: of its training scanners, where they were measured.

    Raises:
        InputError: ``folder`` exists or cannot be written.
    """
    # Copies: of weights that share memory, as tied ones do, safetensors would keep none.
    content = save({n: tensor.detach().cpu().contiguous().clone() for n, tensor in weights.items()})
    card = card.model_copy(update={"weights_sha256": hashlib.sha256(content).hexdigest()})
    with new_folder(folder) as building:
        write_bytes(building / WEIGHTS, content)
        if features:
            write_bytes(building / FEATURES, features.to_bytes(card.weights_sha256))
        write_text(building / CARD, card.model_dump_json(indent=1) + "\n")


def read_model_folder(folder: Path, trusted_network: str = "") -> tuple[nn.Module, ModelCard]:
    """The network in eval mode on the CPU, in float32, and its card.

    Args:
        folder: of the model, see :func:`cl_seg.records.shipped.find_model_folder`.
        trusted_network: ``module:callable`` of a network outside the registry that may be imported
            if the card names it; a card alone never makes code run.

    Raises:
        InputError: no model folder, a damaged card, a network that is not known, weights that are
            not those the card was written for or do not fit the network. Nothing is ever unpickled.
    """
    folder = find_model_folder(folder)
    card = read_card(folder)
    check_known(folder, card, NETWORKS, trusted_network)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise InputError(f"{folder / WEIGHTS} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise InputError(
            f"{folder / WEIGHTS} is not what {CARD} was written for (SHA-256 differs): the file is "
            "damaged or was exchanged, copy the model again"
        )
    network = card.network
    model = build_model(
        network.name, network.preset, network.arguments, len(card.classes) + 1, card.input.size
    )
    try:
        weights = load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{folder / WEIGHTS} is damaged: {one_line(error)}") from error
    if fault := misfit(weights, model.state_dict()):
        raise InputError(
            f"{folder / WEIGHTS}: the weights do not fit the network {network.name}: {fault}"
        )
    model.load_state_dict(weights)
    return model.eval(), card
