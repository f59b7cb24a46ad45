"""The public entry: simulate scanners into a slice store."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rich.progress import track

from cl_seg.files import InputError
from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import CLASSES, LEVELS, paint
from cl_seg.phantom.profiles import Profile, load_profile, scanner_name
from cl_seg.phantom.projection import Geometry
from cl_seg.phantom.scanner import Noise, channel_gain, scan, to_grid
from cl_seg.scans.store import Grid, Slice, create_store
from cl_seg.workers import interrupts_blocked, leave_with_parent

LEVEL_Z_MM = {"L3": 0.0, "liver": 100.0}  # about three vertebrae apart (engineering value)
GEOMETRY = Geometry()


@dataclass(frozen=True)
class _Job:
    """One body on one scanner."""

    body: str
    scanner: str
    profile: Profile
    grid: Grid
    seed: int


@dataclass(frozen=True)
class _Case:
    """The result of a job: one row, image and label mask per level."""

    rows: list[Slice]
    hu: list[npt.NDArray[np.int16]]
    labels: list[npt.NDArray[np.uint8]]


def simulate(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    folder: Path,
    *,
    scanners: list[str],
    own_bodies: int,
    shared_bodies: int,
    grid: Grid,
    seed: int,
    workers: int = 1,
    show_progress: bool = True,
) -> None:
    """Simulate CT scanners and write a slice store.

    Every scanner scans ``own_bodies`` bodies of its own and ``shared_bodies`` that all scanners
    scan, at L3 and at liver level. The result depends on ``seed`` and the names of scanners only,
    neither on the other scanners in the list nor on ``workers``.

    Args:
        folder: the store to make; must not exist.
        scanners: names of built-in profiles or paths of profile files.
        own_bodies: bodies per scanner that no other scanner sees.
        shared_bodies: bodies that every scanner sees.
        grid: canonical grid of the store.
        seed: of all randomness, not negative.
        workers: processes, one thread each.
        show_progress: show a progress bar.

    Raises:
        InputError: a number is out of range, a profile is wrong, or ``folder`` exists or cannot
            be written.
    """
    _check_counts(own_bodies, shared_bodies, grid, seed, workers)
    profiles = _load_profiles(scanners)
    jobs = [
        _Job(body, scanner, profile, grid, seed)
        for scanner, profile in profiles.items()
        for body in _body_names(scanner, own_bodies, shared_bodies)
    ]
    provenance = {
        "kind": "simulated",
        "seed": seed,
        "scanners": list(profiles),
        "own_bodies": own_bodies,
        "shared_bodies": shared_bodies,
        "profiles": {name: profile.model_dump() for name, profile in profiles.items()},
    }
    with (
        create_store(Path(folder), CLASSES, grid, provenance) as store,
        _simulated(jobs, workers) as done,
    ):
        shown = track(done, "Simulating", len(jobs), transient=True, disable=not show_progress)
        for scanner, cases in groupby(shown, key=lambda case: case.rows[0].scanner):
            whole = list(cases)
            store.add_scanner(
                scanner,
                profiles[scanner].display_name,
                [row for case in whole for row in case.rows],
                np.stack([hu for case in whole for hu in case.hu]),
                np.stack([labels for case in whole for labels in case.labels]),
            )


def _check_counts(own_bodies: int, shared_bodies: int, grid: Grid, seed: int, workers: int) -> None:
    least = {
        "own_bodies": (own_bodies, 0),
        "shared_bodies": (shared_bodies, 0),
        "own_bodies + shared_bodies": (own_bodies + shared_bodies, 1),
        "grid size": (grid.size, 16),
        "seed": (seed, 0),
        "workers": (workers, 1),
    }
    for name, (value, minimum) in least.items():
        if value < minimum:
            raise InputError(f"{name} is {value}: it must be at least {minimum}")
    if not grid.spacing_mm > 0:
        raise InputError(f"grid spacing is {grid.spacing_mm} mm: it must be positive")


def _load_profiles(scanners: list[str]) -> dict[str, Profile]:
    names = [scanner_name(scanner) for scanner in scanners]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not names:
        problem = f"{repeated[0]} is there twice" if repeated else "the list is empty"
        raise InputError(f"scanners: {problem}; name each simulated scanner once")
    return {name: load_profile(given) for name, given in zip(names, scanners, strict=True)}


def _body_names(scanner: str, own: int, shared: int) -> list[str]:
    return [f"{scanner}-body-{i:04d}" for i in range(own)] + [
        f"shared-body-{i:04d}" for i in range(shared)
    ]


@contextmanager
def _simulated(jobs: list[_Job], workers: int) -> Iterator[Iterator[_Case]]:
    """Cases in the order of the jobs; processes and pending work end with the block."""
    if workers == 1:
        yield map(_simulate_case, jobs)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn, initializer=leave_with_parent)
    try:
        with interrupts_blocked():
            done = pool.map(_simulate_case, jobs)
        yield done
    except BrokenProcessPool:
        raise InputError(
            "a worker process was killed, perhaps for want of memory: try fewer --workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _random(*purpose: int | str) -> np.random.Generator:
    words = (crc32(word.encode()) if isinstance(word, str) else word for word in purpose)
    return np.random.default_rng(list(words))


def _simulate_case(job: _Job) -> _Case:
    """Draw, paint and scan both levels of one body on one scanner."""
    body = draw_body(job.seed, job.body)
    gain = channel_gain(job.profile, GEOMETRY, _random(job.seed, job.scanner, "channel gain"))
    case = _Case([], [], [])
    for level in LEVELS:
        anatomy = paint(body, level)
        noise = Noise(gain, _random(job.seed, job.body, job.scanner, level, "noise"))
        image, spacing_mm = scan(anatomy, body.enhancement, job.profile, GEOMETRY, noise)
        hu, labels = to_grid(image, spacing_mm, anatomy, job.grid)
        case.rows.append(_row(job, level, spacing_mm))
        case.hu.append(hu)
        case.labels.append(labels)
    return case


def _row(job: _Job, level: str, spacing_mm: float) -> Slice:
    case = f"{job.body}@{job.scanner}"
    return Slice(
        slice_id=f"{case}-{level}",
        scanner=job.scanner,
        case=case,
        patient=job.body,
        series=f"{case}-{level}",
        z_mm=LEVEL_Z_MM[level],
        spacing_mm=spacing_mm,
        thickness_mm=job.profile.detector.slice_mm,
        kvp=float(job.profile.tube.kvp),
        kernel=job.profile.reconstruction.kernel,
        labelled=",".join(CLASSES),
        body=job.body,
    )
