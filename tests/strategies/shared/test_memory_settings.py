"""New and replayed slices of a step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.strategies.agem import AGEMSettings
from cl_seg.strategies.shared.memory_settings import MemorySettings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (MemorySettings(), (4, 4)),
        (MemorySettings(batch_share=0.25), (6, 2)),
        (MemorySettings(batch_share=0.01), (7, 1)),
        (MemorySettings(batch_share=0.99), (1, 7)),
        (MemorySettings(batch="added"), (8, 8)),
        (MemorySettings(batch="added", batch_share=0.25), (8, 3)),
        (MemorySettings(batch="added", batch_share=0.01), (8, 1)),
        (MemorySettings(batch="added", batch_share=0.75), (8, 24)),
        (AGEMSettings(), (4, 4)),
        (AGEMSettings(reference_batch=7), (1, 7)),
        (AGEMSettings(reference_batch=64, batch="added"), (8, 64)),
    ],
)
def test_of_batches_of_eight(settings: MemorySettings, expected: tuple[int, int]) -> None:
    assert settings.slices_per_step(8) == expected


@given(st.floats(0.001, 0.999), st.integers(2, 64))
def test_a_shared_batch_is_full_and_its_share_is_met(share: float, size: int) -> None:
    new, replayed = MemorySettings(batch_share=share).slices_per_step(size)
    assert new >= 1 and replayed >= 1 and new + replayed == size
    assert abs(replayed - share * size) <= 1


@given(st.floats(0.001, 0.9), st.integers(1, 64))
def test_added_slices_are_the_same_share_of_the_step(share: float, size: int) -> None:
    new, replayed = MemorySettings(batch_share=share, batch="added").slices_per_step(size)
    assert new == size and replayed >= 1
    assert abs(replayed - share * (new + replayed)) <= 1


@pytest.mark.parametrize(
    ("settings", "smallest"),
    [
        (MemorySettings(), 2),
        (MemorySettings(batch="added"), 1),
        (AGEMSettings(reference_batch=8), 9),
        (AGEMSettings(reference_batch=8, batch="added"), 1),
    ],
)
def test_a_batch_without_room_for_new_slices_is_refused(
    settings: MemorySettings, smallest: int
) -> None:
    assert settings.smallest_batch == smallest
    new, _ = settings.slices_per_step(smallest)
    assert new == 1
    if smallest > 1:
        with pytest.raises(InputError, match=f"batch_size must be at least {smallest}, or"):
            settings.slices_per_step(smallest - 1)
