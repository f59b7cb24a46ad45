"""What curves over the stream are computed from."""

from pathlib import Path

import numpy as np
import pytest

from cl_seg.analysis.figures.curves import order_fans
from cl_seg.records.results import load_results
from tests.analysis.test_report import NAIVE, SPEC, write_run


def test_a_fan_has_a_line_per_order_and_their_mean(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    other = [[0.2, 0.1], [0.8, 0.5], [0.7, 0.9]]
    write_run(tmp_path, "Back", other, spec={**SPEC, "order": ["b", "a"]})
    loaded = load_results(tmp_path)
    loaded[-1].record["strategy"] = "Naive"
    figure = order_fans([loaded[0], loaded[-1]])
    assert figure is not None
    (axes,) = figure.axes
    lines = np.array([line.get_ydata() for line in axes.lines])
    assert lines == pytest.approx(np.array([[0.9, 0.7], [0.8, 0.8], [0.85, 0.75]]))
