import numpy as np
import pytest

from cl_seg.scans.store import Grid, SliceRow, SliceStore, create_store
from experiments.simulator.same_bodies import difference, picture


def store(folder, change=0, label=1):
    rows = [
        SliceRow(f"s{i}", "one", f"c{i}", f"c{i}", "", 0.0, 1.0, 1.0, 120.0, "", "muscle")
        for i in range(2)
    ]
    hu, labels = np.zeros((2, 32, 32), np.int16), np.zeros((2, 32, 32), np.uint8)
    hu[1, 5, 5] += change
    labels[:, 3, 3] = label
    with create_store(folder, ["muscle"], Grid(32, 1.0), {}) as writer:
        writer.add_scanner("one", "One", rows, hu, labels)
    return SliceStore(folder)


@pytest.mark.parametrize(
    ("change", "label", "same"), [(0, 1, True), (1, 1, True), (50, 1, False), (0, 0, False)]
)
def test_only_rounding_is_the_same(tmp_path, change, label, same):
    before, after = store(tmp_path / "before"), store(tmp_path / "after", change, label)
    found = difference(before, after, "one")
    assert found.rounding is same
    assert found.hu_largest == change
    assert found.areas_cm2["muscle"] == pytest.approx(0.01 * (1 - label))


def test_the_picture_shows_before_after_and_difference(tmp_path):
    shown = picture(store(tmp_path / "before"), store(tmp_path / "after", 1))
    assert shown.size == (3 * 32, 2 * 32)
    assert shown.getpixel((64 + 5, 32 + 5)) > shown.getpixel((64, 32)) == 128
