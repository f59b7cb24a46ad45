"""Hash of the weights that a network of a suite begins with."""

import hashlib
from functools import cache
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.planning.source import callable_hash
from cl_seg.spec.choices import ModelChoice


def weights_hash(model: ModelChoice) -> str:
    """SHA-256 of the file that a network loads, or of the source of the callable.

    Raises:
        InputError: the file cannot be read.
    """
    if model.weights_file is None:
        return callable_hash(model.loader)
    path = model.weights_file.resolve()
    try:
        stat = path.stat()
        return _file_hash(path, (stat.st_mtime_ns, stat.st_size))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


@cache
def _file_hash(path: Path, _state: tuple[int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
