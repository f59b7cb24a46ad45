"""The CT series of one level of one body on one scanner, with its truth."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Body, draw_body
from cl_seg.phantom.anatomy.slices import CLASSES, Anatomy, paint_slab
from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.anatomy.trunk.positions import draw_heights
from cl_seg.phantom.physics.scanner import GEOMETRY, Noise, draw_channel_gain, scan
from cl_seg.phantom.protocol import draw_centring, draw_preparation, field_of_view
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.phantom.truth import dominant_tissue, truth_labels
from cl_seg.scans.series import Volume, to_hu
from cl_seg.scans.store import Grid, Labels, SliceRow

LEVEL_Z_MM = {
    "L3": 0.0,
    "liver": 100.0,
    TRUNK: 0.0,
}  # about three vertebrae apart (engineering value)


@dataclass(frozen=True)
class SimulatedSeries:
    """Neighbouring slices of one level, or slices along the trunk.

    Attributes:
        rows: of a store, one per slice.
        volume: (slices, N, N) HU as the scanner reconstructs them.
        labels: (slices, N, N) uint8 on the same grid.
        anatomies: the painted truth, one per slice.
        centre_mm: (x, y) of the middle of the body from the isocentre.
    """

    rows: list[SliceRow]
    volume: Volume
    labels: Labels
    anatomies: list[Anatomy]
    centre_mm: tuple[float, float]

    @property
    def apart_mm(self) -> float:
        """Distance between the middles of the first slices; the thickness of a single one."""
        z_mm = self.volume.z_mm
        return float(z_mm[1] - z_mm[0]) if len(z_mm) > 1 else self.rows[0].thickness_mm

    def tissues(self) -> npt.NDArray[np.uint8]:
        """Tissue that fills most of each pixel, as an index into ``TISSUES``, (slices, N, N)."""
        grid = Grid(self.volume.hu.shape[1], self.volume.spacing_mm[0])
        largest = [anatomy.fractions.argmax(axis=0) for anatomy in self.anatomies]
        # Air is the first tissue, so what lies outside the anatomy is air too.
        return np.stack([
            dominant_tissue(tissue.astype(np.uint8), anatomy.grid, grid, self.centre_mm)
            for tissue, anatomy in zip(largest, self.anatomies, strict=True)
        ])  # fmt: skip


def simulate_series(
    simulated_scan: SimulatedScan,
    level: str,
    paint: Callable[..., Anatomy] = paint_slab,
    heights: npt.ArrayLike | None = None,
) -> SimulatedSeries:
    """Draw, paint and scan one level of one body on one scanner.

    The slices of "trunk" lie at random heights, the same on every scanner: one in each of as many
    equal parts of the trunk as there are slices, unless others are given.

    Args:
        simulated_scan: the body, the scanner and the seed.
        level: "L3", "liver" or "trunk".
        paint: called in the place of ``paint_slab``, to paint a body once for several scanners.
        heights: of the slices in mm above the middle of the level.
    """
    name, scanner, profile = simulated_scan.body, simulated_scan.scanner, simulated_scan.profile
    body = draw_body(simulated_scan.seed, name)
    centre = draw_centring(profile, simulated_scan.random_generator(name, scanner, "centring"))
    thickness = profile.detector.slice_mm
    count = simulated_scan.slices_per_level
    if heights is None:
        heights = _trunk_heights(body, count) if level == TRUNK else _neighbours(count, thickness)
    heights = np.asarray(heights, np.float64)
    preparation = draw_preparation(profile, body.random_generator("preparation"))
    anatomies = [
        paint(body, level, thickness, z_mm=float(z), preparation=preparation) for z in heights
    ]
    surface = np.minimum.reduce([anatomy.surface for anatomy in anatomies])
    fov = field_of_view(surface, anatomies[0].grid, profile.reconstruction.fov_margin_mm, centre[0])
    gain = draw_channel_gain(
        profile, GEOMETRY, simulated_scan.random_generator(simulated_scan.device, "channel gain")
    )
    noise_generator = simulated_scan.random_generator(name, scanner, level, "noise")
    images = [
        scan(anatomy, body.enhancement, profile, fov, Noise(gain, noise), centre)
        for anatomy, noise in zip(anatomies, noise_generator.spawn(len(heights)), strict=True)
    ]
    size = profile.reconstruction.image_size
    spacing, z_mm = fov / size, LEVEL_Z_MM[level] + heights
    corner = -spacing * (size - 1) / 2
    return SimulatedSeries(
        [_row(simulated_scan, level, i, float(z), spacing) for i, z in enumerate(z_mm)],
        Volume(to_hu(np.stack(images)), z_mm, (spacing, spacing), (corner, corner)),
        np.stack([_labels(simulated_scan, anatomy, spacing, centre) for anatomy in anatomies]),
        anatomies,
        centre,
    )


def _neighbours(count: int, thickness_mm: float) -> npt.NDArray[np.float64]:
    """Heights of neighbouring slices in mm about the middle of a level."""
    return thickness_mm * (np.arange(count, dtype=np.float64) - (count - 1) / 2)


def _trunk_heights(body: Body, count: int) -> npt.NDArray[np.float64]:
    """Heights in mm above the middle of L3, the same on every scanner."""
    return body.scale * draw_heights(body.random_generator(TRUNK, "heights"), count)


def _labels(
    simulated_scan: SimulatedScan, anatomy: Anatomy, spacing_mm: float, centre: tuple[float, float]
) -> Labels:
    labels = anatomy.labels if simulated_scan.intramuscular_fat else anatomy.lean_labels()
    grid = Grid(simulated_scan.profile.reconstruction.image_size, spacing_mm)
    return truth_labels(labels, anatomy.grid, grid, centre)


def _row(
    simulated_scan: SimulatedScan, level: str, index: int, z_mm: float, spacing_mm: float
) -> SliceRow:
    profile, series = simulated_scan.profile, f"{simulated_scan.case}-{level}"
    return SliceRow(
        slice_id=f"{series}-{index:04d}",
        scanner=simulated_scan.scanner,
        case=simulated_scan.case,
        patient=simulated_scan.body,
        series=series,
        z_mm=z_mm,
        spacing_mm=spacing_mm,
        thickness_mm=profile.detector.slice_mm,
        kvp=float(profile.tube.kvp),
        kernel=profile.reconstruction.kernel,
        labelled=",".join(CLASSES),
        body=simulated_scan.body,
    )
