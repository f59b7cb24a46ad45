"""A strategy and its settings as the rest of the package sees them, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import explain_errors

TrainingRegime = Literal["sequential", "joint", "cumulative", "single"]
StateSaved = Literal["not_needed", "after_training", "during_training", "never"]
Scoring = Literal["as_trained", "per_scanner", "per_case"]


class Settings(BaseModel):
    """Settings of a strategy; the base class has none. All defaults are settings of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def of_keywords(cls, **values: Any) -> Self:
        """The settings that keywords of a plugin give.

        Raises:
            InputError: naming every wrong field.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            text = "; ".join(explain_errors(error, cls))
            raise InputError(f"{cls.__name__.removesuffix('Settings')}: {text}") from None

    def slices_per_step(self, batch_size: int) -> tuple[int, int]:
        """New and replayed slices of a training step, where it is active."""
        return batch_size, 0


class PluginSettings(BaseModel):
    """Keyword arguments of somebody else's plugin, whatever they are."""

    model_config = ConfigDict(extra="allow", frozen=True)


@dataclass(frozen=True)
class Strategy:
    """A strategy: its name in tables, settings, plugin, and how it is trained.

    Attributes:
        title: name in tables and figures.
        settings: model of its settings, with defaults.
        plugin: ``module:Class``, taking the settings as keyword arguments (one of ours a ``seed``
            besides); None for plain fine-tuning.
        training_regime: ``sequential`` trains on one scanner after another, ``joint`` once on all
            of them, ``cumulative`` at each scanner on all seen so far, ``single`` on each scanner
            from scratch. Records name it ``schedule``.
        first_active_experience: position (from 1) of the first experience in whose training the
            plugin is active, by changing or by observing it; the earlier ones are trained as by
            naive fine-tuning. None where it is active in no training.
        settings_unused_by_consolidation: settings that change the training only, and not the state
            that a consolidation makes.
        settings_unused_in_first_experience: settings that do not change the training on the first
            experience, even if the plugin is active there.
        state_saved: when the plugin's state is complete and saved by its ``state_dict``:
            ``after_training``, once its ``after_training_exp`` has run in a stage of its own;
            ``during_training``, with the network; ``not_needed`` where the network it starts from
            is all it needs; ``never`` where it has no ``state_dict``, so that a run is trained in
            one piece, as a single stage.
        scoring: which network is evaluated after a training: the one that was trained
            (``as_trained``), or one that the plugin's
            ``prepare_scoring(model, experience, images)`` makes of it in place, for every scanner
            (``per_scanner``) or for every case (``per_case``); ``images`` are the unlabelled ones
            that are about to be scored, in batches (B, 1, S, S), and ``experience`` is −1 on a
            scanner that is held out. The untrained network is evaluated as it is.
        former_name: its name in suites of earlier versions, which are asked to change it.
        contract_settings: settings under which a few steps show its effect, for the contract.
        contract_baseline: settings that switch off what sets it apart, for the contract; empty
            where it is compared with plain fine-tuning.
    """

    title: str
    settings: type[Settings] | type[PluginSettings]
    plugin: str | None = None
    training_regime: TrainingRegime = "sequential"
    first_active_experience: int | None = 2
    settings_unused_by_consolidation: frozenset[str] = frozenset()
    settings_unused_in_first_experience: frozenset[str] = frozenset()
    state_saved: StateSaved = "after_training"
    scoring: Scoring = "as_trained"
    former_name: str = ""
    contract_settings: Mapping[str, Any] = field(default_factory=dict)
    contract_baseline: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changes_scoring(self) -> bool:
        """True where another network is evaluated than the trained one."""
        return self.scoring != "as_trained"

    @property
    def keeps_state_of_scanners(self) -> bool:
        """True where a scanner is scored with what was kept of the experience on it."""
        return self.changes_scoring and self.state_saved != "not_needed"

    @property
    def has_consolidation_stage(self) -> bool:
        """True where its state is made by a stage of its own, after the training."""
        return self.plugin is not None and self.state_saved == "after_training"

    def is_active_at(self, position: int) -> bool:
        """True where it is active in the training on the experience at a position (from 1)."""
        return (
            self.plugin is not None
            and self.first_active_experience is not None
            and position >= self.first_active_experience
        )
