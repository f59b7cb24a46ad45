"""A store of noisy rectangles on several scanners: something to train on, made in a second."""

from pathlib import Path

import numpy as np

from cl_seg.scans.store import Grid, SliceRow, create_store

PATIENTS, SLICES = 12, 4
HU = np.array([-100, 40, 120])


def write_store(folder: Path, scanners: int, size: int = 64) -> Path:
    """Every scanner has its own brightness; patients are shared by none."""
    random = np.random.default_rng(0)
    with create_store(folder, ["muscle", "liver"], Grid(size, 4.0), {"kind": "simulated"}) as store:
        for k in range(scanners):
            name = f"scanner{k}"
            rows = [
                SliceRow(
                    slice_id=f"{name}-{p}-{z}",
                    scanner=name,
                    case=f"{name}-{p}",
                    patient=f"{name}-{p}",
                    series=f"{name}-{p}",
                    z_mm=5.0 * z,
                    spacing_mm=1.0,
                    thickness_mm=5.0,
                    kvp=120.0,
                    kernel="",
                    labelled="muscle,liver",
                )
                for p in range(PATIENTS)
                for z in range(SLICES)
            ]
            labels = np.zeros((len(rows), size, size), np.uint8)
            for label in labels:
                y, x = random.integers(2, size // 4, 2)
                label[y : y + size // 2, x : x + size // 3] = 1
                label[y : y + size // 3, x + size // 3 + 2 : x + 2 * size // 3] = 2
            hu = HU[labels] + 25 * k + random.normal(0, 20, labels.shape)
            store.add_scanner(name, name.title(), rows, hu.round().astype(np.int16), labels)
    return folder
