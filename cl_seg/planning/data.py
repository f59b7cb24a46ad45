"""The store a suite runs on: one on disk, or the embedded benchmark simulated when missing."""

import hashlib
from pathlib import Path

import numpy as np

from cl_seg.messages.errors import InputError
from cl_seg.planning.source import source_hash
from cl_seg.planning.source_roots import SIMULATOR
from cl_seg.scans.store import Grid, Header, SliceStore, read_header
from cl_seg.spec.settings import Data, PhantomData

STORES = Path("data")


def data_header(data: Data) -> Header:
    """Header of a suite's store, scanners in stream order, known before anything is simulated.

    Raises:
        InputError: the store is missing, or a profile is unknown.
    """
    if data.phantom is None:
        return read_header(store_folder(data))
    from cl_seg.phantom.anatomy.slices import CLASSES  # noqa: PLC0415 - only simulated data
    from cl_seg.phantom.profiles import scanner_name  # noqa: PLC0415
    from cl_seg.phantom.scanners import load_scanner  # noqa: PLC0415

    phantom, folder = data.phantom, store_folder(data)
    titles = {scanner_name(name): load_scanner(name).display_name for name in phantom.all_scanners}
    content = read_header(folder).content_sha256 if folder.exists() else ""
    grid = Grid(phantom.size, phantom.spacing_mm)
    return Header(CLASSES, grid, {"kind": "simulated"}, titles, content)


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
    from cl_seg.phantom.scanners import load_scanner  # noqa: PLC0415 - only simulated data

    scanners = [load_scanner(name).model_dump_json() for name in data.phantom.all_scanners]
    parts = [data.phantom.model_dump_json(exclude_none=True), *scanners, source_hash(*SIMULATOR)]
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
    from cl_seg.phantom.simulate import write_simulated_store  # noqa: PLC0415 - slow, rarely needed

    write_simulated_store(
        folder,
        scanners=phantom.all_scanners,
        own_bodies=phantom.own_bodies,
        shared_bodies=phantom.shared_bodies,
        size=phantom.size,
        spacing_mm=phantom.spacing_mm,
        seed=body_seed(phantom),
        slices_per_level=phantom.slices,
        levels=phantom.levels,
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
