"""Every file below a folder, links to folders followed."""

from collections import deque
from pathlib import Path

from cl_seg.scans.series import Rejected

_ANNEX = ".git"  # DataLad keeps every file there, and a link to it where it belongs


def files_below(folder: Path) -> tuple[list[Path], list[Rejected]]:
    """The files below a folder in the order of their paths, and folders that cannot be opened.

    A folder that can be reached in several ways is searched once, by its own path where it has
    one below ``folder``. Links back to the folders that ``folder`` lies in are not followed.
    """
    files: list[Path] = []
    closed: list[Rejected] = []
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
            closed.append(Rejected(place, f"cannot be opened: {error.strerror}"))
    return sorted(files), closed


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
