"""The scans of a store: every body on every scanner that scans it."""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from cl_seg.phantom.profiles import Profile


@dataclass(frozen=True)
class SimulatedScan:
    """One body on one scanner.

    Attributes:
        body: name of the body.
        scanner: name of the scanner.
        profile: of the scanner.
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

    def random_generator(self, *purpose: str) -> np.random.Generator:
        """Random generator of one purpose, independent of all others."""
        return np.random.default_rng([self.seed, *(crc32(word.encode()) for word in purpose)])


def simulated_scans(
    profiles: Mapping[str, Profile],
    own_bodies: int,
    shared_bodies: int,
    seed: int = 0,
    slices_per_level: int = 1,
    intramuscular_fat: bool = False,
) -> list[SimulatedScan]:
    """Every body on every scanner that scans it, scanner after scanner.

    Args:
        profiles: by name of the scanner.
        own_bodies: bodies per scanner that no other scanner scans.
        shared_bodies: bodies that all scanners scan.
        seed: of all randomness.
        slices_per_level: neighbouring slices per level.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
    """
    return [
        SimulatedScan(
            f"{of}-body-{number:04d}", scanner, profile, seed, slices_per_level, intramuscular_fat
        )
        for scanner, profile in profiles.items()
        for of, count in ((scanner, own_bodies), ("shared", shared_bodies))
        for number in range(count)
    ]
