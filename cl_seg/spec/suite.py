"""Suites: the fields that all of them share, and streams of scanners."""

import re
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
from cl_seg.spec.part import Spec
from cl_seg.spec.settings import Data, Image, Split, Training

SliceChoice = Literal["random", "stratified", "k-center", "typiclust", "entropy"]
EVALUATE = r"^(all|seen|every [1-9][0-9]*)$"


class Suite(Spec):
    """The fields that suites of all kinds share.

    Attributes:
        name: of the suite, and of its folder in ``results``.
        data: source of the slices.
        classes: structures that are learned together, named as in the store.
        split: division of slices into training, validation and test.
        image: the image that networks see.
        models: networks, at least one.
        strategies: at least one.
        seeds: random seeds, one run each: of weights, batches, augmentation and memories.
        training: on every experience.
        tools: semi-automatic tools scored on the same test slices, see
            ``cl_seg/semi_automatic/registry.py``.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    data: Data
    classes: list[str] = Field(default=["muscle", "liver"], min_length=1)
    split: Split = Split()
    image: Image
    models: Annotated[list[ModelChoice], Field(min_length=1)]
    strategies: Annotated[list[StrategyChoice], Field(min_length=1)]
    seeds: list[NonNegativeInt] = Field(default=[0], min_length=1)
    training: Training
    tools: list[str] = Field(default=[])

    @field_validator("models")
    @classmethod
    def _models_differ(cls, value: list[ModelChoice]) -> list[ModelChoice]:
        return require_distinct(value, [m.label for m in value], "give one of them a `label`")

    @field_validator("strategies")
    @classmethod
    def _strategies_differ(cls, value: list[StrategyChoice]) -> list[StrategyChoice]:
        each = [point for choice in value for point in choice.points]
        return require_distinct(each, [s.label for s in each], "give one of them a `label`")

    @field_validator("classes")
    @classmethod
    def _none_is_the_mean(cls, value: list[str]) -> list[str]:
        if "mean" in value:
            raise PydanticCustomError(
                "mean", "no class can be called mean, which stands for that of all classes"
            )
        return value

    @field_validator("classes", "seeds", "tools")
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

    @model_validator(mode="after")
    def _settings_of_networks(self) -> "Suite":
        for choice in self.strategies:
            for label in (*choice.settings_of, *(choice.networks or [])):
                require_known(label, [m.label for m in self.models], "network", "strategies")
        return self


class Replicates(Spec):
    """Repetitions of a whole experiment, each with a stream of other scanners.

    Replicate r has the random seed r and the r-th stream: the scanners of the data that are not
    held out are dealt to the streams in their order, so that no two share one. Drawn scanners make
    every stream a random one.

    Attributes:
        number: how many; more of them leave the first ones as they are.
        scanners: of every stream.
    """

    number: PositiveInt
    scanners: Annotated[int, Field(ge=2)]


class StreamSuite(Suite):
    """Continual learning over a stream of scanners: models x strategies x orders x seeds.

    Or models x strategies x replicates.

    Attributes:
        kind: ``stream``.
        learned_dice: class → Dice right after learning below which a scanner counts as not
            learned; a run with such a scanner is not evaluable, however little it forgets.
        orders: ``as_listed``, ``both_ways`` (as listed, and the other way round), ``all``
            permutations, ``pairs`` (every ordered pair), or explicit lists of scanners, which may
            return to one (A, B, A): a return trains on the same slices again. Where every stream is
            a pair, joint training is on all scanners in them.
        replicates: in the place of ``orders`` and ``seeds``, repetitions that each have a seed and
            a stream of scanners of their own, so that results are about scanners in general.
        evaluate: scanners that are tested after every experience: ``all``; ``seen``, those learned
            so far; or ``every K`` (such as ``every 5``), all of them before the first, after every
            K-th and after the last experience, and after the others the scanner just learned and
            the next one. The scores that each defines are in docs/metrics.md.
        held_out: scanners that are tested before the first and after every experience and never
            trained on, in no order. R stays that of the scanners of the order.
        experience: what an experience trains on: the slices of one ``scanner``, or with ``months``
            those of one month, of whatever scanners, from a store made with ``ingest --months``.
            Then all scanners but those held out take part, there are no ``orders``, and scores of
            the moment right after learning a scanner are not defined, see docs/metrics.md.
    """

    kind: Literal["stream"]
    learned_dice: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={"muscle": 0.75, "liver": 0.8}
    )
    orders: (
        Literal["as_listed", "both_ways", "all", "pairs"]
        | Annotated[list[Annotated[list[str], Field(min_length=1)]], Field(min_length=1)]
    ) = "as_listed"
    replicates: Replicates | None = None
    evaluate: str = Field(default="all", json_schema_extra={"pattern": EVALUATE})
    held_out: list[str] = Field(default=[])
    experience: Literal["scanner", "months"] = "scanner"

    @field_validator("held_out")
    @classmethod
    def _held_out_once(cls, value: list[str]) -> list[str]:
        return require_distinct(value, value)

    @field_validator("evaluate", mode="before")
    @classmethod
    def _known_choice(cls, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(EVALUATE, value):
            raise PydanticCustomError(
                "evaluate",
                "expected all, seen or every K with a number of experiences, such as every 5, not "
                "{value}",
                {"value": repr(value)},
            )
        return value

    @model_validator(mode="after")
    def _months_are_the_order(self) -> "StreamSuite":
        if self.experience == "months" and self.orders != "as_listed":
            text = "`experience: months` puts the stream in the order of its months: leave it out"
            raise PydanticCustomError("orders", "{text}", {"text": text, "in": ["orders"]})
        return self

    @model_validator(mode="after")
    def _replicates_are_orders_and_seeds(self) -> "StreamSuite":
        if self.replicates is None:
            if any(choice.replicates for choice in self.strategies):
                text = "a strategy has `replicates`, but the suite has none"
                raise PydanticCustomError("replicates", "{text}", {"text": text})
            return self
        for name in ("orders", "seeds", "experience"):
            if getattr(self, name) != type(self).model_fields[name].default:
                text = "every replicate has a seed and a stream of its own: leave it out"
                raise PydanticCustomError("replicates", "{text}", {"text": text, "in": [name]})
        return self

    @model_validator(mode="after")
    def _learned_dice_of_classes(self) -> "StreamSuite":
        if "learned_dice" in self.model_fields_set:
            defaults = type(self).model_fields["learned_dice"].default
            for name, bound in self.learned_dice.items():
                if bound != defaults.get(name):  # plan.json holds the defaults of all classes
                    require_known(name, self.classes, "class", "learned_dice")
        return self
