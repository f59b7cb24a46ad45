"""Update suites: a saved model is trained further on labelled slices of a new scanner."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cl_seg.messages.errors import InputError
from cl_seg.spec.faults import require_distinct
from cl_seg.spec.part import Spec
from cl_seg.spec.settings import Later
from cl_seg.spec.suite import SliceChoice, Suite

MIN_PATIENTS, MIN_SEEDS = 3, 2
"""Test patients and seeds of a verdict: with fewer, changes have no bounds."""
OF_THE_MODEL = ("models", "image")  # required fields that a model folder fills in


def _without_fields_of_the_model(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in schema["required"] if name not in OF_THE_MODEL]


class Margins(Spec):
    """How much worse a scanner may become and still count as not worse.

    Attributes:
        dice: of the Dice.
        area: of the error of the area, as a share of the true area.
    """

    dice: float = Field(default=0.01, gt=0, lt=1)
    area: float = Field(default=0.02, gt=0, lt=1)


class UpdateSuite(Suite):
    """Whether a saved model may be updated with a new scanner: strategies x slices x seeds.

    The model is scored on every scanner of the data as it is, and after training on labelled
    slices of the new scanner.

    Attributes:
        kind: ``update``.
        model: folder of the model, as ``cl-seg model save`` makes it, or the name of a model that
            is shipped with the package, ``base``. Its network, classes and image are those of the
            suite. Without it, `models` has one network with ``load``.
        trusted_network: ``module:callable`` of the model's network, where it is code of your own
            that you trust.
        models: empty with ``model``; else one network with ``load``.
        image: that of the model, unless there is no ``model``.
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

    model_config = ConfigDict(json_schema_extra=_without_fields_of_the_model)

    kind: Literal["update"]
    model: str = ""
    trusted_network: str = ""
    new: str
    held_out: list[str] = Field(default=[])
    old: list[str] = Field(default=[])
    labelled: list[PositiveInt | Literal["all"]] = Field(default=["all"], min_length=1)
    by: SliceChoice = "random"
    rate_factor: PositiveFloat = 0.1
    margins: Margins = Margins()

    @model_validator(mode="before")
    @classmethod
    def _of_the_model(cls, value: Any, info: ValidationInfo) -> Any:
        """Fill in what a model folder determines, and refuse what contradicts it."""
        if not isinstance(value, Mapping) or not isinstance(value.get("model", ""), str):
            return value
        read_model = (info.context or {}).get("read_model")
        if not value.get("model") or read_model is None:
            return value
        try:
            found = read_model(Path(value["model"]), str(value.get("trusted_network", "")))
        except InputError as error:
            raise _fault(str(error), "model") from None
        return {**value, **{k: _agreeing(value.get(k), own, k) for k, own in found.items()}}

    @field_validator("old", "held_out", "labelled")
    @classmethod
    def _listed_once(cls, value: list[Any]) -> list[Any]:
        return require_distinct(value, value)

    @model_validator(mode="after")
    def _one_trained_network(self) -> "UpdateSuite":
        if len(self.models) > 1 or not (self.model or self.models[0].load):
            raise _fault("give `model`, a model folder, or one network with `load`", "models")
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
            raise _fault(text, "training", "later")
        training = self.training.model_copy(update={"later": later})
        return self.model_copy(update={"training": training})


def _agreeing(given: Any, found: Any, *where: str | int) -> Any:
    """What the model determines of a field, and what is given besides.

    Raises:
        PydanticCustomError: something else is given.
    """
    if given is None or given == found:
        return found
    if isinstance(found, dict) and isinstance(given, Mapping):
        return {**given, **{k: _agreeing(given.get(k), v, *where, k) for k, v in found.items()}}
    if where == ("models",) and isinstance(given, list) and len(given) == 1:
        return [_agreeing(given[0], found[0], *where, 0)]
    raise _fault(f"{given} is not that of the model, {found}: leave it out", *where)


def _fault(text: str, *where: str | int) -> PydanticCustomError:
    return PydanticCustomError("update", "{text}", {"text": text, "in": list(where)})
