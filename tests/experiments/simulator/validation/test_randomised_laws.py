"""Drawn profiles obey the laws of all scanners, with the same bounds."""

import numpy as np
import pytest
import yaml

from cl_seg.phantom.drawn_profile import draw_profile
from cl_seg.phantom.profiles import RANDOMISED
from cl_seg.phantom.scanners import load_scanner
from experiments.simulator.validation import geometry_laws, hu_laws, in_body_laws, noise_laws

DRAWN, BODIES = 6, 12
NYQUIST = 1.0  # 1/mm, of the detector, where every kernel ends


@pytest.fixture(scope="module")
def profiles(tmp_path_factory):
    """Files of drawn profiles."""
    folder, scanner = tmp_path_factory.mktemp("profiles"), load_scanner(RANDOMISED)
    found = {}
    for number in range(DRAWN):
        path = folder / f"drawn-{number}.yaml"
        profile = draw_profile(scanner, np.random.default_rng(number))
        path.write_text(yaml.safe_dump(profile.model_dump()))
        found[str(path)] = profile
    return found


def failures(checks):
    assert checks
    return [f"{c.case}: {c.measured:.4g} for {c.expected:.4g}" for c in checks if not c.passed]


@pytest.mark.slow
def test_tissues_in_bodies_read_theory_and_the_drawn_errors():
    checks = in_body_laws.tissues_in_bodies([RANDOMISED], BODIES)
    assert len(checks) == len(in_body_laws.READ)
    assert not failures(checks)


@pytest.mark.slow
def test_water_reads_zero_with_and_without_scatter(profiles):
    assert not failures(hu_laws.water_hu(list(profiles)))
    assert not failures(hu_laws.scatter_correction(list(profiles)))


@pytest.mark.slow
def test_noise_is_that_of_the_photons_and_the_kernel(profiles):
    assert not failures(noise_laws.level(list(profiles)))
    assert not failures(noise_laws.spectrum(list(profiles)))


@pytest.mark.slow
def test_edges_have_the_drawn_sharpness(profiles):
    resolved = [
        path for path, p in profiles.items() if p.reconstruction.mtf10_per_mm < 0.95 * NYQUIST
    ]
    assert len(resolved) >= DRAWN // 2
    assert not failures(geometry_laws.sharpness(resolved))
