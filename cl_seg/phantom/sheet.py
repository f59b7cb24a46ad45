"""A contact sheet: bodies in rows, scanners in columns, as a store holds them."""

import io
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track

from cl_seg.files.write import writable, write_bytes
from cl_seg.messages.errors import InputError
from cl_seg.messages.progress import progress_console
from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import LEVELS
from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.anatomy.trunk.positions import HIGHEST, LOWEST, VERTEBRAE
from cl_seg.phantom.profiles import Profile
from cl_seg.phantom.scanners import Scanner
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan, simulated_scans
from cl_seg.runtime.workers import map_in_order
from cl_seg.scans.resample import centre_grid, resample_image
from cl_seg.scans.store import Grid

Grey = npt.NDArray[np.uint8]

CENTRE, WIDTH = 40.0, 400.0  # HU, the usual window of the abdomen
GRID = Grid(256, 1.6)  # of a store
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
TRUNK_LEVELS = {
    f"{TRUNK}, {name}": height
    for name, height in reversed(VERTEBRAE.items())
    if LOWEST < height < HIGHEST
}
"""Levels of a sheet that lie in the trunk at a vertebra, and their heights."""

HEADER, MARGIN, FONT_SIZE = 44, 132, 13  # pixels
INK, PAPER = 230, 0


def window(hu: npt.NDArray[np.number[Any]]) -> Grey:
    """Grey values of HU at centre 40 and width 400, any shape."""
    share = (hu.astype(np.float32) - (CENTRE - WIDTH / 2)) / WIDTH
    grey: Grey = (255 * np.clip(share, 0, 1)).round().astype(np.uint8)
    return grey


def tile(simulated_scan: SimulatedScan, level: str) -> Grey:
    """One level of one body on one scanner, (256, 256)."""
    if level in TRUNK_LEVELS:
        body = draw_body(simulated_scan.seed, simulated_scan.body)
        heights = [TRUNK_LEVELS[level] * body.scale]
        volume = simulate_series(simulated_scan, TRUNK, heights=heights).volume
    else:
        volume = simulate_series(simulated_scan, level).volume
    return window(resample_image(volume.hu[0], volume, centre_grid(volume, GRID), GRID))


def write_sheet(
    path: Path,
    scanners: dict[str, Scanner],
    *,
    bodies: int,
    levels: Sequence[str] = LEVELS,
    seed: int = 0,
    workers: int = 1,
    show_progress: bool = True,
) -> None:
    """Scan the first bodies that all scanners share and draw them side by side.

    Args:
        path: .png or .jpg.
        scanners: by name.
        bodies: number of bodies; each has a row per level.
        levels: of the body, or of ``TRUNK_LEVELS``.
        seed: of anatomy and noise, as for a store.
        workers: processes.
        show_progress: show a progress bar on standard error.

    Raises:
        InputError: another ending, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"cannot draw {path}: its ending must be one of {', '.join(FORMATS)}")
    scans = simulated_scans(scanners, own_bodies=0, shared_bodies=bodies, seed=seed)
    with map_in_order(partial(_tiles, levels=levels), scans, workers) as done:
        shown = track(done, "Scanning", len(scans), console=progress_console(), transient=True,
                      disable=not show_progress)  # fmt: skip
        columns = [np.concatenate(list(islice(shown, bodies))) for _ in scanners]
    people = [draw_body(seed, scan.body) for scan in scans[:bodies]]
    names = [
        f"{body.name}\n{'man' if body.male else 'woman'}, {body.age:.0f} years\n"
        f"BMI {body.bmi:.0f}\n{level}"
        for body in people
        for level in levels
    ]
    titles = [f"{name}\n{scan_settings(scanner)}" for name, scanner in scanners.items()]
    stream = io.BytesIO()
    with_captions(np.concatenate(columns, axis=1), titles, names).save(
        stream, FORMATS[path.suffix.lower()]
    )
    with writable(path):
        write_bytes(path, stream.getvalue())


def scan_settings(scanner: Scanner) -> str:
    """Tube voltage, dose and slice thickness for people."""
    if not isinstance(scanner, Profile):
        return "drawn for every body"
    tube = scanner.tube
    return f"{tube.kvp} kV, {tube.mas:g} mAs, {scanner.detector.slice_mm:g} mm"


def _tiles(simulated_scan: SimulatedScan, levels: Sequence[str]) -> Grey:
    return np.concatenate([tile(simulated_scan, level) for level in levels])


def with_captions(mosaic: Grey, titles: Sequence[str], names: Sequence[str]) -> Image.Image:
    """A mosaic of tiles with titles above the columns and names beside the rows.

    Every tile says that it is simulated.

    Args:
        mosaic: (256 rows, 256 columns).
        titles: of the columns.
        names: of the rows.
    """
    sheet = Image.new("L", (MARGIN + mosaic.shape[1], HEADER + mosaic.shape[0]), PAPER)
    sheet.paste(Image.fromarray(mosaic), (MARGIN, HEADER))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_SIZE)
    side = GRID.size
    for column, title in enumerate(titles):
        draw.text((MARGIN + column * side + 6, 6), title, INK, font)
    for row, name in enumerate(names):
        draw.text((6, HEADER + row * side + 6), name, INK, font)
        for column in range(len(titles)):
            at = MARGIN + column * side + 6, HEADER + (row + 1) * side - 18
            draw.text(at, "simulated", INK // 2, font)
    return sheet
