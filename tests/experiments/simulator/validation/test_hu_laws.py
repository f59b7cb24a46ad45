from cl_seg.phantom.physics import detection
from cl_seg.phantom.physics.spectrum import polychromatic_beam
from cl_seg.phantom.profiles import load_profile, profile_names
from experiments.simulator.validation import hu_laws
from experiments.simulator.validation.phantoms import REFERENCE, laboratory

FLAT = [n for n in profile_names() if load_profile(n).reconstruction.edge_boost == 0]
BOOSTED = [n for n in profile_names() if n not in FLAT]


def failures(checks):
    assert checks
    return [f"{c.case}: {c.measured:.4g}" for c in checks if c.passed is False]


def scattering(fraction):
    def broken(profile, **tube):
        clean = laboratory(profile, **tube)
        detector = clean.detector.model_copy(update={"scatter": fraction})
        return clean.model_copy(update={"detector": detector})

    return broken


def test_tissues_have_the_hu_of_theory():
    assert not failures(hu_laws.tissue_hu())


def test_scatter_breaks_the_hu_of_tissues(monkeypatch):
    monkeypatch.setattr(hu_laws, "laboratory", scattering(0.3))
    assert len(failures(hu_laws.tissue_hu([120]))) > 3


def test_water_is_zero_with_a_plain_kernel():
    assert not failures(hu_laws.water_hu(FLAT))


def test_water_is_zero_with_an_edge_boosting_kernel():
    assert not failures(hu_laws.water_hu(BOOSTED))


def test_scatter_breaks_the_hu_of_water(monkeypatch):
    monkeypatch.setattr(hu_laws, "laboratory", scattering(0.1))
    assert failures(hu_laws.water_hu(FLAT))


def test_water_is_uniform_in_every_realistic_scanner():
    checks = hu_laws.water_uniformity(profile_names())
    assert not failures(checks)
    demanded = {c.case for c in checks if c.passed is not None}
    assert demanded == {n for n in profile_names() if load_profile(n).track == "realistic"}


def test_more_scatter_breaks_uniformity(monkeypatch):
    worst = load_profile("stress_sharp")
    detector = worst.detector.model_copy(update={"scatter": 0.06})
    realistic = worst.model_copy(update={"track": "realistic", "detector": detector})
    monkeypatch.setattr(hu_laws, "load_profile", lambda name: realistic)
    assert failures(hu_laws.water_uniformity(["any"]))


def test_scatter_does_not_change_the_mean_of_an_average_body_on_any_scanner():
    assert not failures(hu_laws.scatter_correction(profile_names()))


def test_without_correction_scatter_darkens_an_average_body(monkeypatch):
    monkeypatch.setattr(detection, "CORRECTED_SHARE", 0.0)
    names = ["canon_like", "stress_native"]
    assert len(failures(hu_laws.scatter_correction(names))) == len(names)


def test_wide_bodies_are_uniform():
    assert not failures(hu_laws.wide_water())


def test_water_and_bone_span_every_tissue(monkeypatch):
    assert not failures(hu_laws.basis_fit())
    monkeypatch.setattr(hu_laws, "water_bone_fit", lambda material: (1.0, 0.0))
    assert len(failures(hu_laws.basis_fit())) > 5


def test_ten_energy_groups_suffice_and_three_do_not(monkeypatch):
    assert not failures(hu_laws.energy_groups())

    def coarse(profile, geometry, groups=3):
        return polychromatic_beam(profile, geometry, groups)

    monkeypatch.setattr(hu_laws, "polychromatic_beam", coarse)
    assert failures(hu_laws.energy_groups([120]))


def test_the_reference_scanner_exists():
    assert REFERENCE in profile_names()
