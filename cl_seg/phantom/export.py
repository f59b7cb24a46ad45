"""Simulated scans as DICOM or NIfTI files with their truth, for testing readers of CT."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from rich.progress import track

from cl_seg.files.csv_file import write_table
from cl_seg.files.write import new_folder, write_text
from cl_seg.messages.progress import progress_console
from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import LEVELS
from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.anatomy.trunk.positions import even_heights
from cl_seg.phantom.dicom import dataset
from cl_seg.phantom.profiles import RANDOMISED
from cl_seg.phantom.series import SimulatedSeries, simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.phantom.tissues import TISSUES
from cl_seg.runtime.workers import map_in_order

Format = Literal["dicom", "nifti"]
Row = tuple[str, str, str, str]  # of the manifest: image, labels, patient and scanner
README = """Simulated CT, not patient data.

manifest.csv  a line per series, as `cl-seg ingest` reads it
images/       the series: DICOM, a folder each, or NIfTI
labels/       NIfTI on the grid of the images: 1 muscle, 2 liver
tissues/      NIfTI on the same grid: the tissue that fills most of a pixel, see tissues.csv
"""


def export(
    folder: Path,
    scans: list[SimulatedScan],
    file_format: Format,
    *,
    levels: Literal["trunk"] | None = None,
    workers: int = 1,
    show_progress: bool = True,
) -> None:
    """Write scans as DICOM or NIfTI with labels, tissue maps and a manifest.

    Args:
        folder: to make; must not exist.
        scans: see :func:`cl_seg.phantom.simulated_scan.simulated_scans`.
        file_format: of the images. DICOM series say in their headers that they are simulated.
        levels: "trunk" for one series per scan with slices at equal distances from the sacrum to
            above the liver; by default a series at L3 and one at the liver.
        workers: processes, one thread each.
        show_progress: show a progress bar.

    Raises:
        InputError: ``folder`` exists or cannot be written.
    """
    with new_folder(folder) as building:
        write = partial(
            _export_case, folder=building, file_format=file_format, trunk=levels is not None
        )
        with map_in_order(write, scans, workers) as done:
            shown = track(
                done,
                "Scanning",
                len(scans),
                console=progress_console(),
                transient=True,
                disable=not show_progress,
            )
            rows = [row for case in shown for row in case]
        columns = ["image", "labels", "patient", "scanner"]
        write_table(building / "manifest.csv", columns, rows)
        names = "".join(f"{value},{name}\n" for value, name in enumerate(TISSUES))
        write_text(building / "tissues.csv", f"value,tissue\n{names}")
        write_text(building / "README.txt", README)


def _export_case(
    simulated_scan: SimulatedScan, folder: Path, file_format: Format, trunk: bool
) -> list[Row]:
    rows = []
    for level in (TRUNK,) if trunk else LEVELS:
        series = (
            _series_of_trunk(simulated_scan) if trunk else simulate_series(simulated_scan, level)
        )
        name = series.rows[0].series
        image = f"images/{name}" if file_format == "dicom" else f"images/{name}.nii.gz"
        for kind in ("images", "labels", "tissues"):
            (folder / kind).mkdir(exist_ok=True)
        if file_format == "dicom":
            (folder / image).mkdir()
            for index in range(len(series.rows)):
                path = folder / image / f"{index + 1:04d}.dcm"
                dataset(series, index, simulated_scan, level).save_as(
                    path, enforce_file_format=True
                )
        else:
            _write_nifti(folder / image, series.volume.hu, series)
        _write_nifti(folder / f"labels/{name}.nii.gz", series.labels, series)
        _write_nifti(folder / f"tissues/{name}.nii.gz", series.tissues(), series)
        # Headers of DICOM files name their scanner, but each drawn profile would be one of its own.
        in_header = file_format == "dicom" and simulated_scan.profile.track != RANDOMISED
        given = "" if in_header else simulated_scan.profile.display_name
        rows.append((image, f"labels/{name}.nii.gz", simulated_scan.body, given))
    return rows


def _series_of_trunk(simulated_scan: SimulatedScan) -> SimulatedSeries:
    scale = draw_body(simulated_scan.seed, simulated_scan.body).scale
    heights = scale * even_heights(simulated_scan.slices_per_level)
    return simulate_series(simulated_scan, TRUNK, heights=heights)


def _write_nifti(path: Path, values: npt.NDArray[np.integer], series: SimulatedSeries) -> None:
    first, volume = series.rows[0], series.volume
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([*volume.spacing_mm, series.apart_mm])
    image.SetOrigin([volume.origin_mm[1], volume.origin_mm[0], first.z_mm])
    sitk.WriteImage(image, str(path))
