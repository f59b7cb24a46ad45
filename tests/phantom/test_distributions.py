import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cl_seg.phantom.distributions import LogUniform, OneOf, Uniform

bounds = st.tuples(st.floats(0.001, 1e3), st.floats(0.001, 1e3)).map(sorted).map(tuple)


@given(bounds, st.integers(0, 2**32))
def test_draws_lie_between_the_bounds(given_bounds, seed):
    low, high = given_bounds
    for drawn in (Uniform(uniform=given_bounds), LogUniform(log_uniform=given_bounds)):
        assert drawn.values == (low, high)
        assert low * (1 - 1e-9) <= drawn.draw(np.random.default_rng(seed)) <= high * (1 + 1e-9)


def test_half_of_the_draws_lie_below_the_middle():
    rng = np.random.default_rng(0)
    plain, factor = Uniform(uniform=(1, 100)), LogUniform(log_uniform=(1, 100))
    assert np.mean([plain.draw(rng) < 50.5 for _ in range(2000)]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([factor.draw(rng) < 10 for _ in range(2000)]) == pytest.approx(0.5, abs=0.04)


def test_an_entry_that_is_there_twice_is_twice_as_likely():
    rng = np.random.default_rng(0)
    phases = OneOf(one_of=("native", "venous", "venous"))
    drawn = [phases.draw(rng) for _ in range(3000)]
    assert drawn.count("venous") / 3000 == pytest.approx(2 / 3, abs=0.03)


def test_whole_numbers_stay_whole():
    assert OneOf(one_of=(80, 2.5)).one_of == (80, 2.5)
    assert isinstance(OneOf(one_of=(80, 2.5)).one_of[0], int)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Uniform, {"uniform": (2, 1)}),
        (LogUniform, {"log_uniform": (0, 1)}),
        (LogUniform, {"log_uniform": (2, 1)}),
        (OneOf, {"one_of": ()}),
        (OneOf, {"one_of": tuple(range(17))}),
    ],
)
def test_bounds_are_in_order_and_lists_not_empty(kind, value):
    with pytest.raises(ValidationError):
        kind(**value)
