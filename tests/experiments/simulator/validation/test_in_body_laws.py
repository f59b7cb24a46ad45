import numpy as np
import pytest

from cl_seg.phantom.anatomy.slices import Anatomy
from cl_seg.phantom.anatomy.torso import LIVER, MUSCLE, SUBCUTANEOUS
from cl_seg.phantom.physics import detection
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid
from experiments.simulator.validation import in_body_laws
from experiments.simulator.validation.checks import Law
from experiments.simulator.validation.in_body_laws import (
    METAL_MM,
    READ,
    readable,
    stated_hu,
    tissues_in_bodies,
)

NATIVE = ["stress_native"]


def test_a_body_reads_what_the_profile_says_with_everything_on():
    checks = tissues_in_bodies(NATIVE, bodies=1)
    assert [c.case for c in checks] == [f"stress_native, {tissue}" for tissue in READ]
    assert {c.law for c in checks} == {Law.IN_BODIES}
    assert [(c.case, c.deviation) for c in checks if not c.passed] == []


def test_scatter_that_is_not_corrected_is_found(monkeypatch):
    monkeypatch.setattr(detection, "CORRECTED_SHARE", 0.0)
    failed = [c.case for c in tissues_in_bodies(NATIVE, bodies=1) if not c.passed]
    assert {"stress_native, muscle", "stress_native, liver"} <= set(failed)


def test_an_error_that_the_profile_does_not_state_is_found(monkeypatch):
    plain = in_body_laws.stated_hu
    monkeypatch.setattr(
        in_body_laws, "stated_hu", lambda simulated_scan: plain(simulated_scan) + 10
    )
    assert not any(c.passed for c in tissues_in_bodies(NATIVE, bodies=1))


@pytest.mark.parametrize("name", ["stress_native", "stress_sharp"])
def test_stated_hu_are_theory_with_gain_and_offset(name):
    profile = load_profile(name)
    perfect = profile.reconstruction.model_copy(update={"hu_gain": 1.0, "hu_offset": 0.0})
    ideal = profile.model_copy(update={"reconstruction": perfect})
    said, theory = (stated_hu(SimulatedScan("any-0001", name, p, 0)) for p in (profile, ideal))
    settings = profile.reconstruction
    np.testing.assert_allclose(said, theory * settings.hu_gain + settings.hu_offset)
    assert theory[TISSUES.index("air")] == pytest.approx(-1000, abs=2)
    assert -115 < theory[TISSUES.index("adipose")] < -85


def anatomy(metal):
    """Fat, liver and muscle in strips of 200 mm, metal at the left end if asked for."""
    size = 300
    fractions = np.zeros((len(TISSUES), size, size), np.float32)
    labels, regions = np.zeros((2, size, size), np.uint8)
    regions[:100] = SUBCUTANEOUS
    labels[100:200], labels[200:] = LIVER, MUSCLE
    for tissue, rows in (("adipose", slice(100)), ("liver", slice(100, 200)),
                         ("muscle", slice(200, 300))):  # fmt: skip
        fractions[TISSUES.index(tissue), rows] = 1
    fractions[TISSUES.index("titanium"), :, :2] = metal
    return Anatomy(Grid(size, 2.0), fractions, labels, regions, -np.ones((size, size), np.float32))


def test_tissues_are_where_they_are_painted():
    parts = readable(anatomy(metal=0.0))
    assert [parts[row, 10] for row in (50, 150, 250)] == [
        READ[name] for name in ("subcutaneous fat", "liver", "muscle")
    ]


def test_what_lies_near_metal_is_not_read():
    parts = readable(anatomy(metal=0.5))
    columns = np.flatnonzero(parts.any(axis=0))
    assert columns[0] == 1 + METAL_MM / 2


def test_fat_inside_muscle_is_no_subcutaneous_fat():
    fatty = anatomy(metal=0.0)
    fatty.labels[:10] = MUSCLE
    assert not (readable(fatty)[:10] == READ["subcutaneous fat"]).any()
