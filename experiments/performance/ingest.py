"""Uncompressed DICOM slices read into a store per second, from local disk.

Series of 512 × 512 noise in a body-like disc are written first; that is not counted.

    python experiments/performance/ingest.py [--series 10] [--slices 200] [--workers 2]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from cl_seg.scans.ingest import write_store_from_scans

SIZE = 512


def main() -> None:
    """Print seconds and slices per second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=10)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(options.series):
            write_series(folder / "dicom" / f"{number:03d}", number, options.slices)
        started = time.perf_counter()
        report = write_store_from_scans(
            folder / "dicom",
            folder / "ingested.store",
            workers=options.workers,
            show_progress=False,
        )
        seconds = time.perf_counter() - started
    slices = sum(scanner.slices for scanner in report.scanners)
    assert slices == options.series * options.slices, report
    print(f"{slices} slices of {SIZE} x {SIZE} in {seconds:.1f} s: {slices / seconds:.0f} a second")


def write_series(folder: Path, number: int, slices: int) -> None:
    """One series of a patient of its own."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(number)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    body = np.where(np.hypot(y / 0.7, x) < SIZE * 0.4, 1064, 24).astype(np.int16)
    series, frame = generate_uid(), generate_uid()
    for index in range(slices):
        image = body + random.integers(-20, 21, body.shape, dtype=np.int16)
        header(number, index, series, frame, image).save_as(
            folder / f"{index:04d}.dcm", enforce_file_format=True
        )


def header(number: int, index: int, series: str, frame: str, image: np.ndarray) -> Dataset:
    """A CT slice as scanners write it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_ = Dataset()
    slice_.file_meta = meta
    slice_.SOPClassUID, slice_.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    slice_.SeriesInstanceUID = slice_.StudyInstanceUID = series
    slice_.FrameOfReferenceUID = frame
    slice_.Modality, slice_.PatientID = "CT", f"patient{number}"
    slice_.Manufacturer, slice_.ManufacturerModelName = "SIEMENS", "SOMATOM"
    slice_.ConvolutionKernel, slice_.KVP = "B30f", "120"
    slice_.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    slice_.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    slice_.ImagePositionPatient = [-200.0, -200.0, 2.5 * index]
    slice_.PixelSpacing, slice_.SliceThickness = [0.78, 0.78], 2.5
    slice_.Rows = slice_.Columns = SIZE
    slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 16, 16, 15
    slice_.PixelRepresentation = 1
    slice_.RescaleSlope, slice_.RescaleIntercept, slice_.RescaleType = 1, -1024, "HU"
    slice_.PixelData = image.tobytes()
    return slice_


if __name__ == "__main__":
    main()
