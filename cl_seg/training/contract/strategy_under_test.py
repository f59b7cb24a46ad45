"""A strategy on a network, as the checks of the contract train it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.strategies.build import build_plugin
from cl_seg.strategies.registry import find_strategy

CLASSES = 3
"""Channels of the networks in the checks, background included."""


@dataclass(frozen=True)
class StrategyUnderTest:
    """A plugin and a network, made anew for every training.

    Attributes:
        make_plugin: makes the plugin as it is before the first experience.
        make_model: makes the untrained network, the same one every time.
        size: height and width of the images.
        first_active_experience: position (from 1) of the first experience in whose training the
            plugin is active, by changing or by observing it; None for never.
        keeps_state: True where its ``state_dict`` lets a run be resumed.
        make_baseline: makes the plugin with its characteristic part switched off, to compare with;
            None to compare with plain fine-tuning.
        changes_scoring: True where it changes the network that is evaluated, by
            ``prepare_scoring``.
    """

    make_plugin: Callable[[], Any]
    make_model: Callable[[], nn.Module]
    size: int
    first_active_experience: int | None
    keeps_state: bool
    make_baseline: Callable[[], Any] | None = None
    changes_scoring: bool = False


def strategy_under_test(
    name: str, settings: Mapping[str, Any], make_model: Callable[[], nn.Module], size: int
) -> StrategyUnderTest:
    """A registered strategy, or anyone's plugin, on a network.

    Args:
        name: of the strategy, or ``module:Class``.
        settings: of it; the others have their defaults.
        make_model: makes the network for :data:`CLASSES` classes, its weights not yet fixed.
        size: height and width it takes.
    """
    found = find_strategy(name)

    def making(more: Mapping[str, Any]) -> Callable[[], Any]:
        return lambda: build_plugin(name, {**found.contract_settings, **settings, **more}, 1)

    def same_model() -> nn.Module:
        torch.manual_seed(1)
        return make_model()

    return StrategyUnderTest(
        making({}),
        same_model,
        size,
        found.first_active_experience,
        found.plugin is not None and found.state_saved in {"after_training", "during_training"},
        making(found.contract_baseline) if found.contract_baseline else None,
        found.changes_scoring,
    )
