"""Bodies: sex, age, build and tissue quality, drawn once from a seed."""

import re
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

AGES = (25.0, 85.0)  # years
MEDIAN_AGE = 60.0
# Powers of the positive root of x⁶ = x + 1.
RECURRENCE_STEPS = 1.1347241384015194 ** -np.arange(1, 6)
OUTLINE_SHARE = 0.96  # of the muscle area lies in the smooth outlines; uneven edges add the rest


@dataclass(frozen=True)
class Population:
    """Medians of one sex at the median age and BMI.

    Attributes:
        muscle_cm2: skeletal muscle area at L3.
        sat_cm2: subcutaneous fat area at L3.
        vat_cm2: visceral fat area at L3.
        bmi: kg/m².
        scale: size of bones and organs, 1 for men.
    """

    muscle_cm2: float
    sat_cm2: float
    vat_cm2: float
    bmi: float
    scale: float


# Areas: medians of patients, doi 10.1155/2023/1047314. BMI and scale: engineering values.
MEN = Population(148, 148, 191, 26.5, 1.0)
WOMEN = Population(104, 263, 108, 26.0, 0.92)


@dataclass(frozen=True)
class Body:
    """One simulated person.

    Attributes:
        name: e.g. "shared-body-0003".
        entropy: of all random streams of this body.
        male: sex.
        age: years.
        bmi: kg/m².
        muscle_cm2: skeletal muscle area at L3 the body is laid out for.
        sat_cm2: subcutaneous fat area at L3, likewise.
        vat_cm2: visceral fat area at L3, likewise.
        muscle_fat: mean fat fraction inside muscle.
        liver_fat: fat fraction of the liver.
        mineral: fraction of cortical bone in the spongy bone of vertebrae.
        enhancement: factor on iodine uptake.
    """

    name: str
    entropy: tuple[int, ...]
    male: bool
    age: float
    bmi: float
    muscle_cm2: float
    sat_cm2: float
    vat_cm2: float
    muscle_fat: float
    liver_fat: float
    mineral: float
    enhancement: float

    def random_generator(self, *purpose: str) -> np.random.Generator:
        """Random generator of one purpose, independent of all others."""
        return np.random.default_rng([*self.entropy, *(crc32(word.encode()) for word in purpose)])

    @property
    def scale(self) -> float:
        """Size of bones and organs, 1 for the average man."""
        return (MEN if self.male else WOMEN).scale

    @property
    def muscle_scale(self) -> float:
        """Linear size of the muscles, 1 for the average man."""
        return float(np.sqrt(OUTLINE_SHARE * self.muscle_cm2 / MEN.muscle_cm2))


@dataclass(frozen=True)
class Preparation:
    """State of a patient on the scanner's table.

    Attributes:
        oral_contrast: whether they drank contrast medium.
        arms_lowered: whether their arms lie beside the trunk.
        implants: whether their spine holds pedicle screws.
    """

    oral_contrast: bool = False
    arms_lowered: bool = False
    implants: bool = False


def draw_body(seed: int, name: str) -> Body:
    """Draw a body from the seed of a suite and the name of the body.

    Bodies whose names differ in the number at their end alternate between men and women and spread
    evenly over ages and builds, so that few of them stand for many. Areas are log-normal about the
    medians of their sex, with trends over age and BMI; the trends and spreads are engineering
    values unless a source stands beside them.
    """
    entropy = (seed, crc32(name.encode()))
    rng = np.random.default_rng([*entropy, crc32(b"body")])
    male, (of_age, of_bmi, of_muscle, of_sat, of_vat) = _draw_person(seed, name)
    usual = MEN if male else WOMEN
    age = float(np.clip(MEDIAN_AGE + 14 * of_age, *AGES))
    bmi = float(np.clip(usual.bmi * np.exp(0.17 * of_bmi), 17, 42))
    older, heavier = age - MEDIAN_AGE, bmi - usual.bmi
    muscle = usual.muscle_cm2 * np.exp(-0.0045 * older + 0.010 * heavier + 0.11 * of_muscle)
    sat = usual.sat_cm2 * np.exp(0.075 * heavier + 0.22 * of_sat)
    vat = usual.vat_cm2 * np.exp(0.080 * heavier + 0.012 * older + 0.32 * of_vat)
    # Muscle reads about 0.3 HU less per year (PMC10920396): with the fat between its bundles, which
    # grows in proportion, 0.002 of it becomes fat.
    muscle_fat = (0.036 if male else 0.046) + 0.0022 * older + 0.003 * heavier
    steatosis = rng.random() < 0.2
    return Body(
        name=name,
        entropy=entropy,
        male=male,
        age=age,
        bmi=bmi,
        muscle_cm2=float(np.clip(muscle, 65, 240)),
        sat_cm2=float(np.clip(sat, 25, 480)),
        vat_cm2=float(np.clip(vat, 15, 380)),
        muscle_fat=float(np.clip(muscle_fat + rng.normal(0, 0.015), 0.005, 0.2)),
        liver_fat=float(rng.uniform(0.05, 0.22) if steatosis else rng.uniform(0.0, 0.04)),
        mineral=float(np.clip(0.125 - 0.0014 * older + rng.normal(0, 0.02), 0.03, 0.24)),
        enhancement=float(np.exp(rng.normal(0, 0.1))),
    )


def _draw_person(seed: int, name: str) -> tuple[bool, npt.NDArray[np.float64]]:
    """Whether a body is a man, and five standard normal numbers for the rest of it.

    The numbers of a series of bodies are an additive recurrence (Roberts 2018, "The unreasonable
    effectiveness of quasirandom sequences"), which fills five dimensions evenly, from a random
    start.
    """
    stem, digits = re.fullmatch(r"(.*?)(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    number, start = int(digits or 0), crc32(stem.encode())
    offset = np.random.default_rng([seed, start, crc32(b"person")]).random(len(RECURRENCE_STEPS))
    uniform = (offset + number // 2 * RECURRENCE_STEPS + number % 2 / 2) % 1
    return (number + start) % 2 == 0, ndtri(np.clip(uniform, 1e-6, 1 - 1e-6))
