"""A YAML file with the line of every value, so that an error can name its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import KeyPath, dotted, explain_errors

MAX_NODES = 20_000  # YAML aliases can unfold to billions of nodes
MAX_CHARACTERS = 1_000_000  # which take the parser half a minute


@dataclass(frozen=True)
class YamlFile:
    """A YAML document with the line of every value.

    Attributes:
        path: of the file.
        value: what it holds.
        lines: path of keys and indices → line number, from 1.
    """

    path: Path
    value: Any
    lines: dict[KeyPath, int]

    @classmethod
    def parse(cls, path: Path) -> "YamlFile":
        """Read a file.

        Raises:
            InputError: unreadable, not YAML, a key given twice, or unreasonably large.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # a path may hold what no file name can
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise InputError(
                f"{path.absolute()}: cannot be read ({reason}), expected a YAML file"
            ) from None
        return cls.of_text(text, path)

    @classmethod
    def of_text(cls, text: str, path: Path) -> "YamlFile":
        """Read a text as if it were the content of a file.

        Raises:
            InputError: not YAML, a key given twice, or unreasonably large.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(f"{path}: more than {MAX_CHARACTERS} characters")
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            lines = {}
            if node is not None:
                for count, (loc, line) in enumerate(_walk(node)):
                    if count > MAX_NODES:
                        raise InputError(f"{path}: more than {MAX_NODES} values")
                    if loc in lines:
                        raise InputError(f"{path}:{line}: {loc[-1]} is given twice")
                    lines[loc] = line
            return cls(path, yaml.safe_load(text), lines)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            problem = getattr(error, "problem", None) or "not valid YAML"
            raise InputError(f"{path}:{line}: {problem}: check the YAML syntax") from None
        except ValueError as error:  # an impossible date, an endless number
            raise InputError(f"{path}: {error}: check the YAML syntax") from None
        except RecursionError:
            raise InputError(f"{path}: nested too deeply") from None

    def explain(
        self,
        error: ValidationError,
        schema: Any = None,
        expected: Mapping[str, str] | None = None,
        name: Callable[[KeyPath], str] = dotted,
    ) -> list[str]:
        """Errors in what the file holds as lines ``file:line: field: what is wrong``.

        The arguments are those of :func:`cl_seg.messages.pydantic_errors.explain_errors`.
        """
        return explain_errors(error, schema, expected, name, (self.path, self.lines))


def _walk(node: yaml.Node, loc: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
    if loc:
        yield loc, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a single word", problem_mark=key.start_mark
                )
            yield from _walk(child, (*loc, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for i, child in enumerate(node.value):
            yield from _walk(child, (*loc, i))
