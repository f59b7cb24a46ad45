import numpy as np
import pytest

from cl_seg.phantom.physics.postprocessing import denoise_tv, hybrid_iterative, noise_level
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.phantoms import REFERENCE, disk, image, laboratory, water


def test_outside_the_field_of_view_is_padding():
    hu = image(water(disk(100)), laboratory(load_profile(REFERENCE)))
    assert hu[0, 0] == -1024
    assert hu[256, 256] == pytest.approx(0, abs=3)


def test_tv_keeps_constants_and_means_and_removes_noise():
    rng = np.random.default_rng(0)
    step = np.zeros((64, 64), np.float32)
    step[:, 32:] = 100
    noisy = step + 10 * rng.standard_normal(step.shape, np.float32)
    smooth = denoise_tv(noisy, 15.0)
    assert smooth.mean() == pytest.approx(noisy.mean(), abs=0.01)
    assert np.std(smooth - step) < 0.5 * np.std(noisy - step)
    assert np.abs(denoise_tv(step * 0 + 7, 15.0) - 7).max() < 1e-4
    assert denoise_tv(noisy, 0.0) is noisy


def test_noise_level_of_white_noise():
    noise = 12 * np.random.default_rng(0).standard_normal((256, 256), np.float32)
    assert noise_level(noise) == pytest.approx(1.2 * 12, rel=0.03)


def test_iterative_look_leaves_bone_alone():
    rng = np.random.default_rng(0)
    hu = 20 * rng.standard_normal((64, 64), np.float32)
    hu[20:30, 20:30] += 900
    look = hybrid_iterative(hu, 0.7, 1.5)
    assert (look[hu > 400] == hu[hu > 400]).all()
    soft = hu < 200
    assert look[soft].std() < 0.75 * hu[soft].std()
