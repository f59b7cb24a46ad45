import numpy as np
import pytest

from cl_seg.phantom.physics.basis_materials import (
    attenuation_table,
    basis_amounts,
    basis_attenuation,
    basis_maps,
    energies,
    water_bone_fit,
)
from cl_seg.phantom.tissues import IODINE, TISSUES

MATERIALS = [m for m in attenuation_table() if m not in {"energy_kev", "aluminium", "copper"}]


def test_water_attenuates_as_nist_says():
    # NIST XCOM, total with coherent scattering: 0.2059 cm²/g at 60 keV.
    at_60 = np.interp(60, energies(), attenuation_table()["water"])
    assert at_60 == pytest.approx(0.02059, rel=0.01)


@pytest.mark.parametrize("material", [m for m in MATERIALS if m != "iodine"])
def test_water_and_bone_span_every_tissue(material):
    fit = np.array(water_bone_fit(material)) @ basis_attenuation()[:2]
    relevant = (energies() > 35) & (energies() < 120)
    error = fit[relevant] / attenuation_table()[material][relevant] - 1
    # Titanium lies beyond both; its streaks do not depend on the last percent.
    assert np.abs(error).max() < (1e-2 if material == "titanium" else 1e-3)


def test_enhancement_scales_blood_but_not_what_was_drunk():
    for tissue, factor in (("vein", 1.5), ("oral_contrast", 1.0)):
        once = basis_amounts(tissue, "portal_venous")[2]
        assert basis_amounts(tissue, "portal_venous", 1.5)[2] == pytest.approx(factor * once)


def test_native_phase_has_iodine_only_in_the_bowel():
    assert {tissue for phase in IODINE.values() for tissue in phase} <= set(TISSUES)
    assert [t for t in TISSUES if basis_amounts(t, "native")[2] > 0] == ["oral_contrast"]


def test_maps_are_the_mix_of_their_tissues():
    fractions = np.zeros((len(TISSUES), 1, 2), np.float32)
    fractions[TISSUES.index("liver"), 0, 0] = 0.75
    fractions[TISSUES.index("bone"), 0, 0] = 0.25
    expected = 0.75 * basis_amounts("liver", "portal_venous") + 0.25 * basis_amounts(
        "bone", "portal_venous"
    )
    maps = basis_maps(fractions, "portal_venous")
    np.testing.assert_allclose(maps[:, 0, 0], expected, rtol=1e-5, atol=1e-7)
    assert not maps[:, 0, 1].any()
