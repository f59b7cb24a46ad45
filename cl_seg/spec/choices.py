"""The networks and strategies of a suite, with their settings."""

import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cl_seg.messages.pydantic_errors import explain_errors
from cl_seg.spec.faults import require_known
from cl_seg.spec.part import Spec

WEIGHTS_FILES = (".safetensors", ".pt", ".pth")
LABEL = r"^([A-Za-z0-9_=+-][A-Za-z0-9_.=+-]*)?$"


def _require_json_value(value: Any) -> Any:
    """Refuse values that JSON cannot hold, such as dates, and field names that are no text."""
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
        _require_json_value(part)
    return value


Arguments = Annotated[dict[str, Any], BeforeValidator(_require_json_value)]


class ModelChoice(Spec):
    """One network of the suite; ``unet`` alone is short for ``{name: unet}``.

    Attributes:
        name: a registered network or ``module:callable`` (in_channels, out_channels, image_size,
            **arguments) → torch module giving (B, classes, H, W) logits.
        preset: size of a registered network.
        learning_rate: peak learning rate; None takes the preset's own.
        arguments: further keyword arguments of a ``module:callable``.
        load: weights to begin with instead of random ones: a state dict in a ``.safetensors``,
            ``.pt`` or ``.pth`` file, relative to the current folder, or ``module:callable``
            (network) that loads them into the network it is given.
        label: name in folders and tables, needed when a network appears twice.
    """

    name: str
    label: str = Field(default="", pattern=LABEL)
    preset: str = "small"
    learning_rate: PositiveFloat | None = None
    arguments: Arguments = Field(default={})
    load: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("load")
    @classmethod
    def _file_or_callable(cls, value: str) -> str:
        if value and not value.endswith(WEIGHTS_FILES) and ":" not in value:
            text = "expected a file ({endings}) or module:callable"
            raise PydanticCustomError("load", text, {"endings": ", ".join(WEIGHTS_FILES)})
        return value

    @property
    def weights_file(self) -> Path | None:
        """The file that ``load`` names."""
        return Path(self.load) if self.load.endswith(WEIGHTS_FILES) else None

    @property
    def loader(self) -> str:
        """The ``module:callable`` that ``load`` names, "" for none."""
        return "" if self.weights_file else self.load

    @model_validator(mode="after")
    def _registered(self, info: ValidationInfo) -> "ModelChoice":
        if ":" in self.name and self.learning_rate is None:
            raise PydanticCustomError("rate", "a network of your own needs a learning_rate")
        if ":" in self.name:
            return self._labelled(self.name.split(":")[1])
        networks = (info.context or {}).get("networks", {})
        require_known(self.name, networks, "network", "name", "or give module:callable")
        require_known(self.preset, networks[self.name].presets, "preset", "preset")
        if self.arguments:
            raise PydanticCustomError(
                "arguments", "`arguments` are for module:callable, a preset has its own"
            )
        return self._labelled(self.name if self.preset == "small" else f"{self.name}_{self.preset}")

    def _labelled(self, label: str) -> "ModelChoice":
        label = f"{label}_pretrained" if self.load else label
        return self.model_copy(update={"label": _label(self.name, self.label or label)})


class StrategyChoice(Spec):
    """One strategy of the suite; ``naive`` alone is short for ``{name: naive}``.

    Attributes:
        name: a registered strategy, or ``module:Class`` of an Avalanche plugin.
        settings: of the strategy, see docs/strategies.md; defaults are filled in. Of a
            ``module:Class``, its keyword arguments.
        settings_of: label of a network → settings that replace some of these on it.
        networks: labels of the networks it is for; None for all.
        replicates: number of replicates it takes part in, the first ones of the suite; None for
            all.
        grid: settings → values; the suite holds one strategy per combination instead of this one.
        label: name in folders and tables, needed when a strategy appears twice.
        check: False runs a ``module:Class`` even if it breaks the contract for masks.
    """

    name: str
    settings: Arguments = Field(default={})
    settings_of: dict[str, Arguments] = Field(default={}, exclude=True)
    networks: list[str] | None = Field(default=None, exclude=True, min_length=1)
    replicates: PositiveInt | None = Field(default=None, exclude=True)
    grid: dict[str, Annotated[list[str | bool | int | float | None], Field(min_length=1)]] = Field(
        default={}, exclude=True
    )
    label: str = Field(default="", pattern=LABEL)
    check: bool = Field(default=True, exclude=True)
    _points: list["StrategyChoice"] = PrivateAttr(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _registered(self, info: ValidationInfo) -> "StrategyChoice":
        strategies = (info.context or {}).get("strategies", {})
        if ":" not in self.name:
            _require_present_name(self.name, strategies)
            require_known(self.name, strategies, "strategy", "name", "or give module:Class")
        if self.grid and self.settings_of:
            text = "a `grid` is for choosing what `settings_of` then holds: give one of them"
            raise PydanticCustomError("grid", "{text}", {"text": text, "in": ["grid"]})

        def filled(own: dict[str, Any], *where: str) -> dict[str, Any]:
            return with_defaults(self.name, {**self.settings, **own}, strategies, where)

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

    def for_network(self, network: str) -> "StrategyChoice":
        """The strategy with its settings for the network of a label."""
        return self.model_copy(update={"settings": self.settings_of.get(network, self.settings)})


def with_defaults(
    name: str, settings: dict[str, Any], strategies: Mapping[str, Any], where: tuple[str, ...]
) -> dict[str, Any]:
    """Settings of a strategy with its defaults; of somebody else's plugin as they are."""
    if name not in strategies:
        return settings
    schema_class = strategies[name].settings
    try:
        filled: dict[str, Any] = schema_class.model_validate(settings).model_dump()
    except ValidationError as error:
        text = "; ".join(explain_errors(error, schema_class))
        location = [*where, *error.errors()[0]["loc"]]
        raise PydanticCustomError("settings", "{text}", {"text": text, "in": location}) from None
    return filled


def _require_present_name(name: str, strategies: Mapping[str, Any]) -> None:
    """Refuse a strategy's name of earlier versions, saying the present one."""
    now = next((n for n, s in strategies.items() if name and s.former_name == name), None)
    if now is not None:
        text = f"strategy {name} is named {now} now: write this name"
        raise PydanticCustomError("renamed", "{text}", {"text": text, "in": ["name"]})


def _label(name: str, label: str) -> str:
    if not re.fullmatch(LABEL, label):
        raise PydanticCustomError("label", "{name} needs a `label`", {"name": name})
    return label
