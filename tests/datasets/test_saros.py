"""SAROS: every fifth slice labelled, scanner and patient from a DICOM header."""

import numpy as np
import pytest

from cl_seg.messages.errors import InputError

from ..scans.conftest import CANARY, ct_dataset, save, write_nifti
from .conftest import bone, ct, ingested, organ, reasons


def write_case(path, patient, change=lambda ds: None):
    """Slices 0 and 5 labelled: muscle 2, abdominal cavity 3."""
    regions = (2 * organ() + 3 * bone()).astype(np.uint8)
    regions[1:5] = 255
    write_nifti(path / "image.nii.gz", ct())
    write_nifti(path / "body-regions.nii.gz", regions)
    write_nifti(path / "body-parts.nii.gz", regions)
    header = ct_dataset(0, patient=patient)
    change(header)
    for name in ("meta_first.dcm", "meta_last.dcm"):
        save(header, path / name)


def philips(ds):
    ds.Manufacturer, ds.ManufacturerModelName, ds.ConvolutionKernel = "Philips", "Brilliance 64", ""


def nameless(ds):
    ds.Manufacturer = ""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "data"
    write_case(path / "case_000", "p1")
    write_case(path / "case_001", "p2")
    write_case(path / "case_002", "p1")
    write_case(path / "case_003", "p3", philips)
    write_case(path / "case_004", "p4", nameless)
    write_case(path / "case_005", "p5")
    (path / "case_005/image.nii.gz").unlink()
    (path / "case_006").mkdir()
    (path / "Segmentation Info.csv").write_text("id,split\ncase_000,fold-1\n")
    return path


def test_labelled_slices_become_a_store(folder, write):
    written = write("saros", folder)
    assert written.scanners == {
        "Siemens Sensation 64 medium 120 kV": 3,
        "Philips Brilliance 64 120 kV": 1,
    }
    assert reasons(written) == {
        "image.nii.gz is missing": ["data/case_005", "data/case_006"],
        "meta_first.dcm names no manufacturer": ["data/case_004"],
    }
    store = ingested(written)
    siemens = "siemens-sensation-64-medium-120-kv"
    assert store.slices.groupby("scanner").patient.nunique()[siemens] == 2
    assert store.slices.z_mm.value_counts().to_dict() == {0.0: 4, 25.0: 4}
    assert set(store.slices.labelled) == {"muscle"}
    assert np.array_equal(store.labels(siemens)[:2], organ()[[0, 5]])


def test_no_identifier_is_written(folder, write, tmp_path):
    write("saros", folder)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["manifest.csv"]
    text = files[0].read_text()
    assert CANARY not in text and "1.2.777" not in text
    patients = [line.split(",")[2] for line in text.splitlines()[1:]]
    assert patients == ["case_000", "case_001", "case_000", "case_003"]


def test_headers_must_have_been_downloaded(folder, write):
    for path in folder.rglob("meta_first.dcm"):
        path.unlink()
    with pytest.raises(InputError, match="--save-meta-dicoms"):
        write("saros", folder)
