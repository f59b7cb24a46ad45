"""Content-addressed results of stages on disk, verified when read.

A stage's results are a folder named by its key, built aside and renamed when whole, with the
SHA-256 of every file. While it is being computed its folder below ``partial`` is locked by the
process that computes it (a lock that ends with the process, however it ends), and holds its
checkpoint. A folder whose content has changed is set aside and computed again.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_seg.files.json_file import parse_json
from cl_seg.files.write import remove_abandoned, writable, write_json
from cl_seg.messages.errors import InputError

METADATA, CHECKPOINT = "stage.json", "checkpoint.pt"
STRATEGY_STATE, RANKING = "memory.pt", "ranking.json"
CURVE, CASES, EXAMPLE = "curve.parquet", "cases.parquet", "example.npz"
CURVE_COLUMNS = ["stage", "step", "scanner", "class", "overlap", "predicted", "true"]
POLL_SECONDS = 0.5


def state_file(position: int) -> str:
    """Name of the file with the network's state after an experience, counted from 1."""
    return f"state{position}.pt"


class DamagedStage(Exception):
    """A stage's results are not what was written; they have been set aside.

    Attributes:
        key: of the stage.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True)
class StageCache:
    """Results of stages below a folder, which any number of processes may share.

    Attributes:
        folder: of all results.
    """

    folder: Path

    def keys(self) -> set[str]:
        """Keys of all finished stages."""
        return {path.name for path in self.folder.glob("??/*") if len(path.name) == 64}

    def has(self, key: str) -> bool:
        """True where the stage is finished."""
        return self.folder_of(key).is_dir()

    def folder_of(self, key: str) -> Path:
        """Folder of a stage's results."""
        return self.folder / key[:2] / key

    def working_folder(self, key: str) -> Path:
        """Folder in which a stage is computed, with its checkpoint and progress."""
        return self.folder / "partial" / key

    def metadata(self, key: str) -> dict[str, Any]:
        """Metadata written beside the results of a stage.

        Raises:
            DamagedStage: it cannot be read.
        """
        try:
            metadata: dict[str, Any] = parse_json(self._content(key, METADATA).decode())
            if metadata["key"] == key and isinstance(metadata["files"], dict):
                return metadata
        except (ValueError, KeyError, TypeError):
            pass
        raise self._damaged_error(key)

    def read(self, key: str, name: str) -> bytes:
        """One file of a stage's results.

        Raises:
            DamagedStage: it is not what was written.
        """
        expected = self.metadata(key)["files"].get(name)
        content = self._content(key, name)
        if hashlib.sha256(content).hexdigest() != expected:
            raise self._damaged_error(key)
        return content

    def sizes(self) -> dict[str, int]:
        """Bytes of every finished stage, by key."""
        return {
            key: sum(file.stat().st_size for file in self.folder_of(key).iterdir())
            for key in sorted(self.keys())
        }

    def unfinished(self) -> dict[str, bool]:
        """Keys of unfinished stages, and whether a process is computing them."""
        unfinished = {}
        for key in self.unfinished_keys():
            lock = _lock(self._lock_file(key), lambda: True)
            unfinished[key] = lock < 0
            if lock >= 0:
                _unlock(self._lock_file(key), lock)
        return unfinished

    def remove_leftovers(self) -> None:
        """Remove files that ended processes left beside finished stages."""
        remove_abandoned(self.folder / "digests")
        for key in self.unfinished_keys():
            if self.has(key):
                self._delete_partial(key)

    def prune(self, keep: Collection[str]) -> None:
        """Remove the stages not in ``keep``, finished or not, and those set aside as damaged.

        Stages that a process is computing stay.
        """
        self.remove_leftovers()
        for key in self.keys() - set(keep):
            self._move_to_damaged(key)
        for key in self.unfinished_keys():
            if key not in keep:
                self._delete_partial(key)
        shutil.rmtree(self.folder / "damaged", ignore_errors=True)

    def unfinished_keys(self) -> list[str]:
        """Keys of stages that are begun, whether a process is computing them or not."""
        return sorted({path.stem for path in (self.folder / "partial").glob("*")})

    def _lock_file(self, key: str) -> Path:
        return self.working_folder(key).with_suffix(".lock")

    def _delete_partial(self, key: str) -> None:
        lock = _lock(self._lock_file(key), lambda: True)
        if lock >= 0:
            shutil.rmtree(self.working_folder(key), ignore_errors=True)
            _unlock(self._lock_file(key), lock)

    def _move_to_damaged(self, key: str) -> None:
        # Renamed at once, so that other processes find a stage whole or not at all.
        if not self.folder_of(key).exists():
            return
        damaged = self.folder / "damaged"
        damaged.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # never there, or another process was faster
            self.folder_of(key).replace(damaged / f"{key}-{time.time_ns()}")

    def _content(self, key: str, name: str) -> bytes:
        path = self.folder_of(key) / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise self._damaged_error(key) from None
        except OSError as error:  # unreadable is not damaged
            raise InputError(f"cannot read {path}: {error.strerror}") from None

    @contextmanager
    def claim(self, key: str, stop: Callable[[], bool]) -> Iterator[Path | None]:
        """Work on a stage as the only process that does.

        Waits while another process does, or until ``stop``. Yields a folder to write the results
        to, which become the stage's when the block ends without an error; None when the stage is
        finished, or was to be stopped.

        Raises:
            InputError: the folder cannot be written.
        """
        building, lock = self.working_folder(key) / "results", -1
        try:
            with writable(self.folder):
                lock = _lock(self._lock_file(key), lambda: self.has(key) or stop())
            if lock < 0 or self.has(key):
                yield None
                return
            with writable(self.folder):
                shutil.rmtree(building, ignore_errors=True)
                building.mkdir(parents=True)
                yield building
                self._finish(key, building)
        finally:
            if lock >= 0:
                self._release(key)
                _unlock(self._lock_file(key), lock)

    def _release(self, key: str) -> None:
        partial = self.working_folder(key)
        shutil.rmtree(partial / "results", ignore_errors=True)
        if self.has(key) or not (partial / CHECKPOINT).exists():
            shutil.rmtree(partial, ignore_errors=True)

    def _finish(self, key: str, building: Path) -> None:
        files = sorted(path for path in building.iterdir() if path.name != METADATA)
        metadata = json.loads((building / METADATA).read_text(encoding="utf-8"))
        hashes = {path.name: _sync(path) for path in files}
        write_json(building / METADATA, {"key": key, **metadata, "files": hashes})
        folder = self.folder_of(key)
        folder.parent.mkdir(parents=True, exist_ok=True)
        building.replace(folder)

    def _damaged_error(self, key: str) -> DamagedStage:
        try:
            self._move_to_damaged(key)
        except OSError as error:
            raise InputError(
                f"{self.folder_of(key)} is damaged and cannot be set aside ({error.strerror}): "
                "remove it"
            ) from None
        return DamagedStage(key)


def _lock(path: Path, give_up: Callable[[], bool]) -> int:
    """A file descriptor that holds the lock of a file, or -1 when there was reason to give up.

    The lock is the kernel's and dies with the process. A file that vanished meanwhile was that of a
    stage another process has left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return handle
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            os.close(handle)
            raise InputError(
                f"{path.parent} is on a file system that cannot lock files ({error.strerror}): "
                "mount it with flock, or choose another --cache"
            ) from None
        os.close(handle)
        if give_up():
            return -1
        time.sleep(POLL_SECONDS)


def _unlock(path: Path, handle: int) -> None:
    path.unlink(missing_ok=True)
    os.close(handle)


def _sync(path: Path) -> str:
    """Push a file to the disk and return its SHA-256."""
    content = path.read_bytes()
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()
