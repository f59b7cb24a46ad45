from dataclasses import replace

import numpy as np
import pytest

from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import LEVELS, Anatomy
from cl_seg.phantom.anatomy.torso import LIVER, MUSCLE, SUBCUTANEOUS, VISCERAL
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid
from experiments.simulator.validation import attenuation_laws
from experiments.simulator.validation.attenuation_laws import (
    PHASES,
    REFERENCES,
    Scanned,
    body_hu,
    readings,
    scan_bodies,
)
from experiments.simulator.validation.checks import Law


def quarters(size=60):
    """Subcutaneous fat, visceral fat, muscle and liver in a quarter of the image each."""
    half = size // 2
    fractions = np.zeros((len(TISSUES), size, size), np.float32)
    labels, regions = np.zeros((2, size, size), np.uint8)
    fractions[TISSUES.index("adipose"), :half] = 1
    regions[:half, :half], regions[:half, half:] = SUBCUTANEOUS, VISCERAL
    labels[half:, :half], labels[half:, half:] = MUSCLE, LIVER
    fractions[TISSUES.index("muscle"), half:, :half] = 1
    fractions[TISSUES.index("liver"), half:, half:] = 1
    return Anatomy(Grid(size, 1.0), fractions, labels, regions, -np.ones((size, size), np.float32))


def test_tissues_are_read_where_they_are():
    anatomy = quarters()
    values = np.array([[-100.0, -95.0], [50.0, 110.0]])
    hu = values.repeat(30, axis=0).repeat(30, axis=1)
    found = readings(hu, anatomy)
    assert found == {
        "subcutaneous fat": -100,
        "visceral fat": -95,
        "muscle": 50,
        "liver": 110,
    }


def test_fat_and_liver_are_read_inside_and_muscle_to_its_edge():
    anatomy = quarters()
    hu = np.zeros((60, 60))
    inside = np.zeros((30, 30), bool)
    inside[2:-2, 2:-2] = True
    hu[np.tile(inside, (2, 2))] = 40
    hu[30, 0] = -1000  # no muscle at all
    found = readings(hu, anatomy)
    assert found["liver"] == found["visceral fat"] == 40
    assert found["muscle"] == pytest.approx(40 * 26**2 / (30**2 - 1))


def test_tissues_that_are_hardly_there_are_not_read():
    anatomy = quarters()
    anatomy.labels[anatomy.labels == LIVER] = 0
    anatomy.labels[40:46, 40:46] = LIVER
    assert "liver" not in readings(np.zeros((60, 60)), anatomy)


def people(change=0.0):
    """A man and a woman whose tissues read the middle of every range, but for a change."""
    found = []
    for male in (True, False):
        body = replace(draw_body(0, "any"), male=male, liver_fat=0.01)
        hu = {
            (r.tissue, level, r.phase): (r.low + r.high) / 2 + change
            for r in REFERENCES
            for level in r.levels
            if r.group != "women"
        }
        found.append(Scanned(body, hu))
    return found


def test_bodies_in_the_middle_of_the_ranges_pass_and_far_from_it_fail():
    assert [c.case for c in body_hu(people()) if c.passed is False] == []
    for change in (-40, 40):
        demanded = [c for c in body_hu(people(change)) if c.tolerance]
        assert len(demanded) == 14
        assert not any(c.passed for c in demanded)


def test_every_range_has_a_source_and_enhancement_is_information():
    checks = body_hu(people())
    assert all(c.source and c.law == Law.ATTENUATION for c in checks)
    added = {c.case: c for c in checks if "enhancement" in c.case}
    assert len(added) == 4
    assert all(c.passed is None for c in added.values())
    assert added["visceral fat, L3, enhancement"].measured == pytest.approx(5.2)


def test_a_group_without_bodies_fails():
    men = people()[:1]
    failed = {c.case for c in body_hu(men) if c.passed is False}
    assert failed == {"muscle, L3, women, native", "muscle, L3, women, portal venous"}


def test_a_body_is_read_at_every_level_in_every_phase():
    (one,) = scan_bodies(1)
    assert {(level, phase) for _, level, phase in one.hu} == {
        (x, p) for x in LEVELS for p in PHASES
    }
    assert one.hu["liver", "liver", "portal_venous"] > one.hu["liver", "liver", "native"] + 30


@pytest.mark.slow
def test_bodies_read_the_hu_of_patients():
    assert not [c for c in body_hu(scan_bodies()) if c.passed is False]


@pytest.mark.slow
def test_scatter_breaks_the_hu_of_bodies(monkeypatch):
    def scattering(profile):
        detector = profile.detector.model_copy(update={"scatter": 0.05})
        return profile.model_copy(update={"detector": detector})

    monkeypatch.setattr(attenuation_laws, "laboratory", scattering)
    assert [c for c in body_hu(scan_bodies(4)) if c.passed is False]
