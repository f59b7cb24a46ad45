import numpy as np

from cl_seg.phantom.anatomy.body import AGES, MEN, WOMEN, draw_body

BODIES = [draw_body(0, f"body-{i}") for i in range(2000)]
MALE = [b for b in BODIES if b.male]
FEMALE = [b for b in BODIES if not b.male]


def medians(bodies, *names):
    return [np.median([getattr(b, name) for b in bodies]) for name in names]


def test_the_same_name_and_seed_is_the_same_body():
    assert draw_body(3, "a") == draw_body(3, "a")
    assert draw_body(3, "a") != draw_body(3, "b")
    assert draw_body(3, "a") != draw_body(4, "a")


def test_streams_of_purposes_are_independent_and_repeatable():
    body = BODIES[0]
    draws = {p: body.random_generator("L3", p).normal() for p in ("liver", "spleen")}
    assert draws["liver"] != draws["spleen"]
    assert body.random_generator("L3", "liver").normal() == draws["liver"]
    assert body.random_generator("liver", "L3").normal() != draws["liver"]


def test_half_are_men_and_areas_have_the_medians_of_their_sex():
    assert 0.46 < len(MALE) / len(BODIES) < 0.54
    names = ("muscle_cm2", "sat_cm2", "vat_cm2")
    for bodies, population in ((MALE, MEN), (FEMALE, WOMEN)):
        expected = [getattr(population, name) for name in names]
        np.testing.assert_allclose(medians(bodies, *names), expected, rtol=0.06)


def test_few_bodies_stand_for_many():
    for series in ("shared-body", "siemens_like-body"):
        few = [draw_body(5, f"{series}-{i:04d}") for i in range(12)]
        assert sum(b.male for b in few) == 6
        ages = [b.age for b in few]
        assert min(ages) < 54 and max(ages) > 68 and 50 < np.median(ages) < 70


def test_names_without_a_number_are_people_too():
    assert draw_body(0, "patient") != draw_body(0, "volunteer")
    assert 20 < sum(draw_body(0, chr(i)).male for i in range(300, 400)) < 80


def test_ages_span_adults_and_the_old_have_less_and_fattier_muscle_and_softer_bone():
    ages = np.array([b.age for b in BODIES])
    assert ages.min() >= AGES[0] and ages.max() <= AGES[1]
    young = [b for b in BODIES if b.age < 50]
    old = [b for b in BODIES if b.age > 70]
    for name, more in (("muscle_cm2", young), ("muscle_fat", old), ("mineral", young)):
        less = old if more is young else young
        assert medians(more, name)[0] > 1.05 * medians(less, name)[0]


def test_the_heavy_have_more_fat():
    lean = [b for b in MALE if b.bmi < 24]
    heavy = [b for b in MALE if b.bmi > 30]
    for name in ("sat_cm2", "vat_cm2"):
        assert medians(heavy, name)[0] > 1.5 * medians(lean, name)[0]


def test_some_livers_are_fatty():
    fatty = np.mean([b.liver_fat > 0.05 for b in BODIES])
    assert 0.15 < fatty < 0.25
