"""Who somebody is: sex, build and tissue quality, drawn once from a seed."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True)
class Body:
    """One anatomy.

    Attributes:
        name: e.g. "shared-body-0003".
        entropy: of all random streams of this body.
        male: sex.
        width_mm: transverse diameter of the trunk.
        depth_mm: sagittal diameter.
        fat_mm: subcutaneous fat in front.
        muscle: linear size of the muscles, 1 for the average man.
        muscle_fat: mean fat fraction inside muscle.
        liver_fat: fat fraction of the liver.
        enhancement: factor on iodine uptake.
    """

    name: str
    entropy: tuple[int, ...]
    male: bool
    width_mm: float
    depth_mm: float
    fat_mm: float
    muscle: float
    muscle_fat: float
    liver_fat: float
    enhancement: float

    def stream(self, *purpose: str) -> np.random.Generator:
        """Random stream of one purpose, independent of all others."""
        return np.random.default_rng([*self.entropy, *(crc32(word.encode()) for word in purpose)])

    @property
    def scale(self) -> float:
        """Size of bones and organs, 1 for the average man."""
        return 1.0 if self.male else 0.92


def draw_body(seed: int, name: str) -> Body:
    """Draw a body from a suite's seed and the body's name.

    All distributions are engineering values. The size of the muscles is tuned so that their areas
    at L3 have the medians of patients (men/women 148/104 cm²: doi 10.1155/2023/1047314).
    """
    entropy = (seed, crc32(name.encode()))
    rng = np.random.default_rng([*entropy, crc32(b"body")])
    male = bool(rng.random() < 0.5)
    build = rng.normal()  # common factor: broad people are fat and have more muscle
    width = np.clip((350 if male else 330) + 20 * build + rng.normal(0, 12), 280, 415)
    depth = width * np.clip(rng.normal(0.665 + 0.01 * build, 0.022), 0.6, 0.74)
    fat = np.clip((17 if male else 27) + 5 * build + rng.normal(0, 4), 6, 42)
    muscle = (0.99 if male else 0.79) * np.exp(0.02 * build + rng.normal(0, 0.05))
    steatosis = rng.random() < 0.15
    return Body(
        name=name,
        entropy=entropy,
        male=male,
        width_mm=float(width),
        depth_mm=float(depth),
        fat_mm=float(fat),
        muscle=float(muscle),
        muscle_fat=float(np.clip(rng.normal(0.06 + 0.01 * build, 0.03), 0.02, 0.25)),
        liver_fat=float(rng.uniform(0.05, 0.15) if steatosis else rng.uniform(0.0, 0.03)),
        enhancement=float(np.exp(rng.normal(0, 0.1))),
    )
