"""A saved model, as far as plans need it: its card, never its weights."""

from pathlib import Path
from typing import Any

from cl_seg.models.registry import NETWORKS
from cl_seg.planning.runs import StartingModel
from cl_seg.planning.weights import weights_hash
from cl_seg.records.model_card import check_known, read_card
from cl_seg.spec.update import UpdateSuite


def fields_of_model(folder: Path, trusted_network: str = "") -> dict[str, Any]:
    """The fields of a suite that a model folder determines.

    Raises:
        InputError: no model folder, a damaged card, or a network that is not known.
    """
    card = read_card(folder)
    check_known(folder, card, NETWORKS, trusted_network)
    network = card.network.model_dump(include={"name", "preset", "arguments"})
    if rate := card.trained.get("learning_rate"):
        network["learning_rate"] = rate
    size, window_hu = card.input.size, list(card.input.window_hu)
    return {
        "models": [network],
        "classes": card.classes,
        "image": {"size": size, "window_hu": window_hu},
    }


def starting_model(suite: UpdateSuite) -> StartingModel:
    """The network that an update begins with.

    Raises:
        InputError: its card or weights cannot be read.
    """
    if not suite.model:
        return StartingModel(None, weights_hash(suite.models[0]))
    folder = Path(suite.model)
    card = read_card(folder)
    return StartingModel(
        folder, card.weights_sha256, card.scanners, card.simulated, card.about.levels
    )
