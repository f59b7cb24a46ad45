import numpy as np
import pytest

from cl_seg.phantom.profiles import load_profile, profile_names
from cl_seg.phantom.reconstruction import denoise_tv, iterative_look, mtf, noise_level

from .disks import FOV, coordinates, ideal, image, water_disk


def measured_mtf(profile):
    """Frequencies where the MTF of a disk's edge falls to one half and one tenth."""
    x, y, radius = 30.0, 10.0, 35.0
    hu = image(water_disk(150, [("liver", "native", x, y, radius)]), profile, size=768)
    px, py = coordinates(768, FOV / 768)
    distance = np.hypot(px - x, py - y).ravel()
    edges = np.arange(20, 50, 0.1)
    bins = np.digitize(distance, edges) - 1
    inside = (bins >= 0) & (bins < len(edges) - 1)
    sums = np.bincount(bins[inside], hu.ravel()[inside], len(edges) - 1)
    spread = -np.gradient(sums / np.bincount(bins[inside], minlength=len(edges) - 1))
    transfer = np.abs(np.fft.rfft(spread * np.hanning(len(spread))))
    transfer /= transfer[0]
    frequencies = np.fft.rfftfreq(len(spread), 0.1)
    return [frequencies[np.argmax(transfer < level)] for level in (0.5, 0.1)]


@pytest.mark.parametrize("name", ["siemens_like", "ge_like", "canon_like"])
def test_edges_have_the_sharpness_of_the_kernel(name):
    kernel = load_profile(name).reconstruction
    assert measured_mtf(ideal(name)) == pytest.approx(
        [kernel.mtf50_per_mm, kernel.mtf10_per_mm], rel=0.12
    )


def test_target_mtf_goes_through_its_points():
    at = mtf(np.array([0, 0.3, 0.7], np.float32), 0.3, 0.7, 0.0)
    assert at == pytest.approx([1, 0.5, 0.1], rel=1e-5)


@pytest.mark.parametrize("name", profile_names())
def test_no_kernel_changes_the_mean(name):
    kernel = load_profile(name).reconstruction
    zero = np.zeros(1, np.float32)
    at_dc = mtf(zero, kernel.mtf50_per_mm, kernel.mtf10_per_mm, kernel.edge_boost)
    assert at_dc == pytest.approx(1, abs=0.01)


def test_outside_the_field_of_view_is_padding():
    hu = image(water_disk(100), ideal())
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
    look = iterative_look(hu, 0.7, 1.5)
    assert (look[hu > 400] == hu[hu > 400]).all()
    soft = hu < 200
    assert look[soft].std() < 0.75 * hu[soft].std()
