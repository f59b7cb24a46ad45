"""Small synthetic CT series and volumes, written the way scanners and converters write them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIZE, SPACING = 40, 8.0
CANARY = "CANARY7"


def body_image(size: int = SIZE) -> np.ndarray:
    """(size, size) int16 HU in LPS: soft tissue, bone behind, a liver-like blob on the right."""
    y, x = np.mgrid[:size, :size] / size
    image = np.full((size, size), -1000, np.int16)
    image[(x - 0.5) ** 2 / 0.16 + (y - 0.5) ** 2 / 0.09 < 1] = 40
    image[(x - 0.3) ** 2 + (y - 0.45) ** 2 < 0.012] = 110
    image[(x - 0.5) ** 2 + (y - 0.7) ** 2 < 0.004] = 700
    return image


def ct_dataset(z_mm: float, series: str = "s1", patient: str = "p1") -> pydicom.Dataset:
    """A valid CT image at ``z_mm`` with canary values wherever a person could be named."""
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "SIEMENS", "Sensation 64"
    ds.ConvolutionKernel, ds.KVP, ds.ImageType = "B40f", "120", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.PatientID = f"{CANARY}-{patient}"
    ds.PatientName, ds.PatientBirthDate = f"{CANARY}^Jane", "19770707"
    ds.InstitutionName, ds.AccessionNumber = f"{CANARY} Hospital", f"{CANARY}acc"
    ds.ReferringPhysicianName, ds.StudyDescription = f"{CANARY}^Doc", f"{CANARY} study"
    ds.StudyInstanceUID = f"1.2.777.{patient[1:]}"
    ds.SeriesInstanceUID = f"1.2.777.{patient[1:]}.{series[1:]}"
    ds.ImagePositionPatient = [-SPACING * (SIZE - 1) / 2, -SPACING * (SIZE - 1) / 2, z_mm]
    ds.ImageOrientationPatient, ds.PixelSpacing = [1, 0, 0, 0, 1, 0], [SPACING, SPACING]
    ds.SliceThickness, ds.GantryDetectorTilt = "5", "0"
    ds.Rows = ds.Columns = SIZE
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleSlope, ds.RescaleIntercept = "1", "0"
    ds.PixelData = body_image().tobytes()
    return ds


def save(ds: pydicom.Dataset, path: Path) -> Path:
    """Write a dataset as an explicit little-endian DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def write_series(
    folder: Path,
    z_mm: Any = (0, 5, 10),
    change: Callable[[pydicom.Dataset, int], None] | None = None,
    **names: str,
) -> list[Path]:
    """Write a series; ``change`` edits dataset ``i`` before it is saved."""
    paths = []
    for i, z in enumerate(z_mm):
        ds = ct_dataset(float(z), **names)
        if change is not None:
            change(ds, i)
        paths.append(save(ds, folder / f"{i:03d}.dcm"))
    return paths


def write_nifti(path: Path, lps: np.ndarray, codes: str = "LPS", spacing: float = SPACING) -> Path:
    """Write (N, H, W) LPS voxels as NIfTI stored in the orientation ``codes``."""
    size = lps.shape[1]
    corner = spacing * (size - 1) / 2
    affine = np.diag([-spacing, -spacing, 5.0, 1.0])
    affine[:3, 3] = [corner, corner, 0.0]
    image = nibabel.Nifti1Image(np.ascontiguousarray(lps.transpose(2, 1, 0)), affine)
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("LPS"), nibabel.orientations.axcodes2ornt(codes)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image.as_reoriented(turn), path)
    return path


def volume(slices: int = 3) -> np.ndarray:
    """(slices, SIZE, SIZE) int16 HU."""
    return np.stack([body_image()] * slices)


@pytest.fixture
def samples() -> Path:
    """Folder of real CT samples; tests that need it are skipped where it is absent."""
    folder = os.environ.get("CL_SEG_CT_SAMPLES", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CL_SEG_CT_SAMPLES names no folder")
    return Path(folder)
