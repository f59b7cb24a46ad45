"""The store a suite runs on: one on disk, or the embedded benchmark simulated when missing."""

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
from cl_seg.planning.source import source_hash
from cl_seg.scans.splits import (
    PARTS,
    Fractions,
    check_parts,
    partly_usable_slices,
    split_by_patient,
    split_within_case,
    usable_slices,
)
from cl_seg.scans.store import Grid, Header, SliceStore, check_offers, read_header
from cl_seg.spec.settings import Data, PhantomData
from cl_seg.spec.suite import SeedTrainingSuite, Suite

STORES = Path("data")
Item = TypeVar("Item")
SIMULATOR = (
    *("phantom/anatomy", "phantom/physics"),
    *("phantom/acquisition.py", "phantom/profiles.py", "phantom/protocol.py", "phantom/series.py"),
    *("phantom/simulate.py", "phantom/tissues.py", "phantom/truth.py"),
    "scans/body.py",
    "scans/resample.py",
    "scans/series.py",
    "scans/shares.py",
)
"""What determines the embedded benchmark, besides the profiles of its scanners."""


def scanner_names(data: Data) -> list[str]:
    """Scanners in stream order, known before anything is simulated.

    Raises:
        InputError: the store is missing, or a profile is unknown.
    """
    if data.phantom is not None:
        from cl_seg.phantom.profiles import load_profile, scanner_name  # noqa: PLC0415 - only simulated data

        names = data.phantom.scanners
        for name in names:
            load_profile(name)
        return [scanner_name(name) for name in names]
    assert data.store is not None
    return list(read_header(data.store).scanners)


def store_folder(data: Data) -> Path:
    """Where the store of a suite is or will be.

    The embedded benchmark lives in a folder named by what determines it: its settings, the
    profiles of its scanners and the source of the simulator.

    Raises:
        InputError: a profile is unknown or wrong.
    """
    if data.phantom is None:
        assert data.store is not None
        return data.store
    from cl_seg.phantom.profiles import load_profile  # noqa: PLC0415 - only simulated data

    profiles = [load_profile(name).model_dump_json() for name in data.phantom.scanners]
    parts = [data.phantom.model_dump_json(), *profiles, source_hash(*SIMULATOR)]
    name = hashlib.sha256("".join(parts).encode()).hexdigest()[:12]
    return STORES / f"phantom-{name}.store"


def open_store(data: Data, workers: int) -> SliceStore:
    """Open the store of a suite, simulating it first when it is the embedded one and missing."""
    folder = store_folder(data)
    if data.phantom is not None and not folder.exists():
        try:
            simulate_phantom(folder, data.phantom, workers)
        except InputError:
            if not folder.exists():  # unless another process was faster
                raise
    return SliceStore(folder)


def simulate_phantom(folder: Path, phantom: PhantomData, workers: int) -> None:
    """Simulate the embedded benchmark into ``folder``."""
    from cl_seg.phantom.simulate import simulate  # noqa: PLC0415 - slow import, rarely needed

    simulate(
        folder,
        scanners=phantom.scanners,
        own_bodies=phantom.own_bodies,
        shared_bodies=phantom.shared_bodies,
        size=phantom.size,
        spacing_mm=phantom.spacing_mm,
        seed=body_seed(phantom),
        slices=phantom.slices,
        intramuscular_fat=phantom.intramuscular_fat,
        workers=workers,
    )


def body_seed(phantom: PhantomData) -> int:
    """Seed of anatomy and noise: the one given for the benchmark, one spawned from it otherwise.

    Bodies depend on this seed and their names alone, so that pools share no body.
    """
    if phantom.pool == "benchmark":
        return phantom.seed
    words = np.random.SeedSequence([phantom.seed, *phantom.pool.encode()]).generate_state(2)
    return int(words[0]) << 32 | int(words[1])


def check_data(suite: Suite, scanners: Sequence[str]) -> None:
    """Refuse data that do not fit the suite, as far as can be said before simulating anything.

    Args:
        suite: what to run.
        scanners: the ones its runs use.

    Raises:
        InputError: classes, image size, labels or patients do not allow it.
    """
    phantom = suite.data.phantom
    if phantom is None:
        store = SliceStore(store_folder(suite.data))
        check_offers(store.header, store.folder, suite.classes, suite.image.size)
        split_slices(store.slices, suite, scanners)
        for scanner in scanners:
            store.hu(scanner), store.labels(scanner)  # opened only, damaged files show here
        return
    from cl_seg.phantom.anatomy.slices import CLASSES  # noqa: PLC0415 - only simulated data

    header = Header(CLASSES, Grid(phantom.size, phantom.spacing_mm), provenance={})
    check_offers(header, Path("data.phantom"), suite.classes, suite.image.size)


def split_slices(slices: pd.DataFrame, suite: Suite, scanners: Sequence[str]) -> pd.DataFrame:
    """The usable slices of some scanners with their ``part``.

    The whole store is split, whichever scanners are asked for, so that all runs on a store are
    tested on the same patients.

    Raises:
        InputError: no slice is labelled for every class, or a scanner cannot be split.
    """
    in_part = isinstance(suite, SeedTrainingSuite)
    usable = (partly_usable_slices if in_part else usable_slices)(slices, suite.classes)
    if usable.empty:
        if not slices["labelled"].any():
            raise InputError(
                "no slice of the store has labels: ingest a manifest with a column `labels`"
            )
        names = " and ".join(suite.classes)
        raise InputError(f"no slice is labelled for {names}: change `classes`")
    if in_part:
        return usable[usable["scanner"].isin(scanners)].assign(part="train")
    fractions = Fractions(test=suite.split.test, validation=suite.split.validation)
    if suite.split.by == "within_case":
        usable = usable[usable["scanner"].isin(scanners)]
        split = split_within_case(usable, fractions)
    else:
        split = split_by_patient(usable, fractions, suite.split.seed)
    check_parts(split, scanners)
    return split[split["scanner"].isin(scanners)]


def fingerprint(store: Path) -> str:
    """Sizes and times of a store's files, which change when its content does."""
    files = sorted(path for path in store.rglob("*") if path.is_file())
    stats = [(str(f.relative_to(store)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def check_unchanged(store: SliceStore, cache: Path) -> None:
    """Refuse a store that is not what it was made: results would carry the hash of other data.

    Args:
        store: opened.
        cache: folder that keeps what was checked, so that unchanged files are not read again.

    Raises:
        InputError: rows, images or labels are others.
    """
    kept = cache / f"{fingerprint(store.folder)}.checked"
    if kept.exists():
        return
    if store.content_hash() != store.header.content:
        raise InputError(
            f"{store.folder} was changed after it was made, its content hash is of other data: "
            "ingest again"
        )
    with suppress(OSError):  # a cache that cannot be written costs time only
        write_text(kept, store.header.content)


def part_digests(
    store: SliceStore, split: pd.DataFrame, scanners: Sequence[str], cache: Path
) -> dict[tuple[str, str], str]:
    """(scanner, part) → hash of its slices in order: pixels and their meaning, whose and where.

    Args:
        store: opened.
        split: its slices with their part.
        scanners: the ones its runs use.
        cache: folder that keeps hashes of pixels, so that unchanged files are not read again.
    """
    meaning = (store.header.classes, store.header.grid)
    digests = {}
    for scanner in scanners:
        own = split[split["scanner"] == scanner]
        pixels = _pixel_hashes(store, scanner, cache)
        for part in PARTS:
            rows = own[own["part"] == part]
            ids = rows[["slice_id", "case", "patient", "z_mm"]].to_numpy().tolist()
            slices = [(*who, pixels[row]) for who, row in zip(ids, rows["row"], strict=True)]
            text = repr((meaning, slices))
            digests[scanner, part] = hashlib.sha256(text.encode()).hexdigest()
    return digests


def symbolic_digests(data: Data, scanners: Sequence[str]) -> dict[tuple[str, str], str]:
    """Stand-ins for :func:`part_digests` of a benchmark that is not simulated yet."""
    name = store_folder(data).name
    return {(scanner, part): name for scanner in scanners for part in PARTS}


def classes_of_cases(
    store: SliceStore, split: pd.DataFrame, classes: Sequence[str], cache: Path
) -> pd.DataFrame:
    """Which classes the cases of scanners have, in each part.

    Args:
        store: opened.
        split: slices of it with their part.
        classes: of the suite.
        cache: folder that keeps which labels slices have, so that they are not read again.

    Returns:
        A row per scanner, part and case (the index), a boolean column per class.
    """
    found = []
    for scanner, own in split.groupby("scanner", sort=False):
        values = _label_values(store, str(scanner), cache)
        rows = [values[row] for row in own["row"]]
        has = {c: [store.header.classes.index(c) + 1 in row for row in rows] for c in classes}
        place = pd.MultiIndex.from_frame(own[["scanner", "part", "case"]])
        found.append(pd.DataFrame(has, index=place))
    every = pd.concat(found)
    return every.groupby(level=[0, 1, 2], sort=False).any()


def _label_values(store: SliceStore, scanner: str, cache: Path) -> list[list[int]]:
    """The values in the labels of every slice of a scanner."""

    def values() -> list[list[int]]:
        return [
            np.flatnonzero(np.bincount(labels.ravel())).tolist() for labels in store.labels(scanner)
        ]

    return _kept(_files(store, scanner, "labels"), cache, ".labels", values)


def _pixel_hashes(store: SliceStore, scanner: str, cache: Path) -> list[str]:
    """Hash of HU and labels of every slice of a scanner."""

    def hashes() -> list[str]:
        pairs = zip(store.hu(scanner), store.labels(scanner), strict=True)
        return [hashlib.sha256(hu.tobytes() + labels.tobytes()).hexdigest() for hu, labels in pairs]

    return _kept(_files(store, scanner, "hu", "labels"), cache, "", hashes)


def _files(store: SliceStore, scanner: str, *names: str) -> list[Path]:
    return [store.folder / scanner / f"{name}.npy" for name in names]


def _kept(
    files: Sequence[Path], cache: Path, ending: str, make: Callable[[], list[Item]]
) -> list[Item]:
    """What was made of some files, kept until one of them changes."""
    stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    kept = cache / f"{hashlib.sha256(repr(stats).encode()).hexdigest()}{ending}.json"
    try:
        return list(read_json(kept))
    except (OSError, ValueError, TypeError):
        pass
    made = make()
    with suppress(OSError):  # a cache that cannot be written costs time only
        write_json(kept, made)
    return made
