import re

import numpy as np
import pytest

from cl_seg.files import InputError
from cl_seg.phantom.validation.checks import Check, Curve, Law
from cl_seg.phantom.validation.hu_laws import SAMPLES
from cl_seg.phantom.validation.page import draw, write_page

X = np.linspace(0.01, 1, 20)


def made_up():
    hu = Curve("120 kV", np.arange(float(len(SAMPLES))), *[np.full(len(SAMPLES), 50.0)] * 2)
    dose = Curve("mAs", np.array([45.0, 90, 180]), *[np.array([20, 14.1, 10])] * 2)
    slices = Curve("mm", np.array([1.0, 5]), *[np.array([22.0, 10])] * 2)
    fall = Curve("toy_like", X, 1 - X, 1 - X)
    power = Curve("toy_like", X, X * (1 - X), X * (1 - X))
    return [
        Check(Law.HU, "liver, 120 kV", 53.0, 50, 2, "HU", curve=hu),
        Check(Law.UNIFORMITY, "toy_like", 3, 0, 5, "HU", curve=fall),
        Check(Law.DOSE, "fitted exponent", -0.5, -0.5, 0.02, "", curve=dose),
        Check(Law.SLICE, "fitted exponent", -0.49, -0.5, 0.02, "", curve=slices),
        Check(Law.SHARPNESS, "toy_like, MTF50", 0.5, 0.5, 0.05, "1/mm", "relative", fall),
        Check(Law.SHARPNESS, "toy_like, MTF10", 0.9, 0.9, 0.05, "1/mm", "relative", fall),
        Check(Law.SPECTRUM, "toy_like, peak", 0.5, 0.5, 0.02, "1/mm", curve=power),
    ]


def lines(figure, panel):
    return figure.axes[panel].get_lines()


def test_the_page_draws_what_was_measured():
    figure = draw(made_up())
    assert "Simulated" in figure.get_suptitle()
    assert lines(figure, 0)[0].get_ydata().tolist() == [0] * len(SAMPLES)  # residuals
    np.testing.assert_array_equal(lines(figure, 4)[0].get_ydata(), 1 - X)
    assert list(lines(figure, 4)[1].get_xdata()) == [0.5, 0.9]  # targets
    assert lines(figure, 5)[0].get_ydata().max() == pytest.approx(1)
    cells = figure.axes[6].tables[0].get_celld()
    assert cells[1, 0].get_text().get_text() == str(Law.HU)
    assert cells[1, 1].get_text().get_text() == "0 of 1"
    assert cells[1, 0].get_text().get_weight() == "bold"
    assert cells[2, 0].get_text().get_weight() == "normal"


def test_no_letter_is_smaller_than_8_points():
    sizes = [text.get_fontsize() for text in draw(made_up()).findobj(match=_is_text)]
    assert min(sizes) >= 8


def _is_text(artist):
    return hasattr(artist, "get_fontsize")


@pytest.mark.parametrize("ending", [".svg", ".pdf", ".png"])
def test_the_same_measurements_are_the_same_file(tmp_path, ending):
    paths = [tmp_path / f"{name}{ending}" for name in "ab"]
    for path in paths:
        write_page(made_up(), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not re.search(rb"20\d\d-\d\d-\d\dT", paths[0].read_bytes())


def test_laws_that_were_not_measured_leave_their_panel_empty(tmp_path):
    assert not draw(made_up()[:1]).axes[2].axison


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.svg, \.pdf, \.png"):
        write_page(made_up(), tmp_path / "page.doc")
    assert not list(tmp_path.iterdir())
