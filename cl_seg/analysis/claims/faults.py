"""What a fault in a file of claims is told as: file, line, place in words, what was expected."""

from typing import Any

from cl_seg.files.yaml_file import YamlFile
from cl_seg.spec.faults import explain

EXPECTED = {
    "claims": "a list of claims (`- name: …`)",
    "name": "a short name",
    "says": "the claim in words",
    "source": "who says so",
    "contrasts": "a list of contrasts (`- suite: …`)",
    "suite": "a folder of results, as suites name theirs",
    "score": "ACC, BWT or plasticity",
    "ours": "the side that is said to be better (`{networks: […], strategy: …}`)",
    "theirs": "the side it is better than (`{networks: […], strategy: …}`)",
}


def describe_fault(tree: YamlFile, error: Any, known: list[str]) -> str:
    """One line of a pydantic error in a file of claims; ``known`` are the fields there."""
    loc = tuple(error["loc"])
    place: tuple[Any, ...] = ()
    for part in loc:
        if (*place, part) in tree.lines:
            place = (*place, part)
    where = ": ".join(filter(None, [", ".join(_in_words(loc, tree.value)), _what(error, known)]))
    return f"{tree.path}:{tree.lines.get(place, 1)}: {where}"


def _what(error: Any, known: list[str]) -> str:
    name = next((part for part in reversed(error["loc"]) if isinstance(part, str)), "claims")
    expected = f": expected {EXPECTED[name]}" if name in EXPECTED else ""
    match error["type"]:
        case "missing":
            return f"{name} is missing{expected}"
        case "too_short":
            return f"{name} is empty{expected}"
        case "model_type" | "model_attributes_type" if not error["loc"]:
            return f"claims is missing{expected}"
        case "list_type":
            return f"{name}: expected {EXPECTED.get(name, 'a list (`[…]`)')}"
    return f"{name}: {explain(error, known)}"


def _in_words(loc: tuple[Any, ...], value: Any) -> list[str]:
    """Of where an error is: claim C1, contrast 2, ours."""
    words = []
    for before, part in zip(("", *loc), loc[:-1], strict=False):
        if before == "claims":
            words.append(f"claim {_name_of(value, part)}")
        elif before in {"contrasts", "beside"}:
            words.append(f"{before.removesuffix('s')} {part + 1}")
        elif part in {"ours", "theirs"}:
            words.append(part)
    return words


def _name_of(value: Any, place: int) -> str:
    """The name of a claim, where it has one that can be read; else which it is."""
    try:
        name = value["claims"][place]["name"]
    except (KeyError, TypeError, IndexError):
        return str(place + 1)
    return name if isinstance(name, str) else str(place + 1)
