"""Suites that can start from a saved model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationInfo, model_validator

from cl_seg.messages.errors import InputError
from cl_seg.spec.faults import refusal
from cl_seg.spec.suite import Suite

OF_THE_MODEL = ["models", "image"]  # required fields that a model folder fills in


def _fields_or_model(schema: dict[str, Any]) -> None:
    """Require ``model``, or the fields that it would fill in."""
    schema["required"] = [name for name in schema["required"] if name not in OF_THE_MODEL]
    schema["if"], schema["else"] = {"required": ["model"]}, {"required": OF_THE_MODEL}


class FromModelSuite(Suite):
    """The fields of suites that can start from a saved model.

    Attributes:
        model: folder of the model, as ``cl-seg model save`` makes it, or the name of a model that
            is shipped with the package, ``base``. Its network, classes and image are those of the
            suite.
        trusted_network: ``module:callable`` of the model's network, where it is code of your own
            that you trust.
        models: networks, at least one; that of the model, where there is a ``model``.
        image: the image that networks see; that of the model, where there is a ``model``.
    """

    model_config = ConfigDict(json_schema_extra=_fields_or_model)

    model: str = ""
    trusted_network: str = ""

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
            raise refusal(str(error), "model") from None
        return {**value, **{k: _agreeing(value.get(k), own, k) for k, own in found.items()}}


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
    raise refusal(f"{given} is not that of the model, {found}: leave it out", *where)
