"""Suite files: read, checked, every fault told with file and line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.faults import explain
from cl_seg.spec.settings import Data, Image, PhantomData, Spec, Split, Training
from cl_seg.spec.suite import SeedCurveSuite, StreamSuite

AnySuite = Annotated[StreamSuite | SeedCurveSuite, Field(discriminator="kind")]
Describe = Callable[[tuple[Any, ...], Mapping[str, Any], str], str]
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
    return _validated(raw, networks, strategies, tree.describe)


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

    def describe(loc: tuple[Any, ...], context: Mapping[str, Any], text: str) -> str:
        field = ".".join(map(str, (*loc[1:], *context.get("in", ())))) or "suite"
        return f"{field}: {text}"

    return _validated(content, networks, strategies, describe)


def _validated(
    raw: Any, networks: Mapping[str, Any], strategies: Mapping[str, Any], describe: Describe
) -> StreamSuite | SeedCurveSuite:
    try:
        return ADAPTER.validate_python(
            raw, context={"networks": networks, "strategies": strategies}
        )
    except ValidationError as error:
        lines = [
            describe(e["loc"], e.get("ctx", {}), explain(e, _fields_at(e["loc"])))
            for e in error.errors()
        ]
        raise InputError("\n".join(dict.fromkeys(lines))) from None


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
