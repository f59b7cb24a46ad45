"""What to run: a suite file (YAML) as pydantic models, checked whole before anything runs.

Names of networks and strategies are checked against registries handed in by the caller, so that
this module stays free of torch and of every other room.
"""

import difflib
import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cl_seg.files import InputError
from cl_seg.yaml_file import YamlFile

LABEL = r"^([A-Za-z0-9_=+-][A-Za-z0-9_.=+-]*)?$"


class Spec(BaseModel):
    """Base of every part of a suite: unknown fields are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False
    )


def _plain(value: Any) -> Any:
    """Refuse what JSON cannot tell apart or hold, such as numbers as names, and dates."""
    parts: list[Any] = []
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise PydanticCustomError("plain", "{it} is no text: quote it", {"it": repr(name)})
        parts = list(value.values())
    elif isinstance(value, list):
        parts = value
    elif value is not None and not isinstance(value, str | bool | int | float):
        text = "expected text, numbers, lists or fields, not a {kind}: quote it"
        raise PydanticCustomError("plain", text, {"kind": type(value).__name__})
    for part in parts:
        _plain(part)
    return value


Arguments = Annotated[dict[str, Any], BeforeValidator(_plain)]


class PhantomData(Spec):
    """The embedded benchmark: bodies scanned by simulated scanners.

    Attributes:
        scanners: profile names or paths, in stream order.
        own_bodies: bodies scanned by one scanner only, per scanner (training and validation).
        shared_bodies: bodies scanned by every scanner (test).
        size: pixels per side of a stored slice.
        spacing_mm: pixel size of a stored slice in mm.
        seed: seed of anatomy and noise.
        slices: neighbouring slices per level of the body.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
    """

    scanners: Annotated[list[str], Field(min_length=1)]
    own_bodies: PositiveInt
    shared_bodies: PositiveInt
    size: PositiveInt = 256
    spacing_mm: PositiveFloat = 1.6
    seed: NonNegativeInt = 0
    slices: PositiveInt = 1
    intramuscular_fat: bool = False

    @field_validator("scanners")
    @classmethod
    def _scanners_differ(cls, value: list[str]) -> list[str]:
        return _distinct(value, value)


class Data(Spec):
    """Where the slices come from: exactly one of a store on disk or the embedded benchmark."""

    store: Path | None = None
    phantom: PhantomData | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Data":
        if (self.store is None) == (self.phantom is None):
            raise PydanticCustomError(
                "one_source", "give either `store` or `phantom`, and only one of them"
            )
        return self


class Split(Spec):
    """How slices are divided into training, validation and test.

    Attributes:
        by: ``patient`` never shares a patient between parts; ``within_case`` cuts every case into
            contiguous blocks of slices and is not a generalisation result.
        test: share of a scanner's patients (or of a case's slices) kept for the test stream.
        validation: likewise for validation.
        seed: seed of the draw, one for all runs of a suite so that their scores are paired.
    """

    by: Literal["patient", "within_case"] = "patient"
    test: float = Field(default=0.25, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _leaves_training(self) -> "Split":
        if self.test + self.validation >= 1:
            raise PydanticCustomError("split", "test + validation must stay below 1")
        return self


class Image(Spec):
    """What the networks see.

    Attributes:
        size: height and width in pixels, a divisor of the store's; slices are averaged down.
        window_hu: HU mapped to 0 and to 1, clipped outside.
    """

    size: PositiveInt
    window_hu: tuple[float, float] = (-160.0, 240.0)

    @field_validator("window_hu")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise PydanticCustomError("window", "expected [low, high] in HU with low < high")
        return value


class ModelChoice(Spec):
    """One network of the suite; ``unet`` alone is short for ``{name: unet}``.

    Attributes:
        name: a registered network or ``module:callable`` (in_channels, out_channels, image_size,
            **arguments) → torch module giving (B, classes, H, W) logits.
        preset: size of a registered network.
        learning_rate: peak learning rate; None takes the preset's own.
        arguments: further keyword arguments of a ``module:callable``.
        label: name in folders and tables, needed when a network appears twice.
    """

    name: str
    label: str = Field(default="", pattern=LABEL)
    preset: str = "small"
    learning_rate: PositiveFloat | None = None
    arguments: Arguments = {}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _registered(self, info: ValidationInfo) -> "ModelChoice":
        if ":" in self.name and self.learning_rate is None:
            raise PydanticCustomError("rate", "a network of your own needs a learning_rate")
        if ":" in self.name:
            return self._labelled(self.name.split(":")[1])
        networks = (info.context or {}).get("networks", {})
        _known(self.name, networks, "network", "name", "or give module:callable")
        _known(self.preset, networks[self.name].presets, "preset", "preset")
        if self.arguments:
            raise PydanticCustomError(
                "arguments", "`arguments` are for module:callable, a preset has its own"
            )
        return self._labelled(self.name if self.preset == "small" else f"{self.name}_{self.preset}")

    def _labelled(self, label: str) -> "ModelChoice":
        return self.model_copy(update={"label": _label(self.name, self.label or label)})


class StrategyChoice(Spec):
    """One strategy of the suite; ``naive`` alone is short for ``{name: naive}``.

    Attributes:
        name: a registered strategy, or ``module:Class`` of an Avalanche plugin.
        settings: its settings, see ``cl_seg/strategies/declared.py``; defaults are filled in. Of a
            ``module:Class``, its keyword arguments.
        settings_of: label of a network → settings that replace some of these on it.
        grid: settings → values; the suite holds one strategy per combination instead of this one.
        label: name in folders and tables, needed when a strategy appears twice.
    """

    name: str
    settings: Arguments = {}
    settings_of: dict[str, Arguments] = Field(default={}, exclude=True)
    grid: dict[str, Annotated[list[str | bool | int | float | None], Field(min_length=1)]] = Field(
        default={}, exclude=True
    )
    label: str = Field(default="", pattern=LABEL)
    _points: list["StrategyChoice"] = PrivateAttr(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _registered(self, info: ValidationInfo) -> "StrategyChoice":
        strategies = (info.context or {}).get("strategies", {})
        if ":" not in self.name:
            _known(self.name, strategies, "strategy", "name", "or give module:Class")
        if self.grid and self.settings_of:
            text = "a `grid` is for choosing what `settings_of` then holds: give one of them"
            raise PydanticCustomError("grid", "{text}", {"text": text, "in": ["grid"]})

        def filled(own: dict[str, Any], *where: str) -> dict[str, Any]:
            return _filled(self.name, {**self.settings, **own}, strategies, where)

        common = filled({}, "settings")
        each = {m: filled(own, "settings_of", m) for m, own in self.settings_of.items()}
        chosen = self.model_copy(update={"settings": common, "settings_of": each})
        chosen = chosen._labelled(self.name.split(":")[-1])
        points = []
        for values in product(*self.grid.values()) if self.grid else ():
            point = dict(zip(self.grid, values, strict=True))
            name = "-".join([chosen.label, *(f"{k}={v}" for k, v in point.items())])
            own = {"settings": filled(point, "grid"), "grid": {}, "label": _label(name, name)}
            points.append(chosen.model_copy(update=own))
        chosen._points = points
        return chosen

    def _labelled(self, label: str) -> "StrategyChoice":
        return self.model_copy(update={"label": _label(self.name, self.label or label)})

    @property
    def points(self) -> list["StrategyChoice"]:
        """The strategies of its grid; only itself where there is none."""
        return self._points or [self]

    def on(self, network: str) -> "StrategyChoice":
        """The strategy with the settings it has on the network of a label."""
        return self.model_copy(update={"settings": self.settings_of.get(network, self.settings)})


def _filled(
    name: str, settings: dict[str, Any], strategies: Mapping[str, Any], where: tuple[str, ...]
) -> dict[str, Any]:
    """Settings of a strategy with its defaults; of somebody else's plugin as they are."""
    if name not in strategies:
        return settings
    model = strategies[name].settings
    try:
        filled: dict[str, Any] = model.model_validate(settings).model_dump()
    except ValidationError as error:
        known = list(model.model_fields)
        text = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {_explain(e, known)}" for e in error.errors()
        )
        place = [*where, *error.errors()[0]["loc"]]
        raise PydanticCustomError("settings", "{text}", {"text": text, "in": place}) from None
    return filled


class Training(Spec):
    """How every stage is trained; the optimiser starts anew with each experience.

    Attributes:
        steps: optimiser steps per stage, the same for every strategy (joint: see its settings).
        batch_size: slices per step, old and new together.
        weight_decay: AdamW weight decay.
        warmup: share of the steps in which the one-cycle rate rises.
        gradient_clip: largest gradient norm, 0 for none.
        flip, rotate_degrees, scale, shift_hu: ranges of the batched augmentation.
        curve_every: validation Dice of the scanners seen so far every so many steps, 0 for never.
        precision: arithmetic of the forward pass.
        device: ``auto`` takes a GPU where there is one.
        threads: CPU threads of one run; results depend on it.
    """

    steps: PositiveInt
    batch_size: PositiveInt = 8
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: float = Field(default=0.25, gt=0, lt=1)
    gradient_clip: float = Field(default=1.0, ge=0)
    flip: bool = False
    rotate_degrees: float = Field(default=10.0, ge=0, le=180)
    scale: float = Field(default=0.1, ge=0, lt=1)
    shift_hu: float = Field(default=0.0, ge=0)
    curve_every: NonNegativeInt = 50
    precision: Literal["float32", "bfloat16"] = "float32"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: PositiveInt = 1


class Suite(Spec):
    """What stream and seed-curve suites share."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    data: Data
    classes: Annotated[list[str], Field(min_length=1)] = ["muscle", "liver"]
    split: Split = Split()
    image: Image
    models: Annotated[list[ModelChoice], Field(min_length=1)]
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)] = [0]
    training: Training

    @field_validator("models")
    @classmethod
    def _models_differ(cls, value: list[ModelChoice]) -> list[ModelChoice]:
        return _distinct(value, [m.label for m in value], "give one of them a `label`")

    @field_validator("classes", "seeds")
    @classmethod
    def _values_differ(cls, value: list[Any]) -> list[Any]:
        return _distinct(value, value)

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
    learned_dice: dict[str, Annotated[float, Field(ge=0, le=1)]] = {"muscle": 0.75, "liver": 0.8}
    orders: (
        Literal["as_listed", "all", "pairs"]
        | Annotated[list[Annotated[list[str], Field(min_length=1)]], Field(min_length=1)]
    ) = "as_listed"

    @model_validator(mode="after")
    def _learned_dice_of_classes(self) -> "StreamSuite":
        if "learned_dice" in self.model_fields_set:
            for name in self.learned_dice:
                _known(name, self.classes, "class", "learned_dice")
        return self

    @field_validator("strategies")
    @classmethod
    def _strategies_differ(cls, value: list[StrategyChoice]) -> list[StrategyChoice]:
        each = [point for choice in value for point in choice.points]
        return _distinct(each, [s.label for s in each], "give one of them a `label`")

    @model_validator(mode="after")
    def _settings_of_networks(self) -> "StreamSuite":
        for choice in self.strategies:
            for label in choice.settings_of:
                _known(label, [m.label for m in self.models], "network", "strategies")
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


AnySuite = Annotated[StreamSuite | SeedCurveSuite, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[StreamSuite | SeedCurveSuite] = TypeAdapter(AnySuite)


def read_suite(
    path: Path, networks: Mapping[str, Any], strategies: Mapping[str, Any], data: Path | None = None
) -> StreamSuite | SeedCurveSuite:
    """Read and check a suite file.

    Args:
        path: YAML file.
        networks: registered networks, each with ``presets`` and ``size_multiple``.
        strategies: registered strategies, each with a ``settings`` model.
        data: a store that replaces the suite's own data.

    Raises:
        InputError: every problem at once, one per line with file and line number.
    """
    tree = YamlFile.parse(path)
    raw = tree.value
    if data is not None and isinstance(raw, dict):
        raw["data"] = {"store": data}
    try:
        return _ADAPTER.validate_python(
            raw, context={"networks": networks, "strategies": strategies}
        )
    except ValidationError as error:
        lines = [
            tree.describe(e["loc"], e.get("ctx", {}), _explain(e, _fields_at(e["loc"])))
            for e in error.errors()
        ]
        raise InputError("\n".join(dict.fromkeys(lines))) from None


def _explain(error: Any, known: list[str]) -> str:
    name = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            return f"unknown field{did_you_mean(name, known)}"
        case "missing":
            return "is missing"
        case "union_tag_not_found":
            return "`kind` is missing: expected stream or seed_curve"
        case "union_tag_invalid":
            return f"unknown kind {error['ctx']['tag']}: expected stream or seed_curve"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "expected fields (`name: value`)"
    shown = error.get("input")
    found = f", not {shown!r}" if isinstance(shown, str | int | float) else ""
    message = str(error["msg"]).removeprefix("Input should be ")
    return message if message == error["msg"] else f"expected {message}{found}"


def did_you_mean(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """``: did you mean X?`` for the closest known name, or the known names when none is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f": did you mean {close[0]}?"
    return f": known are {', '.join(known)}" if len(known) < 12 else ""


def _label(name: str, label: str) -> str:
    if not re.fullmatch(LABEL, label):
        raise PydanticCustomError("label", "{name} needs a `label`", {"name": name})
    return label


def _known(
    name: str, registry: Mapping[str, Any] | list[str], what: str, field: str, otherwise: str = ""
) -> None:
    if name not in registry:
        hint = did_you_mean(name, registry) + (f" ({otherwise})" if otherwise else "")
        raise PydanticCustomError(
            "unknown", "{text}", {"text": f"unknown {what} {name}{hint}", "in": [field]}
        )


def _distinct(value: list[Any], names: list[Any], hint: str = "") -> list[Any]:
    twice = sorted({str(n) for n in names if names.count(n) > 1})
    if twice:
        text = f"{', '.join(twice)} appears twice" + (f": {hint}" if hint else "")
        raise PydanticCustomError("twice", "{text}", {"text": text})
    return value


PARTS: dict[str, type[Spec]] = {
    "data": Data,
    "phantom": PhantomData,
    "split": Split,
    "image": Image,
    "models": ModelChoice,
    "strategies": StrategyChoice,
    "training": Training,
    "stream": StreamSuite,
    "seed_curve": SeedCurveSuite,
}


def _fields_at(loc: tuple[Any, ...]) -> list[str]:
    within = [PARTS[part] for part in loc[:-1] if part in PARTS]
    return list(within[-1].model_fields) if within else []
