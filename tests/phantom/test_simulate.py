import numpy as np
import pytest
import yaml

from cl_seg.files import InputError
from cl_seg.phantom import simulate as module
from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import paint
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.projection import Geometry
from cl_seg.phantom.scanner import scan, to_grid
from cl_seg.phantom.simulate import simulate
from cl_seg.scans.store import Grid, SliceStore

GRID = Grid(64, 6.4)


def make(folder, scanners, own=0, shared=1, workers=1, seed=3, grid=GRID):
    simulate(
        folder, scanners=scanners, own_bodies=own, shared_bodies=shared, grid=grid, seed=seed,
        workers=workers, show_progress=False,
    )  # fmt: skip
    return SliceStore(folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "store"
    return make(folder, ["siemens_like", "stress_sharp"], own=1)


def test_the_store_says_what_is_in_it(store):
    assert store.header.classes == ["muscle", "liver"]
    assert store.scanners == ["siemens_like", "stress_sharp"]
    assert all(name.endswith("(simulated)") for name in store.header.scanners.values())
    provenance = store.header.provenance
    assert provenance["kind"] == "simulated"
    assert provenance["profiles"]["stress_sharp"]["tube"]["kvp"] == 140
    rows = store.slices
    assert len(rows) == 8
    assert rows.slice_id.is_unique
    assert set(rows.body) == {
        "siemens_like-body-0000",
        "stress_sharp-body-0000",
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
    np.testing.assert_array_equal(*labels)
    hu = [store.hu(scanner)[rows] for scanner, rows in zip(store.scanners, shared, strict=True)]
    assert np.abs(hu[0].astype(float) - hu[1])[labels[0] == 2].mean() > 20  # contrast phase


def test_own_bodies_differ_between_scanners(store):
    first, second = (store.labels(scanner)[0] for scanner in store.scanners)
    assert (first != second).any()


def test_workers_change_nothing(store, tmp_path):
    again = make(tmp_path / "again", ["siemens_like", "stress_sharp"], own=1, workers=2)
    assert again.header.content == store.header.content


def test_other_scanners_and_own_bodies_change_nothing(store, tmp_path):
    alone = make(tmp_path / "alone", ["stress_sharp"])
    shared = store.slices.query("scanner == 'stress_sharp' and body == 'shared-body-0000'")
    rows = shared.row.to_numpy()
    np.testing.assert_array_equal(alone.hu("stress_sharp"), store.hu("stress_sharp")[rows])
    np.testing.assert_array_equal(alone.labels("stress_sharp"), store.labels("stress_sharp")[rows])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scanners": ["siemens"]}, "did you mean siemens_like"),
        ({"scanners": ["ge_like", "ge_like"]}, "ge_like is there twice"),
        ({"scanners": []}, "empty"),
        ({"own_bodies": -1}, "own_bodies"),
        ({"own_bodies": 0, "shared_bodies": 0}, "at least 1"),
        ({"grid": Grid(64, 0.0)}, "spacing"),
        ({"workers": 0}, "workers"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, change, words):
    good = {
        "scanners": ["ge_like"], "own_bodies": 1, "shared_bodies": 0, "grid": GRID, "seed": 0,
    }  # fmt: skip
    with pytest.raises(InputError, match=words) as caught:
        simulate(tmp_path / "store", **(good | change))
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


def test_hu_are_usual():
    body = draw_body(0, "shared-body-0000")
    anatomy = paint(body, "liver", Grid(300, 1.5))
    means = {}
    for name in ("siemens_like", "stress_sharp"):
        hu, spacing = scan(anatomy, 1.0, load_profile(name), Geometry(), None)
        image, labels = to_grid(hu, spacing, anatomy, Grid(256, 1.6))
        means[name] = [image[labels == value].mean() for value in (1, 2)]
    assert 30 < means["siemens_like"][0] < 60
    assert 95 < means["siemens_like"][1] < 120
    # Native liver is 50 to 60 HU; scatter and calibration make this scanner read about 30 low.
    assert 15 < means["stress_sharp"][1] < 40
