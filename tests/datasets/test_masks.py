"""Merging of masks: the first class has the pixel, whatever the masks."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cl_seg.datasets.masks import write_merged
from cl_seg.scans.nifti import load_labels

from ..scans.conftest import SPACING, write_nifti

MASK = arrays.arrays(np.uint8, (2, 5, 5), elements=st.integers(0, 1))
MASKS = st.lists(MASK, min_size=1, max_size=4)
ORIENTATIONS = st.sampled_from(["RAS", "LPS", "PIR"])


@settings(max_examples=25, deadline=None)
@given(
    MASKS.filter(lambda masks: len(masks) < 5), st.sampled_from(["RAS", "LPS", "PIR"]), st.data()
)
def test_any_masks_become_one_file(masks, orientation, data):
    names = [f"class{data.draw(st.integers(0, 2))}" for _ in masks]
    with tempfile.TemporaryDirectory() as folder:
        files = [
            write_nifti(Path(folder) / f"m{i}.nii.gz", mask, orientation)
            for i, mask in enumerate(masks)
        ]
        grouped = {name: [f for f, n in zip(files, names, strict=True) if n == name]
                   for name in sorted(set(names))}  # fmt: skip
        out = Path(folder) / "out.nii.gz"
        overlap = write_merged(out, grouped, ["class0", "class1", "class2"], None)
        merged, _ = load_labels(out)
    expected = np.zeros(masks[0].shape, int)
    for value in (3, 2, 1):
        for mask, name in zip(masks, names, strict=True):
            if name == f"class{value - 1}":
                expected[mask != 0] = value
    assert np.array_equal(merged, expected)
    unions = {name: sum(m != 0 for m, n in zip(masks, names, strict=True) if n == name) > 0
              for name in grouped}  # fmt: skip
    had = {(f"class{v - 1}", name): int((unions[name] & (expected == v)).sum())
           for name in grouped for v in (1, 2, 3) if f"class{v - 1}" < name}  # fmt: skip
    pixel_cm2 = SPACING**2 / 100
    assert overlap == pytest.approx({pair: n * pixel_cm2 for pair, n in had.items() if n})
