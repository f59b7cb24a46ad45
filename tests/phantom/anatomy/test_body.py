import numpy as np

from cl_seg.phantom.anatomy.body import draw_body

BODIES = [draw_body(0, f"body-{i}") for i in range(400)]


def test_the_same_name_and_seed_is_the_same_body():
    assert draw_body(3, "a") == draw_body(3, "a")
    assert draw_body(3, "a") != draw_body(3, "b")
    assert draw_body(3, "a") != draw_body(4, "a")


def test_streams_of_purposes_are_independent_and_repeatable():
    body = BODIES[0]
    draws = {p: body.stream("L3", p).normal() for p in ("liver", "spleen")}
    assert draws["liver"] != draws["spleen"]
    assert body.stream("L3", "liver").normal() == draws["liver"]
    assert body.stream("liver", "L3").normal() != draws["liver"]


def test_half_are_men_and_men_have_more_muscle_and_less_fat():
    men = [b for b in BODIES if b.male]
    women = [b for b in BODIES if not b.male]
    assert 0.42 < len(men) / len(BODIES) < 0.58
    assert np.median([b.muscle for b in men]) > 1.1 * np.median([b.muscle for b in women])
    assert np.median([b.fat_mm for b in men]) < np.median([b.fat_mm for b in women]) - 5


def test_bodies_fit_the_largest_field_of_view():
    assert max(b.width_mm for b in BODIES) <= 415
    assert min(b.width_mm for b in BODIES) >= 280
