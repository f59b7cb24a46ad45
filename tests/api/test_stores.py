from pathlib import Path

import pytest

import cl_seg
from cl_seg.api.stores import _label_options


def test_a_store_shows_its_scanners(in_workspace: Path) -> None:
    store = cl_seg.Store("tiny.store")
    table = store.summary().set_index("scanner")
    assert table.loc["alpha"].to_dict() == {
        **{"name": "Alpha", "patients": 6, "slices": 18},
        **{"muscle": 17, "liver": 18},
    }
    assert "Alpha" in store._repr_html_() and "3 scanners" in repr(store)


def test_a_store_is_a_path_wherever_one_is_expected(in_workspace: Path) -> None:
    store = cl_seg.Store("tiny.store")
    assert Path(store) == Path("tiny.store")
    assert cl_seg.plan("quick.yaml", data=store).suites[0].spec.data.store == Path("tiny.store")


def test_labels_are_given_as_the_command_line_takes_them() -> None:
    assert _label_options({"liver": 5, "muscle": [86, 87]}) == ["liver=5", "muscle=86,87"]
    assert _label_options(["liver=1-3"]) == ["liver=1-3"]


def test_the_labels_of_a_manifest_become_classes(in_workspace: Path, tmp_path: Path) -> None:
    labels = {"fat_free": 1, "organ": 2}
    store = cl_seg.ingest(
        "dicom-scans/manifest.csv", tmp_path / "own.store", labels=labels, progress=False
    )
    assert list(store.summary().columns[-2:]) == ["fat_free", "organ"]
    assert store.header.classes == ["fat_free", "organ"]


@pytest.mark.parametrize("spacing", [0.0, -1.0, 21.0])
def test_a_pixel_size_no_ct_has_is_refused(in_workspace: Path, spacing: float) -> None:
    with pytest.raises(cl_seg.InputError, match=r"expected a pixel size of 0\.1 to 20 mm"):
        cl_seg.ingest("dicom/", "never.store", spacing_mm=spacing)
    assert not Path("never.store").exists()
