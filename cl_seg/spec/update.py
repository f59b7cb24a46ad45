"""Update suites: a saved model is trained further on labelled slices of a new scanner."""

from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from cl_seg.spec.faults import refusal, require_distinct
from cl_seg.spec.from_model import FromModelSuite
from cl_seg.spec.part import Spec
from cl_seg.spec.settings import Later
from cl_seg.spec.suite import SliceChoice

MIN_PATIENTS, MIN_SEEDS = 3, 2
"""Test patients and seeds of a verdict: with fewer, changes have no bounds."""


class Margins(Spec):
    """How much worse a scanner may become and still count as not worse.

    Attributes:
        dice: of the Dice.
        area: of the error of the area, as a share of the true area.
    """

    dice: float = Field(default=0.01, gt=0, lt=1)
    area: float = Field(default=0.02, gt=0, lt=1)


class UpdateSuite(FromModelSuite):
    """Whether a saved model may be updated with a new scanner: strategies x slices x seeds.

    The model is scored on every scanner of the data as it is, and after training on labelled
    slices of the new scanner.

    Attributes:
        kind: ``update``.
        models: that of the model; without ``model``, one network with ``load``.
        new: the new scanner.
        held_out: scanners that are tested only.
        old: scanners that the model was trained on, whose slices strategies may use; empty for all
            others of the data. There may be none. Scanners that are neither new, old nor held out
            are not used.
        labelled: numbers of labelled slices of the new scanner to train on; ``all`` for all that
            are for training.
        by: how they are chosen; the model chooses where a network is needed.
        rate_factor: multiple of the network's peak learning rate; 0.1 is a setting of ours.
        margins: how much worse a scanner may become.
    """

    kind: Literal["update"]
    new: str
    held_out: list[str] = Field(default=[])
    old: list[str] = Field(default=[])
    labelled: list[PositiveInt | Literal["all"]] = Field(default=["all"], min_length=1)
    by: SliceChoice = "random"
    rate_factor: PositiveFloat = 0.1
    margins: Margins = Margins()

    @field_validator("old", "held_out", "labelled")
    @classmethod
    def _listed_once(cls, value: list[Any]) -> list[Any]:
        return require_distinct(value, value)

    @model_validator(mode="after")
    def _one_trained_network(self) -> "UpdateSuite":
        if len(self.models) > 1 or not (self.model or self.models[0].load):
            raise refusal("give `model`, a model folder, or one network with `load`", "models")
        return self

    @model_validator(mode="after")
    def _scanners_apart(self) -> "UpdateSuite":
        named = [self.new, *self.old, *self.held_out]
        require_distinct(named, named, "a scanner is either new, old or held out")
        return self

    @model_validator(mode="after")
    def _fine_tuned(self) -> "UpdateSuite":
        later = Later(rate_factor=self.rate_factor)
        if "later" in self.training.model_fields_set and self.training.later != later:
            text = "an update has one training, with `rate_factor` and `steps`: leave `later` out"
            raise refusal(text, "training", "later")
        training = self.training.model_copy(update={"later": later})
        return self.model_copy(update={"training": training})
