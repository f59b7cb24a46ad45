"""The public entry: simulate scanners into a slice store."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.progress import track

from cl_seg.messages.errors import InputError
from cl_seg.phantom.anatomy.slices import CLASSES, LEVELS
from cl_seg.phantom.profiles import Profile, load_profile, scanner_name
from cl_seg.phantom.series import Acquisition, simulate_series
from cl_seg.runtime.workers import in_order
from cl_seg.scans.resample import place, resample_image, resample_labels
from cl_seg.scans.store import HU, Grid, Labels, Slice, create_store


@dataclass(frozen=True)
class _Case:
    """One body on one scanner: a row, an image and a label mask per level."""

    rows: list[Slice]
    hu: list[HU]
    labels: list[Labels]


def simulate(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    folder: Path,
    *,
    scanners: list[str],
    own_bodies: int,
    shared_bodies: int,
    grid: Grid,
    seed: int,
    slices: int = 1,
    intramuscular_fat: bool = False,
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
        slices: neighbouring slices per level.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
        workers: processes, one thread each.
        show_progress: show a progress bar.

    Raises:
        InputError: a number is out of range, a profile is wrong, or ``folder`` exists or cannot
            be written.
    """
    _check(grid, {
        "own_bodies": (own_bodies, 0),
        "shared_bodies": (shared_bodies, 0),
        "own_bodies + shared_bodies": (own_bodies + shared_bodies, 1),
        "seed": (seed, 0),
        "slices": (slices, 1),
        "workers": (workers, 1),
    })  # fmt: skip
    profiles = load_profiles(scanners)
    jobs = [
        Acquisition(body, scanner, profile, seed, slices, intramuscular_fat)
        for scanner, profile, body in everybody(profiles, own_bodies, shared_bodies)
    ]
    provenance = {
        "kind": "simulated",
        "seed": seed,
        "scanners": list(profiles),
        "own_bodies": own_bodies,
        "shared_bodies": shared_bodies,
        "slices": slices,
        "intramuscular_fat": intramuscular_fat,
        "profiles": {name: profile.model_dump() for name, profile in profiles.items()},
    }
    with (
        create_store(Path(folder), CLASSES, grid, provenance) as store,
        in_order(partial(_simulate_case, grid=grid), jobs, workers) as done,
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


def _check(grid: Grid, counts: dict[str, tuple[int, int]]) -> None:
    for name, (value, minimum) in (counts | {"grid size": (grid.size, 16)}).items():
        if value < minimum:
            raise InputError(f"{name} is {value}: it must be at least {minimum}")
    if not grid.spacing_mm > 0:
        raise InputError(f"grid spacing is {grid.spacing_mm} mm: it must be positive")


def load_profiles(scanners: list[str]) -> dict[str, Profile]:
    """Profiles by name of the scanner.

    Raises:
        InputError: a profile is wrong, the list is empty, or a scanner is there twice.
    """
    names = [scanner_name(scanner) for scanner in scanners]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not names:
        problem = f"{repeated[0]} is there twice" if repeated else "the list is empty"
        raise InputError(f"scanners: {problem}; name each simulated scanner once")
    return {name: load_profile(given) for name, given in zip(names, scanners, strict=True)}


def everybody(
    profiles: dict[str, Profile], own: int, shared: int
) -> Iterator[tuple[str, Profile, str]]:
    """Every scanner with its profile and each body it scans."""
    for scanner, profile in profiles.items():
        for i in range(own):
            yield scanner, profile, f"{scanner}-body-{i:04d}"
        for i in range(shared):
            yield scanner, profile, f"shared-body-{i:04d}"


def _simulate_case(acquisition: Acquisition, grid: Grid) -> _Case:
    """All levels of one body on one scanner, brought to the canonical grid as any other scan."""
    case = _Case([], [], [])
    for level in LEVELS:
        series = simulate_series(acquisition, level)
        placement = place(series.volume, grid)
        each = zip(series.rows, series.volume.hu, series.labels, placement.cut, strict=True)
        for row, hu, labels, cut in each:
            case.rows.append(replace(row, body_cut=cut))
            case.hu.append(resample_image(hu, series.volume, placement, grid))
            case.labels.append(resample_labels(labels, series.volume, placement, grid))
    return case
