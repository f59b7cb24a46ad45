"""Laws of the population: areas of muscle and fat, and how they and muscle HU change with age."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Body, draw_body
from cl_seg.phantom.anatomy.slices import Anatomy, paint
from cl_seg.phantom.anatomy.torso import MUSCLE
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid
from experiments.simulator.validation.checks import Check, Curve, Law
from experiments.simulator.validation.composition import Composition, composition
from experiments.simulator.validation.measure import muscle_mean
from experiments.simulator.validation.phantoms import GEOMETRY, REFERENCE, laboratory
from experiments.simulator.validation.theory import hounsfield

Floats = npt.NDArray[np.floating[Any]]

ADULTS = 200
GRID = Grid(300, 1.5)  # areas differ by less than 1 % from those on finer grids
SEXES = {"men": True, "women": False}
AREAS = {"muscle": "muscle_cm2", "subcutaneous fat": "sat_cm2", "visceral fat": "vat_cm2"}

# Medians of patients in cm²; cohorts of healthy people are leaner (PMC5842880, PMC9082940).
MEDIANS = {
    "men": {"muscle": 148, "subcutaneous fat": 148, "visceral fat": 191},
    "women": {"muscle": 104, "subcutaneous fat": 263, "visceral fat": 108},
}
MEDIANS_SOURCE = "doi 10.1155/2023/1047314"
# Change per decade of muscle area in cm² and of native muscle HU: slope of the 5th percentiles of
# 420 healthy adults over their decades.
TRENDS = {"men": (-7.2, -2.1), "women": (-6.8, -3.6)}
TRENDS_SOURCE = "PMC5842880, table 3"
# Native muscle HU at L3 of 1,859 women by age: years, mean and SD between women (PMC10920396,
# table 2).
MUSCLE_HU_OF_WOMEN = ((40, 42.6, 5.5), (50, 38.1, 7.2), (60, 33.4, 6.8), (70, 29.3, 6.6),
                      (80, 25.2, 6.8))  # fmt: skip


@dataclass(frozen=True)
class Adult:
    """A body and its areas and muscle HU at L3.

    Attributes:
        body: who.
        areas: in cm².
        muscle_hu: native, of pixels without blur and noise.
    """

    body: Body
    areas: Composition
    muscle_hu: float


def adult_name(index: int) -> str:
    """Name of a body of the validation."""
    return f"adult-{index:04d}"


def adults(count: int = ADULTS) -> list[Adult]:
    """Draw and paint bodies and read them at L3."""
    profile = laboratory(load_profile(REFERENCE))
    tissue_hu = np.array([hounsfield(t, "native", profile, GEOMETRY) for t in TISSUES])
    found = []
    for index in range(count):
        body = draw_body(0, adult_name(index))
        anatomy = paint(body, "L3", GRID)
        found.append(Adult(body, composition(anatomy), _muscle_hu(anatomy, tissue_hu)))
    return found


def _muscle_hu(anatomy: Anatomy, tissue_hu: Floats) -> float:
    muscle = anatomy.lean_labels() == MUSCLE
    return muscle_mean(tissue_hu @ anatomy.fractions[:, muscle])


def body_areas(people: list[Adult]) -> list[Check]:
    """Areas of muscle and fat have the medians of patients within 10 %; trends are information.

    Muscle shrinks and darkens with age; the reference slopes are those of 5th percentiles, so that
    no agreement is demanded.
    """
    return [c for sex in SEXES for c in (*_medians(people, sex), *_trends(people, sex))]


def _medians(people: list[Adult], sex: str) -> list[Check]:
    some = _of_sex(people, sex)
    ages = np.array([adult.body.age for adult in some])
    checks = []
    for tissue, attribute in AREAS.items():
        areas = np.array([getattr(adult.areas, attribute) for adult in some])
        wanted = float(MEDIANS[sex][tissue])
        curve = Curve(f"{tissue}, {sex}", ages, areas, np.full(len(areas), wanted))
        checks.append(
            Check(Law.COMPOSITION, f"median {tissue}, {sex}", float(np.median(areas)), wanted,
                  0.1, "cm²", "relative", curve, MEDIANS_SOURCE)
        )  # fmt: skip
    return checks


def _trends(people: list[Adult], sex: str) -> list[Check]:
    some = _of_sex(people, sex)
    decades = np.array([adult.body.age for adult in some]) / 10
    area = np.array([adult.areas.muscle_cm2 for adult in some])
    hu = np.array([adult.muscle_hu for adult in some])
    checks = []
    for values, what, unit, wanted in zip(
        (area, hu), ("area", "HU"), ("cm²", "HU"), TRENDS[sex], strict=True
    ):
        slope = float(np.polyfit(decades, values, 1)[0])
        line = values.mean() + wanted * (decades - decades.mean())
        curve = Curve(f"muscle {what}, {sex}", 10 * decades, values, line)
        case = f"muscle {what} per decade, {sex}"
        checks.append(
            Check(Law.COMPOSITION, case, slope, wanted, None, unit, curve=curve,
                  source=TRENDS_SOURCE)
        )  # fmt: skip
    return checks


def _of_sex(people: list[Adult], sex: str) -> list[Adult]:
    return [adult for adult in people if adult.body.male == SEXES[sex]]
