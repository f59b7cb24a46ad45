"""JSON Schema of suite files, for editors and for the reference in the documents."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.read import ADAPTER
from cl_seg.spec.seed_curve import SeedCurveSuite
from cl_seg.spec.settings import (
    Data,
    DrawnScanners,
    Image,
    Later,
    PhantomData,
    Split,
    Training,
)
from cl_seg.spec.style import GIN, AmplitudeMix, KernelNoise, StyleAugmentation
from cl_seg.spec.suite import Replicates, StreamSuite
from cl_seg.spec.update import Margins, UpdateSuite

SCHEMA_MODELS = (
    *(Data, PhantomData, DrawnScanners, Split, Image, ModelChoice, StrategyChoice),
    *(Training, Later),
    *(StyleAugmentation, GIN, AmplitudeMix, KernelNoise),
    *(StreamSuite, Replicates, SeedCurveSuite, UpdateSuite, Margins),
)
Schema = dict[str, Any]


def suite_schema(networks: Mapping[str, Any], strategies: Mapping[str, Any]) -> Schema:
    """JSON Schema of suite files, every field described by its docstring.

    Args:
        networks: registered networks.
        strategies: registered strategies, each with a ``settings`` model.

    Returns:
        A JSON Schema (draft 2020-12). It allows a little more than ``cl-seg plan`` does: it cannot
        check what depends on two fields, such as an image size that fits a network.
    """
    schema: Schema = ADAPTER.json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "cl_seg suite"
    parts = schema["$defs"]
    for schema_class in SCHEMA_MODELS:
        _describe(parts[schema_class.__name__], schema_class)
    for name, strategy in strategies.items():
        parts[f"{name}_settings"] = _describe(
            strategy.settings.model_json_schema(), strategy.settings
        )
    parts["ModelChoice"] = _or_short(parts["ModelChoice"], list(networks))
    parts["StrategyChoice"] = _or_short(parts["StrategyChoice"], list(strategies))
    parts["StrategyChoice"]["anyOf"][1]["allOf"] = [
        _settings_of(name, list(strategies[name].settings.model_fields)) for name in strategies
    ]
    return schema


def _describe(schema: Schema, schema_class: type[BaseModel]) -> Schema:
    """Describe a schema and its fields by the docstrings of its pydantic class and its bases."""
    schema["description"] = inspect.cleandoc(schema_class.__doc__ or "").partition(
        "\n\nAttributes:"
    )[0]
    for base in reversed(schema_class.__mro__):
        text = inspect.cleandoc(vars(base).get("__doc__") or "").partition("Attributes:\n")[2]
        for names, said in re.findall(r"^ {4}([\w, ]+): (.*(?:\n {8}.*)*)", text, re.M):
            for name in set(names.split(", ")) & schema.get("properties", {}).keys():
                schema["properties"][name]["description"] = " ".join(said.split())
    return schema


def _or_short(schema: Schema, names: list[str]) -> Schema:
    """Allow ``unet`` where ``{name: unet}`` is meant, and name what is registered."""
    name = {"type": "string", "anyOf": [{"enum": names}, {"pattern": ":"}]}
    schema["properties"]["name"] = {**schema["properties"]["name"], **name}
    return {"anyOf": [name, schema], "description": schema["description"]}


def _settings_of(name: str, fields: list[str]) -> Schema:
    settings = {"$ref": f"#/$defs/{name}_settings"}
    return {
        "if": {"properties": {"name": {"const": name}}},
        "then": {
            "properties": {
                "settings": settings,
                "settings_of": {"additionalProperties": settings},
                "grid": {"propertyNames": {"enum": fields}},
            }
        },
    }
