"""Reads files of claims."""

import logging
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cl_seg.analysis.claims.claim import Claim, Claims
from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import KeyPath

LOG = logging.getLogger(__name__)
OLD_KEYS = {"ours": "a", "theirs": "b", "at_least": "margin", "beside": "descriptive"}
"""Keys of files that are older than December 2026, and what they are called now."""
EXPECTED = {
    "": "a list of claims (`claims:`, then `- name: …`)",
    "claims": "a list of claims (`- name: …`)",
    "name": "a short name",
    "says": "the claim in words",
    "source": "who says so",
    "contrasts": "a list of contrasts (`- suite: …`)",
    "suite": "a folder of results, as suites name theirs",
    "score": "ACC, BWT, plasticity or unseen Dice",
    "a": "the side that is said to be better (`{networks: […], strategy: …}`)",
    "b": "the side it is better than (`{networks: […], strategy: …}`)",
}


def read_claims(path: Path) -> list[Claim]:
    """Read a file of claims; a key with an old name is told in a warning, once.

    Raises:
        InputError: it is no such file, naming the line.
    """
    file = _with_new_keys(YamlFile.parse(path))

    def in_words(key_path: KeyPath) -> str:
        field = next((part for part in reversed(key_path) if isinstance(part, str)), "claims")
        return ": ".join(filter(None, [", ".join(_in_words(key_path, file.value)), field]))

    try:
        return Claims.model_validate(file.value).claims
    except ValidationError as error:
        lines = file.explain(error, Claims, EXPECTED, in_words)
        raise InputError("\n".join(lines)) from None


def _with_new_keys(file: YamlFile) -> YamlFile:
    """The file with new names in place of old keys, and a warning for each of them.

    Raises:
        InputError: a key is given under both names.
    """
    for old, new in OLD_KEYS.items():
        lines = [line for key_path, line in file.lines.items() if key_path[-1] == old]
        if lines:
            LOG.warning("%s:%d: `%s` is called `%s` now", file.path, min(lines), old, new)

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if not isinstance(value, dict):
            return value
        if both := [old for old, new in OLD_KEYS.items() if {old, new} <= value.keys()]:
            old, new = both[0], OLD_KEYS[both[0]]
            raise InputError(f"{file.path}: `{old}` stands beside `{new}`, its new name: keep one")
        return {OLD_KEYS.get(key, key): renamed(item) for key, item in value.items()}

    places = {tuple(OLD_KEYS.get(p, p) for p in key_path): n for key_path, n in file.lines.items()}
    return YamlFile(file.path, renamed(file.value), places)


def _in_words(key_path: KeyPath, value: Any) -> list[str]:
    """Place of an error in words: claim C1, contrast 2, a."""
    words = []
    for before, part in zip(("", *key_path), key_path[:-1], strict=False):
        if before == "claims":
            words.append(f"claim {_name_of(value, part)}")
        elif before == "contrasts":
            words.append(f"contrast {part + 1}")
        elif before == "descriptive":
            words.append(f"descriptive contrast {part + 1}")
        elif part in {"a", "b"}:
            words.append(part)
    return words


def _name_of(value: Any, index: int) -> str:
    """The name of a claim, where it has one that can be read; else its number."""
    try:
        name = value["claims"][index]["name"]
    except (KeyError, TypeError, IndexError):
        return str(index + 1)
    return name if isinstance(name, str) else str(index + 1)
