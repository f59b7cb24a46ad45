"""What is kept and what is replayed, by hand and by what must hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.metrics.burden import kept_share, replayed_share

counts = st.integers(0, 16)


def test_by_hand() -> None:
    assert kept_share(0, 1000) == 0
    assert kept_share(4000, 1000) == 1  # an old copy of the network
    assert math.isnan(kept_share(10, 0))
    # The first experience replays nothing and is left out.
    assert replayed_share([100, 200, 300], [8, 4, 6], [0, 4, 2]) == pytest.approx(
        (200 * 4 + 300 * 2) / (200 * 8 + 300 * 8)
    )
    assert replayed_share([10, 10], [8, 8], [0, 0]) == 0


def test_not_defined() -> None:
    assert math.isnan(replayed_share([100], [8], [0]))
    assert math.isnan(replayed_share([100, 0], [8, 8], [0, 8]))
    assert math.isnan(replayed_share([1, 1], [8, math.nan], [0, 4]))


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 16), counts), min_size=2))
def test_it_is_a_share_and_as_large_for_any_length(rows: list[tuple[int, int, int]]) -> None:
    steps, new, replayed = zip(*rows, strict=True)
    share = replayed_share(steps, new, replayed)
    assert 0 <= share < 1
    longer = [3 * n for n in steps]
    assert replayed_share(longer, new, replayed) == pytest.approx(share)
