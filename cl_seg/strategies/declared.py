"""What can be said of each strategy without importing torch: settings, stages, plugin.

A new strategy is one file with its plugin plus one entry here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from cl_seg.runtime.import_path import has_methods
from cl_seg.strategies.settings import (
    AGEMSettings,
    CumulativeSettings,
    DERSettings,
    EWCSettings,
    FrozenEncoderSettings,
    JointSettings,
    L2Settings,
    LwFSettings,
    MASSettings,
    PluginSettings,
    ReplaySettings,
    RWalkSettings,
    Settings,
    SISettings,
)

Schedule = Literal["sequential", "joint", "cumulative", "single"]
Memory = Literal["none", "after_training", "during_training", "not_saved"]


@dataclass(frozen=True)
class Strategy:
    """A strategy of the registry.

    Attributes:
        title: name in tables and figures.
        settings: model of its settings, with defaults.
        plugin: ``module:callable`` taking settings and a seed, or None for plain fine-tuning; for
            somebody else's plugin, taking its settings as keyword arguments.
        schedule: ``sequential`` trains one stage per scanner, ``joint`` one stage on all,
            ``cumulative`` one stage per scanner on all scanners seen so far, ``single`` one stage
            per scanner from scratch.
        active_from: position (from 1) of the first stage whose training it takes part in, by
            changing it or by watching it; earlier stages are those of naive fine-tuning. None
            where it takes part in no training.
        training_only: settings that act in training and not on what is kept of an experience.
        idle_in_first: settings without a part in the first stage, whatever it does there.
        memory: when what it keeps of an experience is made: ``after_training``, by its
            ``after_training_exp``, or ``during_training``, in both cases saved by ``state_dict``;
            ``not_saved`` is gone with the process, so that a run is trained in one piece; ``none``
            where the network it starts from is all it needs.
        changes_scoring: True where what it keeps changes the network that is scored.
        contract_settings: settings under which a few steps show what it does, for the contract.
        contract_baseline: settings that switch off what sets it apart, for the contract; empty
            where it is compared with plain fine-tuning.
    """

    title: str
    settings: type[Settings] | type[PluginSettings]
    plugin: str | None
    schedule: Schedule = "sequential"
    active_from: int | None = 2
    training_only: frozenset[str] = frozenset()
    idle_in_first: frozenset[str] = frozenset()
    memory: Memory = "after_training"
    changes_scoring: bool = False
    contract_settings: Mapping[str, Any] = field(default_factory=dict)
    contract_baseline: Mapping[str, Any] = field(default_factory=dict)

    @property
    def consolidates(self) -> bool:
        """True where what it keeps of an experience is made by a stage of its own."""
        return self.plugin is not None and self.memory == "after_training"

    def is_active_at(self, position: int) -> bool:
        """True where it takes part in the training of the stage at a position (from 1)."""
        return (
            self.plugin is not None
            and self.active_from is not None
            and (position >= self.active_from)
        )


MIXING = frozenset({"batch_share"})
STRATEGIES: dict[str, Strategy] = {
    "naive": Strategy("Naive", Settings, None),
    "replay": Strategy(
        "Replay", ReplaySettings, "cl_seg.strategies.replay:Replay", training_only=MIXING
    ),
    "agem": Strategy("A-GEM", AGEMSettings, "cl_seg.strategies.agem:AGEM", training_only=MIXING),
    "der": Strategy(
        "DER++",
        DERSettings,
        "cl_seg.strategies.der:DER",
        training_only=MIXING | {"alpha", "beta"},
        contract_baseline={"alpha": 0.0},
    ),
    "ewc": Strategy(
        "EWC", EWCSettings, "cl_seg.strategies.ewc:EWC", training_only=frozenset({"ewc_lambda"})
    ),
    "mas": Strategy(
        "MAS", MASSettings, "cl_seg.strategies.mas:MAS", training_only=frozenset({"mas_lambda"})
    ),
    "si": Strategy(
        "SI",
        SISettings,
        "cl_seg.strategies.si:SI",
        active_from=1,
        idle_in_first=frozenset({"si_lambda"}),
        memory="during_training",
    ),
    "rwalk": Strategy(
        "RWalk",
        RWalkSettings,
        "cl_seg.strategies.rwalk:RWalk",
        active_from=1,
        idle_in_first=frozenset({"rwalk_lambda"}),
        memory="during_training",
        contract_settings={"every": 2},
    ),
    "lwf": Strategy("LwF", LwFSettings, "cl_seg.strategies.lwf:LwF", memory="none"),
    "l2": Strategy("L2", L2Settings, "cl_seg.strategies.l2:L2", memory="none"),
    "frozen_encoder": Strategy(
        "Frozen encoder",
        FrozenEncoderSettings,
        "cl_seg.strategies.frozen_encoder:FrozenEncoder",
        memory="none",
    ),
    "frozen_statistics": Strategy(
        "Frozen BN statistics",
        Settings,
        "cl_seg.strategies.batch_norm:FrozenStatistics",
        memory="none",
    ),
    "statistics_per_scanner": Strategy(
        "BN statistics per scanner",
        Settings,
        "cl_seg.strategies.batch_norm:StatisticsPerScanner",
        active_from=None,
        changes_scoring=True,
    ),
    "single": Strategy("Single", Settings, None, schedule="single"),
    "cumulative": Strategy("Cumulative", CumulativeSettings, None, schedule="cumulative"),
    "joint": Strategy("Joint", JointSettings, None, schedule="joint"),
}


def declared_strategy(name: str) -> Strategy:
    """What is declared of a strategy, or known of the ``module:callable`` of an Avalanche plugin.

    Somebody else's plugin may act from the first step on, and may do anything when an experience
    ends. What it keeps can go to disk when it has ``state_dict`` and ``load_state_dict``.
    """
    return STRATEGIES[name] if name in STRATEGIES else _of_plugin(name)


@cache
def _of_plugin(target: str) -> Strategy:
    kept = has_methods(target, ("state_dict", "load_state_dict"))
    memory: Memory = "during_training" if kept else "not_saved"
    title = target.partition(":")[2]
    return Strategy(title, PluginSettings, target, active_from=1, memory=memory)
