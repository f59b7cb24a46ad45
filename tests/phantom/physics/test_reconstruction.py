import numpy as np
import pytest

from cl_seg.phantom.physics.reconstruction import mtf
from cl_seg.phantom.profiles import load_profile, profile_names


def test_target_mtf_goes_through_its_points():
    at = mtf(np.array([0, 0.3, 0.7], np.float32), 0.3, 0.7, 0.0)
    assert at == pytest.approx([1, 0.5, 0.1], rel=1e-5)


@pytest.mark.parametrize("name", profile_names())
def test_no_kernel_changes_the_mean(name):
    kernel = load_profile(name).reconstruction
    zero = np.zeros(1, np.float32)
    at_dc = mtf(zero, kernel.mtf50_per_mm, kernel.mtf10_per_mm, kernel.edge_boost)
    assert at_dc == pytest.approx(1, abs=1e-5)  # 0.01 HU
