"""The slice store: what is written is what is read, and damage is named."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.scans.store import Grid, SliceRow, SliceStore, create_store

GRID = Grid(4, 1.5)


def rows(count, scanner="a"):
    return [
        SliceRow(f"{scanner}{i}", scanner, "c", "p", "s", 5.0 * i, 0.8, 5.0, 120.0, "B40f", "liver")
        for i in range(count)
    ]


def write(folder, value=7):
    rng = np.random.default_rng(0)
    hu = rng.integers(-1000, 1000, (3, 4, 4), np.int16)
    hu[0, 0, 0] = value
    labels = rng.integers(0, 2, (3, 4, 4), np.uint8)
    with create_store(folder, ["liver"], GRID, {"kind": "simulated"}) as writer:
        writer.add_scanner("a", "Scanner A", rows(3), hu, labels)
        writer.add_scanner("b", "Scanner B", rows(3, "b"), hu[::-1], labels)
    return hu, labels


def test_round_trip(tmp_path):
    hu, labels = write(tmp_path / "x.store")
    store = SliceStore(tmp_path / "x.store")
    assert store.header.grid == GRID and store.header.classes == ["liver"]
    assert store.header.scanners == {"a": "Scanner A", "b": "Scanner B"}
    assert np.array_equal(store.hu("a"), hu) and np.array_equal(store.hu("b"), hu[::-1])
    assert np.array_equal(store.labels("a"), labels)
    assert isinstance(store.hu("a"), np.memmap)
    assert store.slices.row.tolist() == [0, 1, 2, 0, 1, 2]
    assert store.slices.z_mm.tolist() == [0, 5, 10] * 2


def test_content_hash_follows_the_pixels(tmp_path):
    for name, value in (("1", 7), ("2", 7), ("3", 8)):
        write(tmp_path / name, value)
    one, two, three = (SliceStore(tmp_path / name).header.content_sha256 for name in "123")
    assert one == two != three


def test_wrong_shapes_are_a_mistake_of_the_caller_and_leave_nothing(tmp_path):
    empty = np.zeros((2, 5, 5), np.int16)
    with (
        pytest.raises(ValueError, match="expected"),
        create_store(tmp_path / "x", ["liver"], GRID, {}) as writer,
    ):
        writer.add_scanner("a", "A", rows(2), empty, empty.astype(np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_damage_is_named(tmp_path):
    with pytest.raises(InputError, match="is not a slice store"):
        SliceStore(tmp_path)
    write(tmp_path / "x")
    header = tmp_path / "x" / "store.json"
    good = json.loads(header.read_text())
    for bad in ("{", "{}", "[]", json.dumps(good | {"grid": 3})):
        header.write_text(bad)
        with pytest.raises(InputError, match="damaged"):
            SliceStore(tmp_path / "x")
    header.write_text(json.dumps(good | {"format": 99}))
    with pytest.raises(InputError, match="format 99"):
        SliceStore(tmp_path / "x")


def is_as_made(folder):
    store = SliceStore(folder)
    return store.content_hash() == store.header.content_sha256


def test_a_store_that_was_changed_is_not_as_made(tmp_path):
    write(tmp_path / "x.store")
    assert is_as_made(tmp_path / "x.store")
    labels = np.load(tmp_path / "x.store/b/labels.npy")
    labels[2, 3, 3] ^= 1
    np.save(tmp_path / "x.store/b/labels.npy", labels)
    assert not is_as_made(tmp_path / "x.store")


def test_numbers_of_any_kind_are_as_made(tmp_path):
    row = replace(rows(1)[0], z_mm=5, spacing_mm=np.float32(0.7), kvp=np.float64("nan"))
    with create_store(tmp_path / "x.store", ["liver"], GRID, {"kind": "simulated"}) as writer:
        writer.add_scanner(
            "a", "A", [row], np.zeros((1, 4, 4), np.int16), np.zeros((1, 4, 4), np.uint8)
        )
    assert is_as_made(tmp_path / "x.store")
