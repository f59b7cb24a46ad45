"""The largest piece of an organ is kept, in three dimensions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cl_seg.inference.largest_piece import check_single_pieces, keep_largest_pieces
from cl_seg.messages.errors import InputError

CLASSES = ["muscle", "liver"]


def test_pieces_are_connected_through_slices_and_by_faces_only() -> None:
    labels = np.zeros((3, 6, 6), np.uint8)
    labels[:, 0:2, 0:2] = 2  # 12 voxels on three slices
    labels[1, 2:4, 2:4] = 2  # touches it at an edge
    labels[0, 4:6, 0:6] = 2  # 12 voxels on one slice, and one more
    labels[1, 4, 5] = 2
    labels[2, 5, 5] = 1
    kept = keep_largest_pieces(labels, CLASSES, ["liver"])
    assert (kept[0, 4:6] == 2).all() and kept[1, 4, 5] == 2 and (kept == 2).sum() == 13
    assert kept[2, 5, 5] == 1, "other classes stay"
    assert labels[0, 0, 0] == 2, "what is given is not changed"


def test_off_by_default_and_nothing_found_is_nothing_kept() -> None:
    labels = np.zeros((2, 4, 4), np.uint8)
    assert keep_largest_pieces(labels, CLASSES, []) is labels
    assert not keep_largest_pieces(labels, CLASSES, ["liver"]).any()


@given(arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 2)))
def test_what_is_kept_is_one_piece_and_no_piece_is_larger(labels: np.ndarray) -> None:
    kept = keep_largest_pieces(labels, CLASSES, ["liver"]) == 2
    pieces = _pieces(labels == 2)
    assert len(_pieces(kept)) <= 1 and kept.sum() == max(map(len, pieces), default=0)
    assert (labels == 2)[kept].all()


def _pieces(mask: np.ndarray) -> list[set[tuple[int, ...]]]:
    """Connected voxels, found by walking from face to face."""
    left, pieces = set(map(tuple, np.argwhere(mask).tolist())), []
    while left:
        piece, waiting = set(), [left.pop()]
        while waiting:
            voxel = waiting.pop()
            piece.add(voxel)
            for axis in range(3):
                for step in (-1, 1):
                    beside = tuple(v + step * (k == axis) for k, v in enumerate(voxel))
                    if beside in left:
                        left.remove(beside)
                        waiting.append(beside)
        pieces.append(piece)
    return pieces


@pytest.mark.parametrize(
    ("name", "message"),
    [("spleen", "no class spleen, it has muscle, liver"), ("muscle", "muscle is many pieces")],
)
def test_what_is_no_single_piece_is_refused(name: str, message: str) -> None:
    check_single_pieces(["liver"], CLASSES)
    with pytest.raises(InputError, match=rf"--largest-piece\): .*{message}"):
        check_single_pieces(["liver", name], CLASSES)
