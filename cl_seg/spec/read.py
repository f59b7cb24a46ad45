"""Reads and checks suite files; every fault is told with file and line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import dotted, explain_errors
from cl_seg.spec.suite import SeedCurveSuite, StreamSuite

AnySuite = Annotated[StreamSuite | SeedCurveSuite, Field(discriminator="kind")]
ADAPTER: TypeAdapter[StreamSuite | SeedCurveSuite] = TypeAdapter(AnySuite)


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
    return _validated(raw, networks, strategies, tree)


def suite_from(
    content: Mapping[str, Any], networks: Mapping[str, Any], strategies: Mapping[str, Any]
) -> StreamSuite | SeedCurveSuite:
    """Check the content of a suite that is in no file.

    Args:
        content: as a suite file holds it.
        networks: see :func:`read_suite`.
        strategies: see :func:`read_suite`.

    Raises:
        InputError: every problem at once, one per line with its field.
    """
    return _validated(content, networks, strategies, None)


def _validated(
    raw: Any, networks: Mapping[str, Any], strategies: Mapping[str, Any], tree: YamlFile | None
) -> StreamSuite | SeedCurveSuite:
    try:
        return ADAPTER.validate_python(
            raw, context={"networks": networks, "strategies": strategies}
        )
    except ValidationError as error:
        kinds = {"kind": "stream or seed_curve"}
        if tree is None:  # pydantic's places begin with the kind of the suite
            faults = explain_errors(error, AnySuite, kinds, lambda at: dotted(at[1:]) or "suite")
        else:
            faults = tree.explain(error, AnySuite, kinds, lambda at: dotted(at) or "suite")
        raise InputError("\n".join(faults)) from None
