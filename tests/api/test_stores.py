from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import cl_seg
from cl_seg.api.stores import _label_options
from cl_seg.cli import app


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


def test_the_command_line_draws_labels_and_leads_back_to_files(
    in_workspace: Path, tmp_path: Path
) -> None:
    sheet, paths = tmp_path / "labels.html", tmp_path / "paths.csv"
    words = ["dicom-scans/manifest.csv", str(tmp_path / "own.store"), "--workers", "1"]
    words += ["--label", "muscle=1", "--label", "liver=2", "--sheet", str(sheet)]
    done = CliRunner().invoke(app, ["ingest", *words, "--paths", str(paths)])
    assert done.exit_code == 0, done.output
    store, table = cl_seg.Store(tmp_path / "own.store"), pd.read_csv(paths, dtype=str)
    assert (
        set(table["case"]) == set(store.slices["case"])
        and table["path"].map(lambda path: Path(path).exists()).all()
    )
    assert sheet.read_text().count("<img") == len(table)
    for file in (tmp_path / "own.store").glob("*.json"):
        assert "dicom-scans" not in file.read_text(), "a store has no paths"
    refused = CliRunner().invoke(app, ["ingest", *words[:-1], str(paths)]).exception
    assert isinstance(refused, cl_seg.InputError) and "exists already" in str(refused)


@pytest.mark.parametrize("spacing", [0.0, -1.0, 21.0])
def test_a_pixel_size_no_ct_has_is_refused(in_workspace: Path, spacing: float) -> None:
    with pytest.raises(cl_seg.InputError, match=r"expected a pixel size of 0\.1 to 20 mm"):
        cl_seg.ingest("dicom/", "never.store", spacing_mm=spacing)
    assert not Path("never.store").exists()
