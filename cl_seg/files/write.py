"""Writes files so that nothing half-written is ever seen."""

import errno
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cl_seg.messages.errors import InputError

_FULL = "free some space or choose another place"
_FORBIDDEN = "give yourself the right to write there or choose another place"
_IN_THE_WAY = "something of that name is in the way: remove it or choose another place"
HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _FORBIDDEN),
    **dict.fromkeys((errno.EROFS, errno.EFBIG), "choose another place"),
    **dict.fromkeys((errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR), _IN_THE_WAY),
}
"""Error number of the system → hint, where something cannot be written."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: temporary file in the same folder, fsync, rename.

    Raises:
        InputError: the disk is full or not writable.
    """
    with writable(path):
        _write_bytes(path, content)


def _write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_owner())
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
    check_new(path)
    remove_abandoned(path.parent, path.name)
    with _temporary_sibling(path) as building:
        yield building
        building.replace(path)


def check_new(path: Path) -> None:
    """Refuse a path that exists or cannot be written as text, before long work is done.

    Raises:
        InputError: ``path`` exists already, or is no UTF-8, which the libraries we write with need.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError(f"{path} is no UTF-8: choose another name") from None
    if path.exists():
        raise InputError(f"{path} exists already: remove it or choose another name")


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Like :func:`new_folder`, but takes the place of an older folder.

    Where two processes do so at once, one of them wins.

    Raises:
        InputError: the disk is full or not writable.
    """
    with _temporary_sibling(path) as building:
        yield building
        with _temporary_sibling(path) as old:
            with suppress(FileNotFoundError):
                path.replace(old)
            try:
                building.replace(path)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise


@contextmanager
def _temporary_sibling(path: Path) -> Iterator[Path]:
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        name = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=_owner())
        folder = Path(name)
        try:
            folder.chmod(0o777 & ~_umask())
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(folder: Path, name: str = "*") -> None:
    """Remove unfinished files that ended processes of this machine left in a folder.

    Args:
        folder: where.
        name: of what they were writing.
    """
    begun = ".*" if name == "*" else re.escape(name)
    ours = re.compile(rf"\.{begun}\.[^.]+\.{re.escape(_host())}-(\d+)\.tmp", re.DOTALL)
    for path in folder.glob(".*.tmp"):
        owner = ours.fullmatch(path.name)
        if owner and not _is_alive(int(owner[1])):
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)


def _owner() -> str:
    return f".{_host()}-{os.getpid()}.tmp"


def _host() -> str:
    return socket.gethostname().replace(".", "_")


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn errors of writing (disk full, no permission …) into messages with path and hint.

    An error that names a file elsewhere, one that was read, goes on as it is.

    Raises:
        InputError: instead of the system's own error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in HINTS or not _concerns(error, path):
            raise
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; nothing was kept, "
            f"{HINTS[error.errno]}"
        ) from error


def _concerns(error: OSError, path: Path) -> bool:
    """Whether an error is about a path, a folder above it or a file in it."""
    if not error.filename:
        return True
    named, place = Path(os.fsdecode(error.filename)).absolute(), path.absolute()
    begun = any(part.startswith(f".{path.name}.") for part in named.parts)
    return begun or named in (place, *place.parents) or place in named.parents


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
