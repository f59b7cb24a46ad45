"""Suites: what is run as a whole."""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.faults import require_distinct, require_known
from cl_seg.spec.settings import Data, Image, Spec, Split, Training


class Suite(Spec):
    """What stream and seed-curve suites share."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    data: Data
    classes: list[str] = Field(default=["muscle", "liver"], min_length=1)
    split: Split = Split()
    image: Image
    models: Annotated[list[ModelChoice], Field(min_length=1)]
    seeds: list[NonNegativeInt] = Field(default=[0], min_length=1)
    training: Training

    @field_validator("models")
    @classmethod
    def _models_differ(cls, value: list[ModelChoice]) -> list[ModelChoice]:
        return require_distinct(value, [m.label for m in value], "give one of them a `label`")

    @field_validator("classes", "seeds")
    @classmethod
    def _values_differ(cls, value: list[Any]) -> list[Any]:
        return require_distinct(value, value)

    @model_validator(mode="after")
    def _sizes_fit(self, info: ValidationInfo) -> "Suite":
        networks = (info.context or {}).get("networks", {})
        for model in self.models:
            if model.name not in networks:
                continue
            multiple, smallest = (
                networks[model.name].size_multiple,
                networks[model.name].smallest_size,
            )
            if self.image.size % multiple or self.image.size < smallest:
                raise PydanticCustomError(
                    "size",
                    "{size} does not fit {model}, which needs a multiple of {multiple} "
                    "from {smallest} on",
                    {
                        "size": self.image.size,
                        "model": model.name,
                        "multiple": multiple,
                        "smallest": smallest,
                        "in": ["image", "size"],
                    },
                )
        return self


class StreamSuite(Suite):
    """Continual learning over a stream of scanners: models x strategies x orders x seeds.

    Attributes:
        strategies: at least one.
        learned_dice: class → Dice right after learning below which a scanner counts as not
            learned; a run with such a scanner is not evaluable, however little it forgets.
        orders: ``as_listed``, ``all`` permutations, ``pairs`` (every ordered pair), or explicit
            lists of scanners. Where every stream is a pair, joint training is on all scanners in
            them.
    """

    kind: Literal["stream"]
    strategies: Annotated[list[StrategyChoice], Field(min_length=1)]
    learned_dice: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={"muscle": 0.75, "liver": 0.8}
    )
    orders: (
        Literal["as_listed", "all", "pairs"]
        | Annotated[list[Annotated[list[str], Field(min_length=1)]], Field(min_length=1)]
    ) = "as_listed"

    @model_validator(mode="after")
    def _learned_dice_of_classes(self) -> "StreamSuite":
        if "learned_dice" in self.model_fields_set:
            for name in self.learned_dice:
                require_known(name, self.classes, "class", "learned_dice")
        return self

    @field_validator("strategies")
    @classmethod
    def _strategies_differ(cls, value: list[StrategyChoice]) -> list[StrategyChoice]:
        each = [point for choice in value for point in choice.points]
        return require_distinct(each, [s.label for s in each], "give one of them a `label`")

    @model_validator(mode="after")
    def _settings_of_networks(self) -> "StreamSuite":
        for choice in self.strategies:
            for label in (*choice.settings_of, *(choice.networks or [])):
                require_known(label, [m.label for m in self.models], "network", "strategies")
        return self


class SeedCurveSuite(Suite):
    """Dice on a new scanner against the number of SEED images, transfer against from scratch.

    Attributes:
        base: scanners the transferred model is first trained on.
        target: the new scanner.
        seed_images: numbers of labelled slices of the new scanner.
        start: where training on them starts from.
    """

    kind: Literal["seed_curve"]
    base: Annotated[list[str], Field(min_length=1)]
    target: str
    seed_images: Annotated[list[PositiveInt], Field(min_length=1)]
    start: Annotated[list[Literal["transfer", "scratch"]], Field(min_length=1)]
