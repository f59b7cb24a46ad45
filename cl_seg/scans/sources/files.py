"""Files on disk: all of a folder, links followed, and those named almost like a missing one."""

import re
from collections import deque
from pathlib import Path

from cl_seg.scans.series import RejectedFile

_ENDING = re.compile(r"(\.(nii|seg|nrrd|mha|mhd|gz|dcm|hdr|img))+$", re.IGNORECASE)
_MAX_FILES_SHOWN = 2
_ANNEX = ".git"  # DataLad keeps every file there, and a link to it where it belongs


def files_below(folder: Path) -> tuple[list[Path], list[RejectedFile]]:
    """The files below a folder in the order of their paths, and folders that cannot be opened.

    A folder that can be reached in several ways is searched once, by its own path where it has
    one below ``folder``. Links back to the folders that ``folder`` lies in are not followed.
    """
    files: list[Path] = []
    closed: list[RejectedFile] = []
    seen = {_identity(above) for above in folder.resolve().parents}
    waiting = deque([folder])
    while waiting:
        place = waiting.popleft()
        try:
            if place.is_file():
                files.append(place)
            elif place.is_dir() and (identity := _identity(place)) not in seen:
                seen.add(identity)
                for entry in sorted(place.iterdir()):
                    if entry.name != _ANNEX:
                        # Links wait until all that needs none has been seen.
                        (waiting.append if entry.is_symlink() else waiting.appendleft)(entry)
        except OSError as error:
            closed.append(RejectedFile(place, f"cannot be opened: {error.strerror}"))
    return sorted(files), closed


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def similar_file(path: Path, case: str = "") -> str:
    """A file that may be the missing one under another name, in words; "" for none.

    That is a file of the same folder with another ending, or with the same name but for capitals,
    separators and something added at the end after a separator.

    Args:
        path: the file that is expected.
        case: how its name begins, which differs from file to file; shown as CASE, so that all such
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
        for name in (path.name, *near[:_MAX_FILES_SHOWN])
    )
    return f", but there is {' and '.join(shown)}: save it as {expected} if it is that"


def _alike(one: str, other: str) -> bool:
    if one.startswith("."):
        return False
    first, second = sorted((_words(one), _words(other)), key=len)
    return bool(first) and (second[: len(first)] == first or "".join(first) == "".join(second))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", _ENDING.sub("", name).casefold())
