"""A model folder as it is shipped: half the size, and a card for those who did not train it."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor

from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.inference.training_features import read_training_features
from cl_seg.messages.errors import InputError
from cl_seg.records.model_card import About
from cl_seg.records.shipped import find_model_folder

MAX_BYTES = 15_000_000
"""Largest weights that are shipped within the package (engineering value)."""


def ship_model(model: Path, out: Path, about: About, trusted_network: str = "") -> None:
    """Write a model folder with weights in float16, which are loaded as float32.

    Weights are rounded to 11 significant bits. The scores of the card, and the features of
    training scanners, are those of the weights before.

    Args:
        model: model folder.
        out: folder to make.
        about: what the card says of the model.
        trusted_network: see :func:`cl_seg.inference.saved_model.read_model_folder`.

    Raises:
        InputError: no model folder; ``out`` exists; a weight that float16 cannot hold; or weights
            larger than ``MAX_BYTES``.
    """
    network, card = read_model_folder(model, trusted_network)
    weights = {name: _halved(name, tensor) for name, tensor in network.state_dict().items()}
    size = sum(tensor.nbytes for tensor in weights.values())
    if size > MAX_BYTES:
        raise InputError(
            f"{model}: its weights have {size / 1e6:.1f} MB in float16, at most "
            f"{MAX_BYTES / 1e6:g} MB are shipped: choose a smaller network"
        )
    features = read_training_features(find_model_folder(model), card.weights_sha256)
    save_model(out, weights, card.model_copy(update={"about": about}), features)


def _halved(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.to(torch.float16)
    if not half.isfinite().all():
        raise InputError(
            f"{name} has weights beyond {torch.finfo(torch.float16).max:g}, which float16 cannot "
            "hold: the model cannot be shipped"
        )
    return half
