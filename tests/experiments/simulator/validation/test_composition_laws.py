from dataclasses import replace

import numpy as np
import pytest

from experiments.simulator.validation import composition_laws
from experiments.simulator.validation.checks import Law
from experiments.simulator.validation.composition import Composition
from experiments.simulator.validation.composition_laws import (
    MEDIANS,
    TRENDS,
    Adult,
    adults,
    body_areas,
    draw_body,
)


def like_patients(count=40):
    """Bodies with the medians of patients and the trends of their sex, exactly."""
    people = []
    for index in range(count):
        sex = "men" if index % 2 else "women"
        age = 35.0 + index // 2 * 2
        body = replace(draw_body(0, "any"), male=sex == "men", age=age)
        decades = (age - 54) / 10  # 54 years is their median
        area, hu = TRENDS[sex]
        usual = MEDIANS[sex]
        areas = Composition(
            usual["muscle"] + area * decades,
            usual["subcutaneous fat"],
            usual["visceral fat"],
            10,
        )
        people.append(Adult(body, areas, 30 + hu * decades))
    return people


def test_a_population_like_patients_passes_and_has_their_trends():
    checks = body_areas(like_patients())
    assert [c.passed for c in checks if c.tolerance] == [True] * 6
    for check in checks:
        assert check.law == Law.COMPOSITION
        assert check.source
        assert check.measured == pytest.approx(check.expected, rel=1e-6)
        np.testing.assert_allclose(np.median(check.curve.measured), np.median(check.curve.theory))


def test_a_fifth_more_muscle_in_men_fails_for_them_alone():
    people = [
        replace(a, areas=replace(a.areas, muscle_cm2=1.2 * a.areas.muscle_cm2))
        if a.body.male
        else a
        for a in like_patients()
    ]
    assert [c.case for c in body_areas(people) if c.passed is False] == ["median muscle, men"]


def test_adults_are_read_from_what_is_painted():
    one, other = adults(2)
    assert one.body.name != other.body.name
    assert one.areas.muscle_cm2 == pytest.approx(one.body.muscle_cm2, rel=0.2)
    assert 10 < one.muscle_hu < 50
    assert adults(1) == [one]


def test_more_fat_in_muscle_reads_darker(monkeypatch):
    lean, fatty = (replace(draw_body(0, "adult-0000"), muscle_fat=f) for f in (0.03, 0.2))
    read = []
    for body in (lean, fatty):
        monkeypatch.setattr(composition_laws, "draw_body", lambda seed, name, body=body: body)
        read.append(adults(1)[0].muscle_hu)
    assert read[0] - read[1] > 5


@pytest.mark.slow
def test_bodies_have_the_areas_of_patients():
    assert not [c for c in body_areas(adults()) if c.passed is False]
