"""The scans of a store: every body on every scanner that scans it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.drawn_profile import draw_profile
from cl_seg.phantom.profiles import RANDOMISED, Profile
from cl_seg.phantom.random_generators import random_generator
from cl_seg.phantom.scanners import Scanner


@dataclass(frozen=True)
class SimulatedScan:
    """One body on one scanner.

    Attributes:
        body: name of the body.
        scanner: name of the scanner.
        profile: of the scanner in this case.
        seed: of all randomness.
        slices_per_level: neighbouring slices per level.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
    """

    body: str
    scanner: str
    profile: Profile
    seed: int
    slices_per_level: int = 1
    intramuscular_fat: bool = False

    @property
    def case(self) -> str:
        """Name of this body on this scanner."""
        return f"{self.body}@{self.scanner}"

    @property
    def device(self) -> str:
        """Name of the machine: the scanner, or another one in every case of a randomised one."""
        return self.case if self.profile.track == RANDOMISED else self.scanner

    def random_generator(self, *purpose: str) -> np.random.Generator:
        """Random generator of one purpose, independent of all others."""
        return random_generator(self.seed, *purpose)


def scan_of_body(
    body: str,
    name: str,
    scanner: Scanner,
    seed: int,
    slices_per_level: int = 1,
    intramuscular_fat: bool = False,
) -> SimulatedScan:
    """One body on one scanner; the profile of a randomised scanner is drawn for this case.

    Args:
        body: its name.
        name: of the scanner.
        scanner: with a profile or ranges.
        seed: of all randomness.
        slices_per_level: neighbouring slices per level.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
    """
    profile = draw_profile(scanner, random_generator(seed, body, name, "profile"))
    return SimulatedScan(body, name, profile, seed, slices_per_level, intramuscular_fat)


def simulated_scans(
    scanners: Mapping[str, Scanner],
    own_bodies: int,
    shared_bodies: int,
    seed: int = 0,
    slices_per_level: int = 1,
    intramuscular_fat: bool = False,
) -> list[SimulatedScan]:
    """Every body on every scanner that scans it, scanner after scanner.

    Args:
        scanners: by name.
        own_bodies: bodies per scanner that no other scanner scans.
        shared_bodies: bodies that all scanners scan.
        seed: of all randomness.
        slices_per_level: neighbouring slices per level.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
    """
    return [
        scan_of_body(
            f"{of}-body-{number:04d}", name, scanner, seed, slices_per_level, intramuscular_fat
        )
        for name, scanner in scanners.items()
        for of, count in ((name, own_bodies), ("shared", shared_bodies))
        for number in range(count)
    ]
