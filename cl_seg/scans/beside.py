"""Names of files that lie beside one that is missing and may be meant."""

import re
from pathlib import Path

_ENDING = re.compile(r"(\.(nii|seg|nrrd|mha|mhd|gz|dcm|hdr|img))+$", re.IGNORECASE)
_SHOWN = 2


def beside(path: Path, case: str = "") -> str:
    """What may be a missing file under another name, in words; "" for nothing.

    That is a file of the same folder with another ending, or with the same name but for capitals,
    separators and something added at the end after a separator.

    Args:
        path: the file that is expected.
        case: how its name begins, which differs from file to file; told as CASE, so that all such
            files have one reason.
    """
    try:
        names = sorted(file.name for file in path.parent.iterdir() if file.is_file())
    except (OSError, ValueError):  # a folder that cannot be read, or whose name cannot be
        return ""
    near = [name for name in names if name != path.name and _alike(name, path.name)]
    if not near:
        return ""
    expected, *shown = (
        f"CASE{name.removeprefix(case)}" if case and name.startswith(case) else name
        for name in (path.name, *near[:_SHOWN])
    )
    return f", but there is {' and '.join(shown)}: save it as {expected} if it is that"


def _alike(one: str, other: str) -> bool:
    if one.startswith("."):
        return False
    first, second = sorted((_words(one), _words(other)), key=len)
    return bool(first) and (second[: len(first)] == first or "".join(first) == "".join(second))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", _ENDING.sub("", name).casefold())
