"""Hashes of a store's slices, kept from plan to plan while its files stay the same.

A fingerprint is of the sizes and times of files, a hash of their content, a key of a stage.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_json, write_text
from cl_seg.messages.errors import InputError
from cl_seg.scans.splits import SPLIT_PARTS
from cl_seg.scans.store import SliceStore

Item = TypeVar("Item")


def fingerprint(store: Path) -> str:
    """Hash of the sizes and times of a store's files, which change when its content does."""
    files = sorted(path for path in store.rglob("*") if path.is_file())
    stats = [(str(f.relative_to(store)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def check_store_content(store: SliceStore, hash_cache: Path) -> None:
    """Refuse a store that is not what it was made: results would carry the hash of other data.

    Args:
        store: opened.
        hash_cache: folder that keeps what was checked, so that unchanged files are not read again.

    Raises:
        InputError: rows, images or labels are others.
    """
    kept = hash_cache / f"{fingerprint(store.folder)}.checked"
    if kept.exists():
        return
    if store.content_hash() != store.header.content_sha256:
        raise InputError(
            f"{store.folder} was changed after it was made, its content hash is of other data: "
            "ingest again"
        )
    with suppress(OSError):  # a cache that cannot be written costs time only
        write_text(kept, store.header.content_sha256)


def part_digests(
    store: SliceStore, split: pd.DataFrame, scanners: Sequence[str], hash_cache: Path
) -> dict[tuple[str, str], str]:
    """(scanner, part) → hash of its slices in order: pixels and their meaning, whose and where.

    Args:
        store: opened.
        split: its slices with their part.
        scanners: the ones its runs use.
        hash_cache: folder that keeps hashes of pixels, so that unchanged files are not read again.
    """
    meaning = (store.header.classes, store.header.grid)
    digests = {}
    parts = dict.fromkeys([*SPLIT_PARTS, *split["part"]])
    for scanner in scanners:
        own = split[split["scanner"] == scanner]
        pixels = _pixel_hashes(store, scanner, hash_cache)
        for part in parts:
            rows = own[own["part"] == part]
            ids = rows[["slice_id", "case", "patient", "z_mm"]].to_numpy().tolist()
            slices = [(*who, pixels[row]) for who, row in zip(ids, rows["row"], strict=True)]
            text = repr((meaning, slices))
            digests[scanner, part] = hashlib.sha256(text.encode()).hexdigest()
    return digests


def classes_of_cases(
    store: SliceStore, split: pd.DataFrame, classes: Sequence[str], hash_cache: Path
) -> pd.DataFrame:
    """Which classes the cases of scanners have, in each part.

    Args:
        store: opened.
        split: slices of it with their part.
        classes: of the suite.
        hash_cache: folder that keeps which labels slices have, so that they are not read again.

    Returns:
        A row per scanner, part and case (the index), a boolean column per class.
    """
    found = []
    for scanner, own in split.groupby("scanner", sort=False):
        values = _label_values(store, str(scanner), hash_cache)
        rows = [values[row] for row in own["row"]]
        has = {c: [store.header.classes.index(c) + 1 in row for row in rows] for c in classes}
        index = pd.MultiIndex.from_frame(own[["scanner", "part", "case"]])
        found.append(pd.DataFrame(has, index=index))
    every = pd.concat(found)
    return every.groupby(level=[0, 1, 2], sort=False).any()


def _label_values(store: SliceStore, scanner: str, hash_cache: Path) -> list[list[int]]:
    """The values in the labels of every slice of a scanner."""

    def values() -> list[list[int]]:
        return [
            np.flatnonzero(np.bincount(labels.ravel())).tolist() for labels in store.labels(scanner)
        ]

    return _memoised(_files(store, scanner, "labels"), hash_cache, ".labels", values)


def _pixel_hashes(store: SliceStore, scanner: str, hash_cache: Path) -> list[str]:
    """Hash of HU and labels of every slice of a scanner."""

    def hashes() -> list[str]:
        pairs = zip(store.hu(scanner), store.labels(scanner), strict=True)
        return [hashlib.sha256(hu.tobytes() + labels.tobytes()).hexdigest() for hu, labels in pairs]

    return _memoised(_files(store, scanner, "hu", "labels"), hash_cache, "", hashes)


def _files(store: SliceStore, scanner: str, *names: str) -> list[Path]:
    return [store.folder / scanner / f"{name}.npy" for name in names]


def _memoised(
    files: Sequence[Path], hash_cache: Path, ending: str, make: Callable[[], list[Item]]
) -> list[Item]:
    """The result of ``make``, kept until one of the files it was made of changes."""
    stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    kept = hash_cache / f"{hashlib.sha256(repr(stats).encode()).hexdigest()}{ending}.json"
    try:
        return list(read_json(kept))
    except (OSError, ValueError, TypeError):
        pass
    made = make()
    with suppress(OSError):  # a cache that cannot be written costs time only
        write_json(kept, made)
    return made
