"""Words for what is wrong in a file of claims."""

from typing import Any

from pydantic import ValidationError

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.pydantic_errors import Place
from cl_seg.spec.settings import Spec

EXPECTED = {
    "": "a list of claims (`claims:`, then `- name: …`)",
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


def explain_claims(tree: YamlFile, error: ValidationError, form: type[Spec]) -> list[str]:
    """Errors in a file of claims, a line each: file, line, place in words, what was expected."""

    def name(place: Place) -> str:
        field = next((part for part in reversed(place) if isinstance(part, str)), "claims")
        return ": ".join(filter(None, [", ".join(_in_words(place, tree.value)), field]))

    return tree.explain(error, form, EXPECTED, name)


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
