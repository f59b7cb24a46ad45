import numpy as np
import pytest

from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.protocol import draw_centring, draw_preparation, field_of_view
from cl_seg.scans.store import Grid


def test_the_field_of_view_holds_the_body():
    axis = (np.arange(300) - 149.5) * 1.5
    distance = np.hypot(axis[None], axis[:, None]).astype(np.float32)
    grid = Grid(300, 1.5)
    assert field_of_view(distance - 170, grid, 30, 0) == 375
    assert field_of_view(distance - 170, grid, 30, -20) == 425
    assert field_of_view(distance - 100, grid, 30, 0) == 350
    assert field_of_view(distance - 215, grid, 100, 0) == 500


def test_as_many_come_with_lowered_arms_as_the_protocol_says():
    profile = load_profile("hitachi_like")
    came = [draw_preparation(profile, np.random.default_rng(i)) for i in range(400)]
    lowered = np.mean([c.arms_lowered for c in came])
    assert lowered == pytest.approx(profile.protocol.arms_lowered, abs=0.08)
    drank = np.mean([c.oral_contrast for c in came])
    assert drank == pytest.approx(profile.protocol.oral_contrast, abs=0.08)
    fused = np.mean([c.implants for c in came])
    assert fused == pytest.approx(profile.protocol.implants, abs=0.08)
    assert draw_preparation(load_profile("stress_metal"), np.random.default_rng(0)).implants


def test_bodies_lie_where_the_protocol_puts_them():
    profile = load_profile("stress_off_centre")
    places = np.array([draw_centring(profile, np.random.default_rng(i)) for i in range(400)])
    expected, sd = profile.protocol.off_centre_mm, profile.protocol.centring_sd_mm
    np.testing.assert_allclose(places.mean(axis=0), expected, atol=3)
    np.testing.assert_allclose(places.std(axis=0), sd, rtol=0.12)
