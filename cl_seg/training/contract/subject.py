"""A strategy on a network, which is held to the contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.strategies.declared import declared_strategy
from cl_seg.strategies.registry import build_plugin

CLASSES = 3
"""Channels of the networks that are tried, background included."""


@dataclass(frozen=True)
class Subject:
    """A plugin and a network, made anew for every trial.

    Attributes:
        make_plugin: makes the plugin as it is before the first experience.
        make_model: makes the untrained network, the same one every time.
        size: height and width of the images.
        active_from: position (from 1) of the first experience whose training it may change or
            watch; None where it takes part in none.
        keeps_state: True where it has a ``state_dict`` to go on from.
        make_baseline: makes the plugin with what sets it apart switched off; None to compare with
            plain fine-tuning.
        changes_scoring: True where it changes the network that is scored, by
            ``load_scanner_statistics``.
    """

    make_plugin: Callable[[], Any]
    make_model: Callable[[], nn.Module]
    size: int
    active_from: int | None
    keeps_state: bool
    make_baseline: Callable[[], Any] | None = None
    changes_scoring: bool = False


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
        return lambda: build_plugin(name, {**declared.contract_settings, **settings, **more}, 1)

    def same_model() -> nn.Module:
        torch.manual_seed(1)
        return make_model()

    return Subject(
        making({}),
        same_model,
        size,
        declared.active_from,
        declared.memory in {"after_training", "during_training"},
        making(declared.contract_baseline) if declared.contract_baseline else None,
        declared.changes_scoring,
    )
