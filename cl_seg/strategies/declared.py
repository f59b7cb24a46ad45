"""What can be said of each strategy without importing torch: settings, stages, plugin.

A new strategy is one file with its plugin plus one entry here.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from cl_seg.import_path import has_methods

Schedule = Literal["sequential", "joint"]
Memory = Literal["apart", "within", "lost"]


class Settings(BaseModel):
    """Settings of a strategy; the base class has none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PluginSettings(BaseModel):
    """Keyword arguments of somebody else's plugin, whatever they are."""

    model_config = ConfigDict(extra="allow", frozen=True)


class JointSettings(Settings):
    """Joint training on the union of all scanners, the usual upper bound.

    Attributes:
        steps_factor: optimiser steps as a multiple of one stage; None means the number of
            scanners, so that joint training costs as much as the whole stream.
    """

    steps_factor: float | None = Field(default=None, gt=0)


class ReplaySettings(Settings):
    """Replay of stored slices (Chaudhry et al. 2019, arXiv 1902.10486).

    Attributes:
        budget: slices in memory over all scanners seen, shared equally between them.
        batch_share: part of every batch drawn from memory once there is one.
    """

    budget: PositiveInt = 16
    batch_share: float = Field(default=0.5, gt=0, lt=1)


class EWCSettings(Settings):
    """Elastic weight consolidation (Kirkpatrick et al. 2017, eq. 3).

    The training loss gains ``ewc_lambda / 2 · Σ_k F_k (θ_k − θ*_k)²``.

    Attributes:
        ewc_lambda: λ of the equation above.
        fisher: how the diagonal Fisher information is estimated (names as in van de Ven 2025,
            arXiv 2502.11756): ``sampled`` draws every pixel's label from the softmax, ``empirical``
            takes the true labels, both square per-image gradients; ``batch`` squares the gradient
            of a mini-batch mean, as Avalanche does.
        fisher_images: images the Fisher is estimated on, drawn at random; None means all.
        mode: ``summed`` adds one quadratic per scanner, ``online`` decays the older ones.
        decay: γ of the online mode (Schwarz et al. 2018, eq. 9), which needs it.
    """

    ewc_lambda: float = Field(default=0.01, ge=0)
    fisher: Literal["sampled", "empirical", "batch"] = "sampled"
    fisher_images: PositiveInt | None = None
    mode: Literal["summed", "online"] = "summed"
    decay: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> "EWCSettings":
        if (self.mode == "online") != (self.decay is not None):
            raise PydanticCustomError("decay", "`decay` and `mode: online` go together")
        if self.fisher == "batch" and self.fisher_images is not None:
            raise PydanticCustomError("images", "`fisher_images` has no effect on `fisher: batch`")
        return self


@dataclass(frozen=True)
class Strategy:
    """A strategy of the registry.

    Attributes:
        title: name in tables and figures.
        settings: model of its settings, with defaults.
        plugin: ``module:callable`` taking settings and a seed, or None for plain fine-tuning; for
            somebody else's plugin, taking its settings as keyword arguments.
        schedule: ``sequential`` trains one stage per scanner, ``joint`` one stage on all.
        first_acts: position (from 1) of the first stage whose training it takes part in, by
            changing it or by watching it; earlier stages are those of naive fine-tuning.
        training_only: settings that act in training and not on what is kept of an experience.
        memory: what becomes of what it keeps of an experience: made ``apart`` from training by its
            ``after_training_exp``, made ``within`` training, in both cases kept by ``state_dict``;
            or ``lost`` with the process, so that a run is trained in one piece.
    """

    title: str
    settings: type[Settings] | type[PluginSettings]
    plugin: str | None
    schedule: Schedule = "sequential"
    first_acts: int = 2
    training_only: frozenset[str] = frozenset()
    memory: Memory = "apart"


STRATEGIES: dict[str, Strategy] = {
    "naive": Strategy("Naive", Settings, None),
    "replay": Strategy(
        "Replay",
        ReplaySettings,
        "cl_seg.strategies.replay:Replay",
        training_only=frozenset({"batch_share"}),
    ),
    "ewc": Strategy(
        "EWC", EWCSettings, "cl_seg.strategies.ewc:EWC", training_only=frozenset({"ewc_lambda"})
    ),
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
    memory: Memory = "within" if kept else "lost"
    title = target.partition(":")[2]
    return Strategy(title, PluginSettings, target, first_acts=1, memory=memory)
