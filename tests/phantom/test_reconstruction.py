import numpy as np
import pytest

from cl_seg.phantom.profiles import load_profile, profile_names
from cl_seg.phantom.reconstruction import mtf

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
    assert at_dc == pytest.approx(1, abs=1e-5)  # 0.01 HU
