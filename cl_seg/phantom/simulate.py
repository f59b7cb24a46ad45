"""Simulate scanners into a slice store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
from rich.progress import track

from cl_seg.messages.errors import InputError
from cl_seg.messages.progress import progress_console
from cl_seg.phantom.anatomy.slices import CLASSES, LEVELS
from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.scanners import load_scanners
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan, simulated_scans
from cl_seg.runtime.workers import map_in_order
from cl_seg.scans.resample import centre_grid, resample_image, resample_labels
from cl_seg.scans.store import HU, Grid, Labels, SliceRow, SliceStore, create_store


@dataclass(frozen=True)
class _Case:
    """One body on one scanner: a row, an image and a label mask per slice."""

    rows: list[SliceRow]
    hu: list[HU]
    labels: list[Labels]


def write_simulated_store(  # noqa: PLR0913 - keyword-only, each a plain choice of the user
    folder: Path | str,
    scanners: Sequence[str] | None = None,
    *,
    own_bodies: int = 42,
    shared_bodies: int = 14,
    size: int = 320,
    spacing_mm: float = 1.6,
    seed: int = 0,
    slices_per_level: int = 1,
    levels: Literal["trunk"] | None = None,
    intramuscular_fat: bool = False,
    workers: int = 1,
    show_progress: bool = True,
) -> SliceStore:
    """Simulate CT scanners and write a slice store.

    Every scanner scans ``own_bodies`` bodies of its own and ``shared_bodies`` that all scanners
    scan, at L3 and at liver level, or at heights along the trunk. The slices of a scanner depend on
    ``seed`` and its name, neither on the other scanners in the list nor on ``workers``.

    Args:
        folder: the store to make; must not exist.
        scanners: names of built-in profiles or paths of profile files, or "randomised", which draws
            a profile in every case; all built-in profiles by default.
        own_bodies: bodies per scanner that no other scanner scans.
        shared_bodies: bodies that every scanner scans.
        size: pixels per side of a stored slice.
        spacing_mm: pixel size of a stored slice in mm.
        seed: of all randomness, not negative.
        slices_per_level: neighbouring slices per level; of the trunk, slices per body.
        levels: "trunk" for slices at random heights from the sacrum to above the liver; by default
            the two levels L3 and liver.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
        workers: processes, one thread each.
        show_progress: show a progress bar.

    Raises:
        InputError: a number is out of range, a profile is wrong, or ``folder`` exists or cannot
            be written.
    """
    _check_at_least({
        "own_bodies": (0, own_bodies),
        "shared_bodies": (0, shared_bodies),
        "own_bodies + shared_bodies": (1, own_bodies + shared_bodies),
        "size": (16, size),
        "seed": (0, seed),
        "slices": (1, slices_per_level),
        "workers": (1, workers),
    })  # fmt: skip
    if not spacing_mm > 0:
        raise InputError(f"spacing_mm is {spacing_mm}: it must be positive")
    profiles, grid = load_scanners(scanners), Grid(size, spacing_mm)
    scans = simulated_scans(
        profiles, own_bodies, shared_bodies, seed, slices_per_level, intramuscular_fat
    )
    provenance = {
        "kind": "simulated",
        "seed": seed,
        "scanners": list(profiles),
        "own_bodies": own_bodies,
        "shared_bodies": shared_bodies,
        "slices": slices_per_level,
        "intramuscular_fat": intramuscular_fat,
        "profiles": {name: profile.model_dump() for name, profile in profiles.items()},
    } | ({"levels": levels} if levels else {})
    simulate_case = partial(_simulate_case, grid=grid, levels=(TRUNK,) if levels else LEVELS)
    with (
        create_store(Path(folder), CLASSES, grid, provenance) as store,
        map_in_order(simulate_case, scans, workers) as done,
    ):
        shown = track(
            done,
            "Simulating",
            len(scans),
            console=progress_console(),
            transient=True,
            disable=not show_progress,
        )
        for scanner, cases in groupby(shown, key=lambda case: case.rows[0].scanner):
            whole = list(cases)
            store.add_scanner(
                scanner,
                profiles[scanner].display_name,
                [row for case in whole for row in case.rows],
                np.stack([hu for case in whole for hu in case.hu]),
                np.stack([labels for case in whole for labels in case.labels]),
            )
    return SliceStore(Path(folder))


def _check_at_least(counts: dict[str, tuple[int, int]]) -> None:
    for name, (minimum, value) in counts.items():
        if value < minimum:
            raise InputError(f"{name} is {value}: it must be at least {minimum}")


def _simulate_case(simulated_scan: SimulatedScan, grid: Grid, levels: Sequence[str]) -> _Case:
    """The levels of one body on one scanner, on the grid of the store as any other scan."""
    case = _Case([], [], [])
    for level in levels:
        series = simulate_series(simulated_scan, level)
        placement = centre_grid(series.volume, grid)
        each = zip(series.rows, series.volume.hu, series.labels, placement.truncated, strict=True)
        for row, hu, labels, truncated in each:
            case.rows.append(replace(row, body_cut=truncated))
            case.hu.append(resample_image(hu, series.volume, placement, grid))
            case.labels.append(resample_labels(labels, series.volume, placement, grid))
    return case
