"""Writing files so that nothing half-written is ever seen, and the error every bad input raises."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOT_WRITABLE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EEXIST, errno.ENOTEMPTY),
}


class InputError(Exception):
    """Something the user gave is wrong; the message names it, what was expected and how to fix it.

    The command line prints the message on one line and exits with code 2.
    """


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: temporary file in the same folder, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically; NaN is refused because JSON has none."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Build a folder elsewhere and rename it to ``path`` when whole; on any error leave nothing.

    Yields the temporary folder, a sibling of ``path``.

    Raises:
        InputError: ``path`` exists already, or the disk is full or not writable.
    """
    if path.exists():
        raise InputError(f"{path} exists already: remove it or choose another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.building-"))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield building
        building.chmod(0o777 & ~_umask())
        building.replace(path)
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; nothing was kept, free some space "
            "or choose another place"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
