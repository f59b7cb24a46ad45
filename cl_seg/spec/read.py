"""Reads and checks suite files; every fault is told with file and line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import dotted, explain_errors
from cl_seg.spec.seed_curve import SeedCurveSuite
from cl_seg.spec.suite import StreamSuite
from cl_seg.spec.update import UpdateSuite

AnySuite = StreamSuite | SeedCurveSuite | UpdateSuite
TaggedSuite = Annotated[AnySuite, Field(discriminator="kind")]
ADAPTER: TypeAdapter[AnySuite] = TypeAdapter(TaggedSuite)


ReadModel = Callable[[Path, str], Mapping[str, Any]]
"""Model folder and trusted network → the fields of a suite that the model determines."""


def read_suite(
    path: Path,
    networks: Mapping[str, Any],
    strategies: Mapping[str, Any],
    data: Path | None = None,
    read_model: ReadModel | None = None,
) -> AnySuite:
    """Read and check a suite file.

    Args:
        path: YAML file.
        networks: registered networks, each with ``presets`` and ``size_multiple``.
        strategies: registered strategies, each with a ``settings`` model.
        data: a store that replaces the suite's own data.
        read_model: of the model folder of a suite that starts from one.

    Raises:
        InputError: every problem at once, one per line with file and line number.
    """
    tree = YamlFile.parse(path)
    raw = tree.value
    if data is not None and isinstance(raw, dict):
        raw["data"] = {"store": data}
    context = {"networks": networks, "strategies": strategies, "read_model": read_model}
    return _validated(raw, context, tree)


def suite_from(
    content: Mapping[str, Any],
    networks: Mapping[str, Any],
    strategies: Mapping[str, Any],
    read_model: ReadModel | None = None,
) -> AnySuite:
    """Check the content of a suite that is in no file.

    Args:
        content: as a suite file holds it.
        networks, strategies, read_model: see :func:`read_suite`.

    Raises:
        InputError: every problem at once, one per line with its field.
    """
    context = {"networks": networks, "strategies": strategies, "read_model": read_model}
    return _validated(content, context, None)


def _validated(raw: Any, context: Mapping[str, Any], tree: YamlFile | None) -> AnySuite:
    try:
        return ADAPTER.validate_python(raw, context=dict(context))
    except ValidationError as error:
        kinds = {"kind": "stream, seed_curve or update"}
        if tree is None:  # pydantic's places begin with the kind of the suite
            faults = explain_errors(error, AnySuite, kinds, lambda at: dotted(at[1:]) or "suite")
        else:
            faults = tree.explain(error, AnySuite, kinds, lambda at: dotted(at) or "suite")
        raise InputError("\n".join(faults)) from None
