"""A sum of quadratics is one of them, but for a constant."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.strategies.shared.sum_of_quadratics import add_quadratic

Parts = st.lists(st.tuples(st.floats(0, 1e3), st.floats(-10, 10)), min_size=1, max_size=4)


@given(Parts, st.floats(-10, 10), st.floats(-10, 10))
def test_differences_between_two_places_are_those_of_the_sum(parts, here, there):
    importance, centre = {}, {}
    for weight, at in parts:
        new = {"w": torch.tensor(weight, dtype=torch.float64)}
        theta = {"w": torch.tensor(at, dtype=torch.float64), "other": torch.zeros(())}
        add_quadratic(importance, centre, new, theta)

    def whole(x):
        return sum(weight * (x - at) ** 2 for weight, at in parts)

    def single(x):
        return float(importance["w"] * (x - centre["w"]) ** 2)

    assert importance.keys() == centre.keys() == {"w"}
    difference = torch.tensor(whole(here) - whole(there), dtype=torch.float64)
    found = torch.tensor(single(here) - single(there), dtype=torch.float64)
    torch.testing.assert_close(found, difference, rtol=1e-9, atol=1e-6)
