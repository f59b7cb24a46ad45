import re

import numpy as np
import pytest

from cl_seg.messages.errors import InputError
from experiments.simulator.validation.checks import Check, Curve, Law
from experiments.simulator.validation.hu_laws import SAMPLES
from experiments.simulator.validation.page import draw, write_page

X = np.linspace(0.01, 1, 20)
AGES = np.linspace(30, 80, 12)


def made_up():
    hu = Curve("120 kV", np.arange(float(len(SAMPLES))), *[np.full(len(SAMPLES), 50.0)] * 2)
    dose = Curve("mAs", np.array([45.0, 90, 180]), *[np.array([20, 14.1, 10])] * 2)
    slices = Curve("mm", np.array([1.0, 5]), *[np.array([22.0, 10])] * 2)
    area = Curve("muscle, men", AGES, 200 - AGES, np.full(12, 148.0))
    dark = Curve("muscle HU, women", AGES, 60 - AGES / 2, 60 - AGES / 2)
    checks = [
        Check(Law.HU, "liver, 120 kV", 53.0, 50, 2, "HU", curve=hu),
        Check(Law.DOSE, "fitted exponent", -0.5, -0.5, 0.02, "", curve=dose),
        Check(Law.SLICE, "fitted exponent", -0.49, -0.5, 0.02, "", curve=slices),
        Check(Law.COMPOSITION, "median muscle, men", 145, 148, 0.1, "cm²", "relative", area),
        Check(Law.COMPOSITION, "muscle HU per decade, women", -5, -3.6, None, "HU", curve=dark),
        Check(Law.ATTENUATION, "liver, native", 55, 58.8, 10.8, "HU"),
    ]
    for name in ("stress_toy", "toy_like"):
        level, fall, power = (Curve(name, X, y, y) for y in (X * 0, 1 - X, 2 * X * (1 - X)))
        checks += [
            Check(Law.UNIFORMITY, name, 3, 0, 5, "HU", curve=level),
            Check(Law.SHARPNESS, f"{name}, MTF50", 0.5, 0.5, 0.05, "1/mm", "relative", fall),
            Check(Law.SHARPNESS, f"{name}, MTF10", 0.9, 0.9, 0.05, "1/mm", "relative", fall),
            Check(Law.SPECTRUM, f"{name}, at 0 / peak", 0, 0, 0.15, "", curve=power),
            Check(Law.SPECTRUM, f"{name}, peak", 0.5, 0.5, 0.02, "1/mm", curve=power),
        ]
    return checks


def panel(figure, letter):
    return next(axes for axes in figure.axes if axes.get_title("left").startswith(f"{letter}  "))


def lines(figure, letter):
    return panel(figure, letter).get_lines()


def test_the_page_draws_what_was_measured():
    figure = draw(made_up())
    assert "Simulated" in figure.get_suptitle()
    assert lines(figure, "a")[0].get_ydata().tolist() == [0] * len(SAMPLES)  # residuals
    theory, measured, targets = lines(figure, "e")[:3]
    np.testing.assert_array_equal(theory.get_ydata(), measured.get_ydata())
    assert np.ptp(measured.get_ydata()) == pytest.approx(0.8 * 0.99)
    assert list(targets.get_xdata()) == [0.5, 0.9]
    assert lines(figure, "g")[0].get_ydata() == pytest.approx([145, 145])  # the median
    np.testing.assert_array_equal(lines(figure, "h")[0].get_ydata(), 60 - AGES / 2)
    assert lines(figure, "i")[0].get_xdata() == pytest.approx([-3.8])


def test_the_table_holds_every_law_and_failures_are_bold():
    cells = panel(draw(made_up()), "j").tables[0].get_celld()
    assert cells[1, 0].get_text().get_text() == str(Law.HU)
    assert cells[1, 1].get_text().get_text() == "0 of 1"
    assert cells[1, 0].get_text().get_weight() == "bold"
    assert cells[2, 0].get_text().get_weight() == "normal"
    assert max(row for row, _ in cells) == 8


def test_every_scanner_has_a_row_realistic_ones_first():
    axes = panel(draw(made_up()), "d")
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["toy_like", "stress_toy"]
    colours = {label.get_color() for label in axes.get_yticklabels()}
    assert len(colours) == 2
    assert [text.get_text() for text in axes.texts] == ["3.0", "3.0"]


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


def test_laws_that_were_not_measured_leave_their_panel_empty():
    figure = draw(made_up()[:1])
    assert [panel(figure, letter).axison for letter in "abcghi"] == [True] + [False] * 5


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.svg, \.pdf, \.png"):
        write_page(made_up(), tmp_path / "page.doc")
    assert not list(tmp_path.iterdir())
