import subprocess
import sys

import numpy as np
import pytest
import yaml

from cl_seg.messages.errors import InputError
from cl_seg.phantom import simulate as module
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.scanners import load_scanner, load_scanners
from cl_seg.phantom.simulate import write_simulated_store
from cl_seg.phantom.simulated_scan import simulated_scans
from cl_seg.planning.source import module_files
from cl_seg.planning.source_roots import SIMULATOR

GRID = {"size": 64, "spacing_mm": 6.4}


def make(folder, scanners, own=0, shared=1, workers=1, **settings):
    return write_simulated_store(
        folder, scanners, own_bodies=own, shared_bodies=shared, **GRID, seed=3, workers=workers,
        show_progress=False, **settings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "store"
    return make(folder, ["siemens_like", "stress_native"], own=1)


def test_the_store_says_what_is_in_it(store):
    assert store.header.classes == ["muscle", "liver"]
    assert store.scanners == ["siemens_like", "stress_native"]
    assert all(name.endswith("(simulated)") for name in store.header.scanners.values())
    provenance = store.header.provenance
    assert provenance["kind"] == "simulated"
    assert provenance["profiles"]["stress_native"]["tube"]["kvp"] == 120
    rows = store.slices
    assert len(rows) == 8
    assert rows.slice_id.is_unique
    assert set(rows.body) == {
        "siemens_like-body-0000",
        "stress_native-body-0000",
        "shared-body-0000",
    }
    assert set(rows.labelled) == {"muscle,liver"}
    assert (rows.patient == rows.body).all()
    assert (rows.groupby("series").size() == 1).all()
    assert store.hu("siemens_like").shape == (4, 64, 64)


def test_shared_bodies_have_the_same_labels_on_every_scanner_and_other_images(store):
    shared = [
        store.slices.query("scanner == @scanner and body == 'shared-body-0000'").row.to_numpy()
        for scanner in store.scanners
    ]
    labels = [
        store.labels(scanner)[rows] for scanner, rows in zip(store.scanners, shared, strict=True)
    ]
    # Slices differ in thickness and place: the same organs, not the same pixels.
    for one, other in zip(*labels, strict=True):
        assert (one > 0).sum() == pytest.approx((other > 0).sum(), rel=0.12)
    hu = [store.hu(scanner)[rows] for scanner, rows in zip(store.scanners, shared, strict=True)]
    assert (
        np.abs(hu[0].astype(float) - hu[1])[(labels[0] == 2) & (labels[1] == 2)].mean() > 20
    )  # contrast phase


def test_own_bodies_differ_between_scanners(store):
    first, second = (store.labels(scanner)[0] for scanner in store.scanners)
    assert (first != second).any()


def test_workers_change_nothing(store, tmp_path):
    again = make(tmp_path / "again", ["siemens_like", "stress_native"], own=1, workers=2)
    assert again.header.content_sha256 == store.header.content_sha256


def test_other_scanners_and_own_bodies_change_nothing(store, tmp_path):
    alone = make(tmp_path / "alone", ["stress_native"])
    shared = store.slices.query("scanner == 'stress_native' and body == 'shared-body-0000'")
    rows = shared.row.to_numpy()
    np.testing.assert_array_equal(alone.hu("stress_native"), store.hu("stress_native")[rows])
    np.testing.assert_array_equal(
        alone.labels("stress_native"), store.labels("stress_native")[rows]
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scanners": ["siemens"]}, "did you mean siemens_like"),
        ({"scanners": ["ge_like", "ge_like"]}, "ge_like is there twice"),
        ({"scanners": []}, "empty"),
        ({"own_bodies": -1}, "own_bodies"),
        ({"own_bodies": 0, "shared_bodies": 0}, "at least 1"),
        ({"spacing_mm": 0.0}, "spacing_mm"),
        ({"size": 8}, "size is 8"),
        ({"workers": 0}, "workers"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, change, words):
    good = {
        "scanners": ["ge_like"], "own_bodies": 1, "shared_bodies": 0, "seed": 0, **GRID,
    }  # fmt: skip
    with pytest.raises(InputError, match=words) as caught:
        write_simulated_store(tmp_path / "store", **(good | change))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "groupby", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "store", ["ge_like"])
    assert list(tmp_path.iterdir()) == []


def test_a_profile_of_ones_own_becomes_a_scanner(tmp_path):
    raw = load_profile("ge_like").model_dump() | {"display_name": "Mine (simulated)"}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(raw))
    store = make(tmp_path / "store", [str(path)])
    assert store.header.scanners == {"mine": "Mine (simulated)"}


def test_neighbouring_slices_are_a_thickness_apart(tmp_path):
    store = make(tmp_path / "store", ["ge_like"], slices_per_level=2)
    assert store.slices.z_mm.tolist() == [-1.25, 1.25, 98.75, 101.25]
    assert store.slices.slice_id.is_unique
    assert (store.slices.groupby("series").size() == 2).all()
    hu = store.hu("ge_like").astype(float)
    assert 0 < np.abs(hu[0] - hu[1]).mean() < np.abs(hu[0] - hu[2]).mean()


def test_intramuscular_fat_is_labelled_on_request(store, tmp_path):
    with_fat = make(tmp_path / "with", ["siemens_like"], intramuscular_fat=True)
    rows = store.slices.query("scanner == 'siemens_like' and body == 'shared-body-0000'").row
    without = store.labels("siemens_like")[rows.to_numpy()]
    labels = with_fat.labels("siemens_like")
    assert (labels == 1).sum() > (without == 1).sum()
    np.testing.assert_array_equal(labels == 2, without == 2)


def test_what_is_hashed_is_what_determines_a_store():
    code = "import sys, cl_seg.phantom.simulate; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("cl_seg.phantom.")}
    assert loaded and loaded <= set(module_files(*SIMULATOR))


def test_slices_of_the_trunk_are_made_on_request(store, tmp_path):
    trunk = make(tmp_path / "trunk", ["ge_like"], levels="trunk", slices_per_level=3)
    assert len(trunk.slices) == 3
    assert trunk.slices.series.unique().tolist() == ["shared-body-0000@ge_like-trunk"]
    assert trunk.slices.z_mm.is_monotonic_increasing
    assert trunk.header.provenance["levels"] == "trunk"
    assert "levels" not in store.header.provenance


@pytest.fixture(scope="module")
def randomised(tmp_path_factory):
    return make(tmp_path_factory.mktemp("randomised") / "store", ["randomised"], own=2)


def test_the_settings_of_a_randomised_scanner_are_recorded_for_every_case(randomised):
    rows = randomised.slices
    for scan in simulated_scans(load_scanners(["randomised"]), 2, 1, seed=3):
        own = rows[rows.case == scan.case]
        assert set(own.kvp) == {float(scan.profile.tube.kvp)}
        assert set(own.kernel) == {scan.profile.reconstruction.kernel}
        assert set(own.thickness_mm) == {scan.profile.detector.slice_mm}
    assert rows.kernel.nunique() == 3
    ranges = randomised.header.provenance["profiles"]["randomised"]
    assert ranges["noise_hu"] == {"one_of": list(load_scanner("randomised").noise_hu.values)}


def test_other_scanners_and_own_bodies_change_nothing_of_a_randomised_one(randomised, tmp_path):
    again = make(tmp_path / "again", ["ge_like", "randomised"])
    rows = randomised.slices.query("body == 'shared-body-0000'").row.to_numpy()
    np.testing.assert_array_equal(again.hu("randomised"), randomised.hu("randomised")[rows])
    np.testing.assert_array_equal(again.labels("randomised"), randomised.labels("randomised")[rows])


def test_bodies_on_a_randomised_scanner_differ_in_contrast(randomised):
    hu, labels = randomised.hu("randomised"), randomised.labels("randomised")
    livers = [
        float(np.median(h[mask == 2]))
        for h, mask in zip(hu, labels, strict=True)
        if (mask == 2).sum() > 50
    ]
    assert len(livers) >= 3 and np.ptp(livers) > 15
