import numpy as np
import pytest

from cl_seg.phantom.physics.basis_materials import attenuation_table, read_table


def test_the_tables_of_the_package_are_those_of_the_libraries():
    pytest.importorskip("xraylib")
    pytest.importorskip("spekpy")
    from experiments.simulator.xray_tables import MATERIALS, attenuation, spectrum

    liver = attenuation(*MATERIALS["liver"])
    np.testing.assert_allclose(attenuation_table()["liver"], liver, rtol=1e-5)
    np.testing.assert_allclose(read_table("spectra.csv")["120"], spectrum(120), rtol=1e-3)
