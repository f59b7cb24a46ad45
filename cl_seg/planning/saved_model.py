"""A saved model, as far as plans need it: its card, and which strategies can train it further."""

from pathlib import Path
from typing import Any

from cl_seg.models.registry import NETWORKS
from cl_seg.planning.runs import StartingModel
from cl_seg.planning.weights import weights_hash
from cl_seg.records.model_card import check_known, read_card
from cl_seg.spec.choices import StrategyChoice
from cl_seg.spec.from_model import FromModelSuite
from cl_seg.strategies.registry import STRATEGIES, find_strategy
from cl_seg.strategies.strategy import Strategy


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


def starting_model(suite: FromModelSuite) -> StartingModel:
    """The network that a suite starts from, its ``model`` or what its one network loads.

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


def why_not_further(choice: StrategyChoice, old: tuple[str, ...]) -> str:
    """Why a strategy cannot train a saved model further, "" where it can.

    Args:
        choice: the strategy.
        old: scanners that the model was trained on and whose slices are at hand.
    """
    name, strategy = choice.name, find_strategy(choice.name)
    if strategy.training_regime != "sequential":
        return f"strategies: {name} has no place where a saved model is trained further"
    if strategy.changes_scoring:
        return (
            f"strategies: {name} scores another network for each scanner or case, and a saved "
            "model that is trained further is one network"
        )
    if strategy.state_saved not in {"not_needed", "after_training"}:
        return (
            f"strategies: {name} has to watch the training on the old scanners, which is over: "
            f"{_others(needing=bool(old))} need not"
        )
    if needs_old_slices(strategy) and not old:
        return (
            f"strategies: {name} needs slices of an old scanner, of which there is none: "
            f"{_others(needing=False)} run without"
        )
    return ""


def needs_old_slices(strategy: Strategy) -> bool:
    """True where what a strategy keeps of the old scanners is made of their slices."""
    return strategy.has_consolidation_stage


def can_update(strategy: Strategy) -> bool:
    """True for strategies that a saved model can be trained further with, given old slices."""
    return (
        strategy.training_regime == "sequential"
        and not strategy.changes_scoring
        and strategy.state_saved in {"not_needed", "after_training"}
    )


def _others(*, needing: bool) -> str:
    """Strategies that can train a saved model further, with those that need old slices or not."""
    return ", ".join(
        name
        for name, strategy in STRATEGIES.items()
        if can_update(strategy) and needs_old_slices(strategy) <= needing
    )
