"""Geometry checks on planes, with closed-form angles and distances."""

from dataclasses import replace

import numpy as np
import pytest

from cl_seg.scans.geometry import Plane, check_plane, check_series, to_lps
from cl_seg.scans.series import UnusableError

AXIAL = Plane((0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0), (0.8, 0.8), (4, 6))


def at(z, **changes):
    return replace(AXIAL, position=(0.0, 0.0, float(z)), **changes)


@pytest.mark.parametrize("signs", [(1, 1), (-1, -1), (-1, 1), (1, -1)])
def test_axial_planes_pass_in_every_flip_and_end_in_lps(signs):
    across, down = signs
    plane = replace(
        AXIAL,
        directions=(across, 0, 0, 0, down, 0),
        position=(10.0 if across < 0 else 6.0, 5.0 if down < 0 else 2.6, 0.0),
    )
    check_plane(plane)
    lps = np.arange(24, dtype=np.float32).reshape(4, 6)
    image, origin = to_lps(plane, lps[::down, ::across])
    assert np.array_equal(image, lps)
    assert origin == pytest.approx((2.6, 6.0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"directions": (0, 1, 0, 0, 0, -1)}, "not axial"),
        ({"directions": (1, 0, 0, 0, 0, -1)}, "not axial"),
        ({"directions": (0, 1, 0, 1, 0, 0)}, "not axial"),
        ({"directions": (1, 0, 0, 0, np.cos(0.2), np.sin(0.2))}, r"tilted by 11\.5°"),
        ({"directions": (np.cos(0.1), np.sin(0.1), 0, -np.sin(0.1), np.cos(0.1), 0)}, r"turned"),
        ({"tilt_deg": -15.0}, r"tilted by 15\.0°"),
        ({"directions": (0, 0, 0, 0, 0, 0)}, "not axial"),
        ({"spacing": (0.0, 0.8)}, "sensible"),
        ({"spacing": (0.8,)}, "incomplete"),
        ({"position": (0, float("nan"), 0)}, "sensible"),
    ],
)
def test_other_planes_are_refused(changes, reason):
    with pytest.raises(UnusableError, match=reason):
        check_plane(replace(AXIAL, **changes))


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (at(1, spacing=(0.9, 0.9)), r"mixed pixel spacing.*0\.8 × 0\.8, 0\.9 × 0\.9 mm"),
        (at(1, shape=(5, 6)), "mixed image sizes"),
        (at(1, directions=(-1, 0, 0, 0, -1, 0)), "mixed orientations"),
        (at(0), r"1 slice position occurs more than once .*, as z = 0 mm: split it"),
        (replace(AXIAL, position=(0, 3.0, 1)), r"shifted by up to 3\.0 mm"),
    ],
)
def test_planes_that_form_no_stack_are_refused(second, reason):
    check_series([at(0), at(1)])
    with pytest.raises(UnusableError, match=reason):
        check_series([at(0), second])
