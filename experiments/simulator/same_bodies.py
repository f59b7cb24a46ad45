"""Compares two simulated stores of the same bodies: HU, labels and areas, in numbers and a picture.

Run after a change of the simulator that should not change its images, with stores simulated before
and after it:

    python -m experiments.simulator.same_bodies before.store after.store [--picture same.png]

Prints a line per scanner. Exit code 1 if more than one pixel in 10,000 has another label or another
HU (by more than 2), or the mean HU of a slice differs by more than 0.01.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cl_seg.phantom.sheet import window
from cl_seg.scans.store import SliceStore

# Bounds of what counts as rounding: share of pixels, HU of a pixel, mean HU of a slice.
SHARE, PIXEL_HU, MEAN_HU = 1e-4, 2, 0.01
SHOWN = 3  # slices per scanner in the picture
GAIN = 100  # grey values per HU of the difference


@dataclass(frozen=True)
class Difference:
    """How the slices of one scanner differ.

    Attributes:
        labels: share of pixels with another label.
        hu: share of pixels whose HU differ by more than ``PIXEL_HU``.
        hu_largest: largest |ΔHU|.
        hu_mean: mean |ΔHU|.
        hu_shift: largest |Δ| of the mean HU of a slice.
        areas_cm2: largest change of an area in a slice, per class.
    """

    labels: float
    hu: float
    hu_largest: int
    hu_mean: float
    hu_shift: float
    areas_cm2: dict[str, float]

    @property
    def rounding(self) -> bool:
        """Whether nothing but rounding differs."""
        return max(self.labels, self.hu) <= SHARE and self.hu_shift <= MEAN_HU


def difference(before: SliceStore, after: SliceStore, scanner: str) -> Difference:
    """Compare the slices of one scanner."""
    hu = [store.hu(scanner).astype(np.int32) for store in (before, after)]
    labels = [store.labels(scanner) for store in (before, after)]
    pixel_cm2 = before.header.grid.spacing_mm**2 / 100
    areas = {
        name: float(np.abs(np.subtract(*((one == i).sum(axis=(1, 2)) for one in labels))).max())
        * pixel_cm2
        for i, name in enumerate(before.header.classes, start=1)
    }
    apart = np.abs(hu[1] - hu[0])
    shift = np.abs((hu[1] - hu[0]).mean(axis=(1, 2))).max()
    return Difference(
        float((labels[0] != labels[1]).mean()),
        float((apart > PIXEL_HU).mean()),
        int(apart.max()),
        float(apart.mean()),
        float(shift),
        areas,
    )


def picture(before: SliceStore, after: SliceStore) -> Image.Image:
    """Rows of slices: before, after, and their difference about middle grey."""
    rows = []
    for scanner in before.scanners:
        for hu, again in zip(before.hu(scanner)[:SHOWN], after.hu(scanner)[:SHOWN], strict=True):
            apart = again.astype(np.int32) - hu
            grey = np.clip(128 + GAIN * apart, 0, 255).astype(np.uint8)
            rows.append(np.concatenate([window(hu), window(again), grey], axis=1))
    return Image.fromarray(np.concatenate(rows))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    before, after = SliceStore(options.before), SliceStore(options.after)
    if before.slices["slice_id"].tolist() != after.slices["slice_id"].tolist():
        sys.exit("the stores hold other slices")
    found = {scanner: difference(before, after, scanner) for scanner in before.scanners}
    heads = f"{'labels':>9} {'HU > 2':>9} {'max |ΔHU|':>9} {'mean |ΔHU|':>10}"
    print(f"{'scanner':24} {heads}   areas, cm²")
    for scanner, one in found.items():
        areas = ", ".join(f"{name} {area:.3f}" for name, area in one.areas_cm2.items())
        shares = f"{one.labels:9.1e} {one.hu:9.1e}"
        print(f"{scanner:24} {shares} {one.hu_largest:9} {one.hu_mean:10.5f}   {areas}")
    if options.picture:
        picture(before, after).save(options.picture)
    sys.exit(not all(one.rounding for one in found.values()))


if __name__ == "__main__":
    main()
