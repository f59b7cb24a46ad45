from cl_seg.phantom.scanners import load_scanners
from cl_seg.phantom.simulated_scan import simulated_scans


def scans(*scanners, own=2, shared=1, seed=0):
    listed = simulated_scans(load_scanners(scanners), own, shared, seed)
    return {scan.case: scan for scan in listed}


def test_every_case_of_a_randomised_scanner_has_a_profile_of_its_own():
    found = scans("randomised")
    assert len(found) == 3
    assert len({scan.profile.model_dump_json() for scan in found.values()}) == 3


def test_a_profile_depends_on_the_seed_and_the_case_alone():
    few, many = scans("randomised"), scans("ge_like", "randomised", own=4, shared=3)
    assert all(many[case] == scan for case, scan in few.items())
    assert all(scan != few[case] for case, scan in scans("randomised", seed=1).items())


def test_a_drawn_scanner_is_another_machine_in_every_case():
    found = list(scans("randomised", "ge_like").values())
    assert len({scan.device for scan in found[:3]}) == 3
    assert {scan.device for scan in found[3:]} == {"ge_like"}
