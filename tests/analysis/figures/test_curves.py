"""What curves over the stream are computed from."""

import numpy as np
import pytest

from cl_seg.analysis.figures.curves import forgetting_curves, order_fans
from tests.records.factory import NAIVE, run_result


def test_a_fan_has_a_line_per_order_and_their_mean() -> None:
    other = [[0.2, 0.1], [0.8, 0.5], [0.7, 0.9]]
    back = run_result(other, spec={"order": ["b", "a"]})
    figure = order_fans([run_result(NAIVE), back])
    assert figure is not None
    (axes,) = figure.axes
    lines = np.array([line.get_ydata() for line in axes.lines])
    assert lines == pytest.approx(np.array([[0.9, 0.7], [0.8, 0.8], [0.85, 0.75]]))


def test_every_network_has_an_axis_around_what_comes_after_learning() -> None:
    flat = [[0.1, 0.2], [0.97, 0.3], [0.98, 0.99]]
    figure = forgetting_curves([run_result(flat), run_result(NAIVE, model="UNet")])
    assert figure is not None
    limits = [axes.get_ylim() for axes in figure.axes]
    assert limits[0] == limits[1] == pytest.approx((0.9, 1.0))
    assert limits[2] == limits[3] == pytest.approx((0.6, 0.9))
