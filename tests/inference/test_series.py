"""Models on DICOM folders: numbered cases, scanners named, nobody identified."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import nibabel
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from cl_seg.cli import app
from cl_seg.inference.ensemble import load_ensemble
from cl_seg.inference.predict import SlicePrediction
from cl_seg.inference.predicted_case import PredictionOptions
from cl_seg.inference.saved_model import save_model
from cl_seg.inference.series import predict_cases, predict_source
from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.records.model_card import Network
from tests.scans.conftest import (
    CANARY,
    SIZE,
    ct_dataset,
    save,
    volume,
    write_nifti,
    write_series,
)

from .test_saved_model import CONTENT


def quiet(done: int, total: int) -> None:
    assert 0 < done <= total


def model_folder(folder: Path, **changes: Any) -> Path:
    torch.manual_seed(0)
    network = build_model("vnet", "small", {}, 3, 32)
    save_model(folder, network.state_dict(), CONTENT.model_copy(update=changes))
    return folder


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two patients on one scanner, one on another, one on a scanner nobody has heard of."""
    write_series(tmp_path / "in" / "a", patient="p1")
    write_series(tmp_path / "in" / "b", patient="p2", series="s2")

    def of_ge(ds: Any, _index: int) -> None:
        ds.Manufacturer, ds.ManufacturerModelName = "GE MEDICAL SYSTEMS", "LightSpeed VCT"

    def of_acme(ds: Any, _index: int) -> None:
        ds.Manufacturer, ds.ManufacturerModelName = "ACME", "One"

    write_series(tmp_path / "in" / "c", patient="p3", series="s3", change=of_ge)
    write_series(tmp_path / "in" / "d", patient="p4", series="s4", change=of_acme)
    return tmp_path / "in"


def test_cases_are_numbered_and_scanners_named(scans: Path, tmp_path: Path) -> None:
    from cl_seg.scans.scanner.aliases import Aliases
    from cl_seg.scans.scanner.identity import ScannerHeader

    known = Aliases().identify(ScannerHeader("SIEMENS", "Sensation 64", "B40f", 120.0))
    assert known is not None
    model = model_folder(
        tmp_path / "model", scanners={known.folder_name: known.display_name({"B30f"})}
    )
    out = tmp_path / "out"
    options = PredictionOptions(n_augmentations=2, measure=True, salt=b"secret")
    cases, _ = predict_source(load_ensemble([model]), scans, out, options, quiet)
    assert list(cases["case"]) == [f"case-{i:03d}" for i in (1, 2, 3, 4)]
    assert list(cases["seen"]) == ["yes", "yes", "no", "no"]
    assert "LightSpeed" in cases["scanner"][2] and cases["scanner"][3] == "ACME One"
    masks = nibabel.load(out / "case-001.nii.gz")
    assert masks.shape == (SIZE, SIZE, 3)
    measured = pd.read_csv(out / "measurements.csv")
    assert len(measured) == 4 * 3 * 2
    assert measured["agreement"].between(0, 1).all() and (measured["area_sd_cm2"] >= 0).all()
    for path in out.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()
        assert CANARY not in path.name


def test_cases_lead_back_to_their_files_on_request(scans: Path, tmp_path: Path) -> None:
    model = load_ensemble([model_folder(tmp_path / "model")])
    options = PredictionOptions(paths=True, sheet=True)
    cases, _ = predict_source(model, scans, tmp_path / "out", options, quiet)
    assert [Path(path).parent for path in cases["path"]] == [scans / name for name in "abcd"]
    assert all(Path(path).is_file() for path in cases["path"])
    page = (tmp_path / "out" / "contours.html").read_text()
    assert page.count("<img") == 4 and "case-004: slices 1, 2, 3 of 3" in page
    cases, _ = predict_source(model, scans, tmp_path / "plain", PredictionOptions(), quiet)
    assert "path" not in cases and not (tmp_path / "plain" / "contours.html").exists()


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("manufacturer", ["yes", "no"]),
        ("manufacturer,model", ["yes", "no"]),
        ("manufacturer,model,kernel,kv", ["no", "no"]),
    ],
)
def test_seen_is_right_whatever_made_a_scanner_of_the_model(
    tmp_path: Path, by: str, expected: list[str]
) -> None:
    from cl_seg.scans.scanner.aliases import Aliases
    from cl_seg.scans.scanner.identity import ScannerHeader, parse_scanner_by

    known = Aliases().identify(
        ScannerHeader("SIEMENS", "Sensation 64", "B40f", 100.0), parse_scanner_by(by)
    )
    assert known is not None

    def of_70_kev(ds: Any, _index: int) -> None:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "VMI", "ME70KEV"]

    write_series(tmp_path / "in" / "a", patient="p1")
    write_series(tmp_path / "in" / "b", patient="p2", series="s2", change=of_70_kev)
    model = load_ensemble(
        [
            model_folder(
                tmp_path / "model", scanners={known.folder_name: known.display_name({"B40f"})}
            )
        ]
    )
    cases, _ = predict_source(model, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet)
    assert list(cases["seen"]) == expected
    assert cases["scanner"][1].endswith("70 keV monoenergetic")
    assert "no plain CT" in cases["note"][1] and "no plain CT" not in cases["note"][0]


@pytest.mark.parametrize(("salt", "expected"), [(b"one", "yes"), (b"other", "unknown")])
def test_a_station_is_known_again_by_the_same_salt_only(
    tmp_path: Path, salt: bytes, expected: str
) -> None:
    from cl_seg.scans.ingest import write_store_from_scans
    from cl_seg.scans.store import Grid

    def at_a_station(ds: Any, _index: int) -> None:
        ds.StationName = f"{CANARY}CT1"

    write_series(tmp_path / "in", change=at_a_station)
    report = write_store_from_scans(
        tmp_path / "in", tmp_path / "s", grid=Grid(SIZE, 8.0), salt=b"one",
        scanner_by=("manufacturer", "station"), show_progress=False,
    )  # fmt: skip
    (scanner,) = report.scanners
    model = model_folder(tmp_path / "model", scanners={scanner.folder: scanner.name})
    options = PredictionOptions(salt=salt)
    loaded = load_ensemble([model])
    cases, _ = predict_source(loaded, tmp_path / "in", tmp_path / "out", options, quiet)
    assert list(cases["seen"]) == [expected]


def test_an_ensemble_averages_probabilities(scans: Path, tmp_path: Path) -> None:
    first, second = model_folder(tmp_path / "one"), tmp_path / "two"
    sure_of_liver = load_ensemble([first]).models[0].state_dict()
    sure_of_liver["out_tr.conv2.bias"][2] = 50.0
    save_model(second, sure_of_liver, CONTENT)
    found = []
    for folders in ([first], [second], [first, second]):
        out = tmp_path / f"out{len(found)}"
        predict_source(load_ensemble(folders), scans / "a", out, PredictionOptions(), quiet)
        masks = np.asarray(nibabel.load(out / "case-001.nii.gz").dataobj)
        found.append(masks[8:-8, 8:-8])  # the grid covers the middle of the image
    assert not (found[0] == 2).any() and (found[1] == 2).all()
    assert (found[2] == 2).all(), "one is sure, the other is not"


def test_predictions_in_memory_are_those_that_are_written(tmp_path: Path) -> None:
    write_nifti(tmp_path / "ct.nii.gz", volume())
    models = load_ensemble([model_folder(tmp_path / "model")])
    options = PredictionOptions(measure=True)
    predict_source(models, tmp_path / "ct.nii.gz", tmp_path / "out", options, quiet)
    (case,) = predict_cases(models, tmp_path / "ct.nii.gz", options)
    (file,) = case.save(tmp_path / "memory")
    assert file.name == "ct.nii.gz" and case.labels.shape == (3, SIZE, SIZE)
    written = [
        np.asarray(nibabel.load(tmp_path / f / file.name).dataobj) for f in ("out", "memory")
    ]
    assert np.array_equal(*written)
    measured = pd.read_csv(tmp_path / "out" / "measurements.csv")
    assert [row["area_cm2"] for row in case.measurements] == list(measured["area_cm2"])


@pytest.mark.parametrize("source", ["nothing", "empty", "text.nii.gz"])
def test_nothing_usable_is_one_clear_error(tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.nii.gz").write_text("hello")
    model = load_ensemble([model_folder(tmp_path / "model")])
    with pytest.raises(InputError, match=source) as error:
        predict_source(model, tmp_path / source, tmp_path / "out", PredictionOptions(), quiet)
    assert ("DICOM or NIfTI" in str(error.value)) == (source == "nothing")
    assert not (tmp_path / "out").exists()


def test_one_height_is_of_one_patient(scans: Path, tmp_path: Path) -> None:
    model = load_ensemble([model_folder(tmp_path / "model")])
    options = PredictionOptions(measure=True, height_m=1.8)
    with pytest.raises(InputError, match=r"`height_m` \(--height-m\): .* holds 4 patients"):
        predict_source(model, scans, tmp_path / "out", options, quiet)
    predict_source(model, scans / "a", tmp_path / "out", options, quiet)
    measured = pd.read_csv(tmp_path / "out" / "measurements.csv")
    muscle = measured[measured["class"] == "muscle"]
    np.testing.assert_allclose(muscle["smi_cm2_m2"], muscle["area_cm2"] / 1.8**2, atol=1e-3)


def test_a_series_that_cannot_be_decoded_is_told_and_the_rest_goes_on(
    scans: Path, tmp_path: Path
) -> None:
    for index in range(3):
        ds = ct_dataset(5.0 * index, patient="p9", series="s9")
        ds.PixelData = b"\0\0"
        save(ds, scans / "b2" / f"{index}.dcm")
    model = load_ensemble([model_folder(tmp_path / "model")])
    cases, _ = predict_source(model, scans, tmp_path / "out", PredictionOptions(), quiet)
    damaged = cases[cases["slices"] == 0]
    assert len(damaged) == 1 and "damaged" in damaged["note"].iloc[0]
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 4


def test_gaps_cuts_and_what_is_left_out_are_told(tmp_path: Path) -> None:
    write_series(tmp_path / "in", z_mm=(0, 5, 10, 40, 45))
    (tmp_path / "in" / "notes.txt").write_text("hello")
    model = load_ensemble([model_folder(tmp_path / "model")])
    out = tmp_path / "out"
    cases, left_out = predict_source(model, tmp_path / "in", out, PredictionOptions(), quiet)
    assert "gap" in cases["note"][0] or "missing" in cases["note"][0]
    assert any(item.path.name == "notes.txt" for item in left_out)
    parts = sorted(out.glob("*.nii.gz"))
    assert [path.name for path in parts] == ["case-001a.nii.gz", "case-001b.nii.gz"]
    origins = [nibabel.load(path).affine[2, 3] for path in parts]
    assert origins == [0, 40]


def test_a_folder_of_nifti_files_is_a_case_each_that_can_be_traced(tmp_path: Path) -> None:
    for name in ("b/ct.nii.gz", "a.nii", "Fälle/c.nii.gz"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True, parents=True)
        write_nifti(tmp_path / "in" / name, volume())
    (tmp_path / "in" / "notes.txt").write_text("hello")
    (tmp_path / "in" / "broken.nii.gz").write_text("hello")
    write_nifti(tmp_path / "in" / "labels.nii.gz", (volume() > 0).astype(np.int16))
    model = load_ensemble([model_folder(tmp_path / "model")])
    out, options = tmp_path / "out", PredictionOptions(measure=True)
    cases, left_out = predict_source(model, tmp_path / "in", out, options, quiet)
    assert cases["file"].tolist() == ["Fälle/c.nii.gz", "a.nii", "b/ct.nii.gz", "labels.nii.gz"]
    assert cases["slices"].tolist() == [3, 3, 3, 0] and "Hounsfield" in cases["note"].iloc[3]
    assert cases["case"].tolist() == ["Fälle/c", "a", "b/ct", "labels"]
    named = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.nii*"))
    assert named == ["Fälle/c.nii.gz", "a.nii", "b/ct.nii.gz"], "as the images"
    assert nibabel.load(out / "a.nii").shape == (SIZE, SIZE, 3)
    assert {item.path.name for item in left_out} == {"notes.txt", "broken.nii.gz"}
    assert pd.read_csv(out / "cases.csv")["file"].tolist() == cases["file"].tolist()
    measured = pd.read_csv(out / "measurements.csv")
    assert list(dict.fromkeys(measured["file"])) == cases["file"].tolist()[:3]
    assert cases["series"].nunique() == 4


def test_nifti_files_beside_dicom_are_left_out_and_told(tmp_path: Path) -> None:
    write_series(tmp_path / "in")
    write_nifti(tmp_path / "in" / "labels.nii.gz", volume())
    model = load_ensemble([model_folder(tmp_path / "model")])
    cases, left_out = predict_source(
        model, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet
    )
    assert len(cases) == 1 and cases["file"].tolist() == [""]
    assert [item.path.name for item in left_out] == ["labels.nii.gz"]
    assert "beside DICOM files" in left_out[0].reason


def test_a_folder_of_broken_nifti_files_is_one_error(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"no image")
    model = load_ensemble([model_folder(tmp_path / "model")])
    with pytest.raises(InputError, match=r"can be used, of 2: first .*a.nii.gz cannot be read"):
        predict_source(model, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet)
    assert not (tmp_path / "out").exists()


def test_a_manifest_traces_its_nifti_files(tmp_path: Path) -> None:
    write_nifti(tmp_path / "ct" / "one.nii.gz", volume())
    text = "image,labels,patient,scanner\nct/one.nii.gz,,p1,A\n"
    (tmp_path / "manifest.csv").write_text(text)
    model = load_ensemble([model_folder(tmp_path / "model")])
    source, out = tmp_path / "manifest.csv", tmp_path / "out"
    cases, _ = predict_source(model, source, out, PredictionOptions(), quiet)
    assert cases["file"].tolist() == ["ct/one.nii.gz"]
    assert (out / "ct" / "one.nii.gz").is_file()


def test_label_files_never_leave_their_folder(tmp_path: Path) -> None:
    write_nifti(tmp_path / "ct" / "one.nii.gz", volume())
    (tmp_path / "list").mkdir()
    source, out = tmp_path / "list" / "manifest.csv", tmp_path / "deep" / "out"
    source.write_text("image,labels,patient,scanner\n../ct/one.nii.gz,,p1,A\n")
    model = load_ensemble([model_folder(tmp_path / "model")])
    predict_source(model, source, out, PredictionOptions(), quiet)
    assert (out / "one.nii.gz").is_file() and not (tmp_path / "deep" / "ct").exists()


def test_two_files_of_one_name_are_refused_before_anything_is_predicted(tmp_path: Path) -> None:
    for name in ("a.nii", "a.nii.gz"):
        write_nifti(tmp_path / "in" / name, volume())
    model = load_ensemble([model_folder(tmp_path / "model")])
    with pytest.raises(InputError, match="two files would be the case a: rename one"):
        predict_source(model, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet)


def test_an_earlier_prediction_gives_way_and_nothing_else_does(tmp_path: Path) -> None:
    write_nifti(tmp_path / "one.nii.gz", volume())
    write_nifti(tmp_path / "two.nii.gz", volume())
    model = load_ensemble([model_folder(tmp_path / "model")])
    out, again = tmp_path / "out", PredictionOptions(overwrite=True)
    predict_source(model, tmp_path / "one.nii.gz", out, again, quiet)
    with pytest.raises(InputError, match="exists already"):
        predict_source(model, tmp_path / "two.nii.gz", out, PredictionOptions(), quiet)
    with pytest.raises(InputError, match="does not exist"):
        predict_source(model, tmp_path / "three.nii.gz", out, again, quiet)
    assert (out / "one.nii.gz").is_file(), "kept until the new one is whole"
    predict_source(model, tmp_path / "two.nii.gz", out, again, quiet)
    assert sorted(path.name for path in out.iterdir()) == ["cases.csv", "two.nii.gz"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="mine holds no earlier prediction"):
        predict_source(model, tmp_path / "two.nii.gz", tmp_path / "mine", again, quiet)
    assert (tmp_path / "mine" / "thesis.txt").is_file()


def test_the_largest_piece_of_an_organ_is_measured_and_the_rest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A liver on the first two slices, and a smaller find on the last."""
    write_series(tmp_path / "in", z_mm=(0, 5, 10, 15))

    def found(*_arguments: object) -> Iterator[SlicePrediction]:
        for side in (12, 12, 0, 6):
            labels = np.zeros((SIZE, SIZE), np.uint8)
            labels[:side, :side] = 2
            yield SlicePrediction(labels, np.stack([labels, labels]), np.full((2, 3), side / 1.0))

    monkeypatch.setattr("cl_seg.inference.predicted_case.predict_slices", found)
    model = load_ensemble([model_folder(tmp_path / "model")])
    whole, largest = (
        next(predict_cases(model, tmp_path / "in", PredictionOptions(2, largest_piece=names)))
        for names in ((), ("liver",))
    )
    assert whole.labels[3].any() and not largest.labels[3].any()
    assert (largest.labels[:3] == whole.labels[:3]).all()
    liver = pd.DataFrame(largest.measurements).query("`class` == 'liver'").reset_index()
    assert (liver["area_cm2"] > 0).tolist() == [True, True, False, False]
    assert liver["agreement"].tolist()[:2] == [1, 1]
    gone = pd.DataFrame(whole.measurements).query("`class` == 'liver'")["area_cm2"].iloc[3]
    assert liver["possible_cm2"][3] == pytest.approx(max(6 - gone, 0), abs=1e-4)
    assert "smaller pieces of liver were removed on 1 of 4 slices (3)" in largest.notes
    assert not any("were removed" in note for note in whole.notes)
    assert any("muscle is found on no slice" in note for note in largest.notes)
    with pytest.raises(InputError, match="no class spleen"):
        next(predict_cases(model, tmp_path / "in", PredictionOptions(largest_piece=("spleen",))))


@pytest.mark.parametrize("simulated", [True, False])
def test_a_model_of_simulated_ct_alone_says_so(tmp_path: Path, simulated: bool) -> None:
    write_series(tmp_path / "in")
    models = load_ensemble([model_folder(tmp_path / "model", simulated=simulated)])
    cases, _ = predict_source(models, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet)
    assert ("has seen simulated CT only" in cases["note"][0]) == simulated


def test_slices_on_which_augmentations_disagree_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path / "in")
    models = load_ensemble([model_folder(tmp_path / "model")])
    monkeypatch.setattr("cl_seg.inference.measure.stability", lambda found, label: 1 - label / 4)
    cases, _ = predict_source(
        models, tmp_path / "in", tmp_path / "out", PredictionOptions(4), quiet
    )
    assert "look at muscle on 3 of 3 slices (0-2)" in cases["note"][0]
    assert not (tmp_path / "out" / "measurements.csv").exists()


def test_what_is_no_hu_is_told_with_its_own_reason(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.ones((20, 20, 2), np.int16), np.diag([2.0, 2, 2, 1]))
    nibabel.save(image, tmp_path / "mr.nii.gz")
    model = load_ensemble([model_folder(tmp_path / "model")])
    with pytest.raises(InputError, match="expected Hounsfield units"):
        predict_source(model, tmp_path / "mr.nii.gz", tmp_path / "out", PredictionOptions(), quiet)


def test_values_that_cannot_be_hu_are_taken_on_request_and_told(tmp_path: Path) -> None:
    write_series(tmp_path / "in" / "good", patient="p1")

    def stored(ds: Any, _index: int) -> None:
        ds.PixelData = (np.frombuffer(ds.PixelData, np.int16) + 1024).tobytes()

    write_series(tmp_path / "in" / "raw", patient="p2", series="s2", change=stored)
    model = load_ensemble([model_folder(tmp_path / "model")])
    cases, _ = predict_source(model, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet)
    assert cases["slices"].tolist() == [3, 0]
    assert "expected Hounsfield units" in cases["note"][1]
    with pytest.raises(InputError, match="expected Hounsfield units"):
        predict_source(model, tmp_path / "in" / "raw", tmp_path / "raw", PredictionOptions(), quiet)
    options = PredictionOptions(allow_implausible_hu=True)
    cases, _ = predict_source(model, tmp_path / "in", tmp_path / "all", options, quiet)
    assert cases["slices"].tolist() == [3, 3]
    assert cases["note"][1].startswith("taken as it is: its values run from 24 to 1724")
    assert "taken as it is" in (tmp_path / "all" / "cases.csv").read_text(encoding="utf-8")


def test_rounded_positions_make_one_file_of_the_true_distance(tmp_path: Path) -> None:
    write_series(tmp_path / "in", [round(-20 + 1.25 * i, 1) for i in range(12)])
    model = load_ensemble([model_folder(tmp_path / "model")])
    predict_source(model, tmp_path / "in", tmp_path / "out", PredictionOptions(), quiet)
    (path,) = (tmp_path / "out").glob("*.nii.gz")
    assert nibabel.load(path).header.get_zooms()[2] == pytest.approx(1.25, abs=0.01)


@pytest.mark.parametrize("salt", [b"1", b"2", b"3", b"4"])
def test_series_in_one_folder_are_numbered_by_their_files(tmp_path: Path, salt: bytes) -> None:
    write_series(tmp_path / "in", patient="p1")
    for file in write_series(tmp_path / "other", (0, 5), patient="p2", series="s2"):
        file.rename(tmp_path / "in" / f"later-{file.name}")
    model = load_ensemble([model_folder(tmp_path / "model")])
    options = PredictionOptions(salt=salt)
    cases, _ = predict_source(model, tmp_path / "in", tmp_path / "out", options, quiet)
    assert list(cases["slices"]) == [3, 2]


def test_any_file_name_will_do(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.nii.gz")
    write_nifti(tmp_path / "ct.nii.gz", volume()).rename(path)
    model = load_ensemble([model_folder(tmp_path / "model")])
    cases, _ = predict_source(model, path, tmp_path / "out", PredictionOptions(), quiet)
    assert list(cases["slices"]) == [3]


def test_a_network_of_ones_own_is_found_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_linear.py").write_text(
        "from torch import nn\n"
        "def build(in_channels, out_channels, image_size):\n"
        "    return nn.Conv2d(in_channels, out_channels, 1)\n"
    )
    card = CONTENT.model_copy(update={"network": Network(name="own_linear:build", preset="")})
    save_model(tmp_path / "model", nn.Conv2d(1, 3, 1).state_dict(), card)
    write_series(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    done = CliRunner().invoke(app, ["predict", "model", "in", "--network", "own_linear:build"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "predictions" / "case-001.nii.gz").is_file()
