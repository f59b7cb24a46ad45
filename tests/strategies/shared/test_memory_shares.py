"""A memory is divided equally, in proportion or by per cent, and patients take turns."""

from hypothesis import given
from hypothesis import strategies as st

from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.shared.memory_shares import _equal_shares, memory_shares, patients_in_turn


@given(st.integers(1, 50), st.integers(1, 9))
def test_shares_use_the_budget_and_differ_by_one(budget, count):
    shares = _equal_shares(budget, list(range(count)))
    assert sum(shares.values()) == budget and max(shares.values()) - min(shares.values()) <= 1


@given(st.integers(1, 50), st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_random_shares_are_proportional(budget, counts):
    settings = MemorySettings(budget=budget, sampling="random")
    shares = memory_shares(settings, dict(enumerate(counts)))
    assert sum(shares.values()) == budget
    for k, count in enumerate(counts):
        assert abs(shares[k] - budget * count / sum(counts)) < 1


@given(st.floats(0.5, 100), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_percent_is_of_every_scanner(percent, counts):
    shares = memory_shares(MemorySettings(percent=percent), dict(enumerate(counts)))
    for k, count in enumerate(counts):
        assert 0 <= shares[k] - percent / 100 * count < 1 and 1 <= shares[k] <= count


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.randoms())
def test_patients_take_turns(patients, random):
    order = list(range(len(patients)))
    random.shuffle(order)
    names = [str(p) for p in patients]
    turned = patients_in_turn(order, names)
    assert sorted(turned) == sorted(order)
    for length in range(1, len(turned) + 1):
        have = [names[i] for i in turned[:length]]
        left = {p for p in set(names) if have.count(p) < names.count(p)}
        assert all(have.count(p) >= max(map(have.count, have)) - 1 for p in left)
