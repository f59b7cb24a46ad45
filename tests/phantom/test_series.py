import numpy as np
import pytest

from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.profiles import Profile, load_profile
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.phantom.tissues import TISSUES


def simulated_scan(name="ge_like", body="shared-body-0001", **changes):
    return SimulatedScan(body, name, load_profile(name), 0, **changes)


@pytest.fixture(scope="module")
def series():
    return simulate_series(simulated_scan(), "liver")


def test_a_series_is_a_volume_with_rows_and_labels(series):
    assert series.volume.hu.shape == series.labels.shape == (1, 512, 512)
    assert series.volume.hu.dtype == np.int16
    assert [row.z_mm for row in series.rows] == series.volume.z_mm.tolist() == [100]
    assert series.rows[0].spacing_mm == series.volume.spacing_mm[0]


def test_hu_of_organs_are_those_of_patients(series):
    muscle, liver = (series.volume.hu[series.labels == value].mean() for value in (1, 2))
    assert 30 < muscle < 65
    assert 85 < liver < 130
    tissues = series.tissues()
    fat = np.median(series.volume.hu[tissues == TISSUES.index("adipose")])
    offset = load_profile("ge_like").reconstruction.hu_offset
    assert -110 < fat - offset < -75
    assert series.volume.hu[tissues == TISSUES.index("bone")].mean() > 300


def test_image_and_truth_stay_in_register_off_centre():
    moved = simulate_series(simulated_scan("stress_off_centre"), "L3")
    assert np.hypot(*moved.centre_mm) > 20
    axis = np.arange(512) - 255.5
    seen = np.hypot.outer(axis, axis) < 250  # the rest is padding
    body = (moved.tissues() != TISSUES.index("air"))[:, seen]
    shown = moved.volume.hu[:, seen] > -500
    assert (body & shown).sum() / body.sum() > 0.98
    assert (~body & ~shown).sum() / (~body).sum() > 0.93  # but for the table
    rows, columns = np.nonzero(moved.tissues()[0] != TISSUES.index("air"))
    middle = (np.array([columns.mean(), rows.mean()]) - 255.5) * moved.volume.spacing_mm[0]
    np.testing.assert_allclose(middle, moved.centre_mm, atol=12)


def test_contrast_belongs_to_the_scanner():
    means = {}
    for name in ("stress_native", "ge_like", "stress_arterial"):
        scanned = simulate_series(simulated_scan(name), "liver")
        means[name] = scanned.volume.hu[scanned.labels == 2].mean()
    assert means["stress_native"] + 10 < means["stress_arterial"] < means["ge_like"] - 10


def test_a_scan_can_be_done_again_and_another_body_is_another_scan(series):
    again = simulate_series(simulated_scan(), "liver")
    np.testing.assert_array_equal(series.volume.hu, again.volume.hu)
    np.testing.assert_array_equal(series.labels, again.labels)
    other = simulate_series(simulated_scan(body="shared-body-0002"), "liver")
    assert (other.labels != series.labels).any()


def test_metal_makes_streaks():
    raw = load_profile("stress_metal").model_dump()
    raw["protocol"]["implants"] = 0.0
    plain = Profile.model_validate(raw)
    spreads = []
    for profile in (plain, load_profile("stress_metal")):
        scanned = simulate_series(SimulatedScan("shared-body-0001", "x", profile, 0), "L3")
        spreads.append(scanned.volume.hu[scanned.labels == 1].std())
    assert spreads[1] > 1.5 * spreads[0]


def test_slices_of_the_trunk_lie_at_the_same_heights_on_every_scanner():
    first, second = (
        simulate_series(simulated_scan(name, slices_per_level=2), TRUNK)
        for name in ("ge_like", "siemens_like")
    )
    heights = [row.z_mm for row in first.rows]
    assert heights == [row.z_mm for row in second.rows] == first.volume.z_mm.tolist()
    assert heights[1] - heights[0] > 20
    assert [row.series for row in first.rows] == ["shared-body-0001@ge_like-trunk"] * 2
    assert (first.labels == 1).any(axis=(1, 2)).all()
