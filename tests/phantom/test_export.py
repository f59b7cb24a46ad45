import warnings

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from cl_seg.messages.errors import InputError
from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.export import export
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.scanners import load_scanner, load_scanners
from cl_seg.phantom.simulate import write_simulated_store
from cl_seg.phantom.simulated_scan import SimulatedScan, simulated_scans
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.ingest import write_store_from_scans
from cl_seg.scans.store import Grid, SliceStore

SIZE, SPACING_MM = 128, 3.2
SCANNERS = ["siemens_like", "stress_off_centre"]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The same scans: simulated into a store, and exported and ingested in both formats."""
    folder = tmp_path_factory.mktemp("export")
    common = {"show_progress": False}
    write_simulated_store(
        folder / "store", scanners=SCANNERS, own_bodies=0, shared_bodies=1, size=SIZE,
        spacing_mm=SPACING_MM, seed=7, slices_per_level=2, **common,
    )  # fmt: skip
    jobs = [
        SimulatedScan("shared-body-0000", n, load_profile(n), 7, slices_per_level=2)
        for n in SCANNERS
    ]
    grid = Grid(SIZE, SPACING_MM)
    for file_format in ("dicom", "nifti"):
        export(folder / file_format, jobs, file_format, **common)
        write_store_from_scans(
            folder / file_format / "manifest.csv",
            folder / f"{file_format}.store",
            grid=grid,
            **common,
        )
    return folder


def stacks(store):
    """HU and labels of every scanner, slices in the order of z."""
    for scanner in store.scanners:
        rows = store.slices.query("scanner == @scanner").sort_values("z_mm").row.to_numpy()
        yield store.hu(scanner)[rows], store.labels(scanner)[rows]


@pytest.mark.parametrize("file_format", ["dicom", "nifti"])
def test_ingest_of_what_was_exported_is_the_store(stores, file_format):
    ours, theirs = SliceStore(stores / "store"), SliceStore(stores / f"{file_format}.store")
    assert len(theirs.scanners) == 2
    for (hu, labels), (other, other_labels) in zip(stacks(ours), stacks(theirs), strict=True):
        assert np.abs(hu.astype(int) - other).max() <= 1
        np.testing.assert_array_equal(labels, other_labels)


def test_scanners_come_from_the_headers_and_say_that_they_are_simulated(stores):
    dicom = SliceStore(stores / "dicom.store").header
    assert list(dicom.scanners.values()) == [
        "Simulated siemens like · B30f-like · 120 kV",
        "Simulated stress off centre · STANDARD-like · 120 kV",
    ]
    nifti = SliceStore(stores / "nifti.store").header
    assert list(nifti.scanners.values()) == [load_profile(n).display_name for n in SCANNERS]
    assert dicom.provenance["kind"] == nifti.provenance["kind"] == "simulated"


def test_other_readers_read_the_dicom_without_a_warning(stores, capfd):
    folders = sorted((stores / "dicom" / "images").iterdir())
    assert len(folders) == 4
    reader = sitk.ImageSeriesReader()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for folder in folders:
            files = [pydicom.dcmread(file) for file in sorted(folder.iterdir())]
            hu = np.stack([f.pixel_array + float(f.RescaleIntercept) for f in files])
            reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
            volume = reader.Execute()
            np.testing.assert_array_equal(sitk.GetArrayFromImage(volume), hu)
            header = files[0]
            assert (header.Manufacturer, header.Modality) == ("SIMULATED", "CT")
            assert volume.GetSpacing() == pytest.approx(
                (*map(float, header.PixelSpacing), float(header.SliceThickness)), abs=1e-6
            )
            assert volume.GetOrigin() == pytest.approx(tuple(header.ImagePositionPatient))
    assert capfd.readouterr().err == ""


def test_truth_lies_on_the_grid_of_the_images(stores):
    for name in ("labels", "tissues"):
        for file in (stores / "nifti" / name).iterdir():
            truth = sitk.ReadImage(file)
            image = sitk.ReadImage(stores / "nifti" / "images" / file.name)
            assert truth.GetOrigin() == image.GetOrigin()
            assert truth.GetSpacing() == image.GetSpacing()
    legend = (stores / "nifti" / "tissues.csv").read_text().splitlines()
    assert legend[1 + TISSUES.index("liver")] == f"{TISSUES.index('liver')},liver"
    file = next((stores / "nifti" / "tissues").glob("*siemens_like-liver*"))
    liver = sitk.GetArrayFromImage(sitk.ReadImage(file)) == TISSUES.index("liver")
    labels = sitk.GetArrayFromImage(sitk.ReadImage(stores / "nifti" / "labels" / file.name)) == 2
    assert (liver & labels).sum() / labels.sum() > 0.9


def test_an_existing_folder_is_kept(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="exists already"):
        export(tmp_path / "mine", [], "dicom")


def test_the_same_scan_has_the_same_identifiers(stores, tmp_path):
    job = SimulatedScan(
        "shared-body-0000", SCANNERS[0], load_profile(SCANNERS[0]), 7, slices_per_level=2
    )
    export(tmp_path / "again", [job], "dicom", show_progress=False)
    for file in (tmp_path / "again" / "images").rglob("*.dcm"):
        first = stores / "dicom" / file.relative_to(tmp_path / "again")
        assert file.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("file_format", ["dicom", "nifti"])
def test_a_series_along_the_trunk_has_slices_at_equal_distances(tmp_path, file_format):
    job = SimulatedScan("shared-body-0001", "ge_like", load_profile("ge_like"), 7, 3)
    export(tmp_path / "scans", [job], file_format, levels="trunk", show_progress=False)
    write_store_from_scans(
        tmp_path / "scans" / "manifest.csv", tmp_path / "store", grid=Grid(64, 6.4),
        show_progress=False,
    )  # fmt: skip
    apart = np.diff(np.sort(SliceStore(tmp_path / "store").slices.z_mm))
    assert apart == pytest.approx([320 / 3 * draw_body(7, job.body).scale] * 2, abs=0.01)


def test_cases_of_a_randomised_scanner_are_ingested_as_one_scanner(tmp_path):
    scans = simulated_scans(load_scanners(["randomised"]), own_bodies=0, shared_bodies=2)
    assert scans[0].profile.tube.kvp != scans[1].profile.tube.kvp
    export(tmp_path / "scans", scans, "dicom", show_progress=False)
    write_store_from_scans(
        tmp_path / "scans" / "manifest.csv", tmp_path / "store", grid=Grid(64, 6.4),
        show_progress=False,
    )  # fmt: skip
    assert list(SliceStore(tmp_path / "store").header.scanners.values()) == [
        load_scanner("randomised").display_name
    ]
