"""A simulated slice as a DICOM CT image, whose header says that it is simulated."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.series import SimulatedSeries
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.scans.store import HU

MANUFACTURER = "SIMULATED"
INTERCEPT = -1024  # HU of a stored zero, as most scanners write it


def dataset(
    series: SimulatedSeries, index: int, simulated_scan: SimulatedScan, level: str
) -> Dataset:
    """The DICOM dataset of one slice (PS3.3 A.3, CT Image IOD), ready to be saved.

    Identifiers are made from the seed and the names, so the same scan has the same ones.
    """
    parts = (
        _identity(index, simulated_scan, level),
        _patient(simulated_scan),
        _scanner(simulated_scan, level),
        _geometry(series, index),
        _pixels(series.volume.hu[index]),
    )
    header = Dataset()
    for name, value in [field for part in parts for field in part.items()]:
        setattr(header, name, value)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta = meta
    return header


def _identity(index: int, simulated_scan: SimulatedScan, level: str) -> dict[str, Any]:
    def uid(*words: str) -> str:
        return str(generate_uid(entropy_srcs=["cl_seg", str(simulated_scan.seed), *words]))

    case = simulated_scan.case
    empty = ("StudyID", "AccessionNumber", "StudyDate", "StudyTime", "ContentDate", "ContentTime")
    return {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": uid(case, level, str(index)),
        "SeriesInstanceUID": uid(case, level),
        "StudyInstanceUID": uid(case),
        "FrameOfReferenceUID": uid(case, "frame"),
        "SeriesNumber": 1,
        "AcquisitionNumber": 1,
        "InstanceNumber": index + 1,
        "PositionReferenceIndicator": "",
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SeriesDescription": f"simulated, {level}",
        "ImageComments": "simulated CT, not patient data",
    } | dict.fromkeys(empty, "")


def _patient(simulated_scan: SimulatedScan) -> dict[str, Any]:
    body = draw_body(simulated_scan.seed, simulated_scan.body)
    return {
        "PatientName": f"SIMULATED^{simulated_scan.body}",
        "PatientID": simulated_scan.body,
        "PatientBirthDate": "",
        "PatientSex": "M" if body.male else "F",
        "PatientAge": f"{int(body.age):03d}Y",
        "PatientPosition": "HFS",
        "ReferringPhysicianName": "",
    }


def _scanner(simulated_scan: SimulatedScan, level: str) -> dict[str, Any]:
    profile = simulated_scan.profile
    return {
        "Manufacturer": MANUFACTURER,
        "ManufacturerModelName": simulated_scan.scanner,
        "BodyPartExamined": "ABDOMEN",
        "ProtocolName": f"{level} {profile.protocol.contrast}",
        "ContrastBolusAgent": "" if profile.protocol.contrast == "native" else "iodine",
        "ConvolutionKernel": profile.reconstruction.kernel,
        "KVP": str(profile.tube.kvp),
        "Exposure": round(profile.tube.mas),
        "SliceThickness": _decimal(profile.detector.slice_mm),
        "DistanceSourceToPatient": _decimal(profile.detector.source_isocentre_mm),
        "DistanceSourceToDetector": _decimal(profile.detector.source_detector_mm),
        "GantryDetectorTilt": "0",
        "RotationDirection": "CW",
    }


def _geometry(series: SimulatedSeries, index: int) -> dict[str, Any]:
    spacing, (y, x) = series.volume.spacing_mm, series.volume.origin_mm
    z = series.rows[index].z_mm
    return {
        "ImagePositionPatient": [_decimal(value) for value in (x, y, z)],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "SliceLocation": _decimal(z),
        "SpacingBetweenSlices": _decimal(series.apart_mm),
        "PixelSpacing": [_decimal(value) for value in spacing],
        "ReconstructionDiameter": _decimal(spacing[0] * series.volume.hu.shape[1]),
    }


def _pixels(hu: HU) -> dict[str, Any]:
    stored = (hu.astype(np.int32) - INTERCEPT).astype("<u2")
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": hu.shape[0],
        "Columns": hu.shape[1],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "RescaleIntercept": str(INTERCEPT),
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "WindowCenter": "40",
        "WindowWidth": "400",
        "PixelData": stored.tobytes(),
    }


def _decimal(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2)."""
    return f"{value:.9g}"
