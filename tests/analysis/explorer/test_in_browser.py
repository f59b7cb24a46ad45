"""The report in a real browser: opened, filtered, clicked, and read without JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cl_seg.analysis.report.write import write_report
from tests.browser import CHROMIUM, Browser, browser
from tests.records.factory import NAIVE, write_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium (Debian: chromium)"),
]
KEEPS = [[0.1, 0.2], [0.9, 0.5], [0.88, 0.8]]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("results")
    write_run(results, "Naive", NAIVE)
    write_run(results, "Replay", KEEPS)
    write_run(results, "Joint", [[0.1, 0.2], [0.9, 0.9]])
    return write_report(results)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
def report(opened: Browser, page: Path) -> Browser:
    opened.errors.clear()
    opened.requests.clear()
    opened.look(1280, 900)
    opened.open(page)
    opened.wait("document.querySelector('.chart svg')")
    return opened


def tab(name: str) -> str:
    return f"document.querySelector('#tab-{name}')"


TEXT = "document.querySelector('.chart').textContent"


def test_it_opens_without_network_or_errors(report: Browser) -> None:
    assert "Replay" in report.value(TEXT)
    assert all(url.startswith(("file:", "data:")) for url in report.requests)
    assert report.errors == []


def test_filters_change_the_figures(report: Browser) -> None:
    report.click("document.querySelectorAll('.filter summary')[1]")
    report.click("document.querySelector('input[data-name=Replay]')")
    report.wait(f"!{TEXT}.includes('Replay')")
    assert "Naive" in report.value(TEXT)
    report.click("document.querySelector('.filter[open] .choices button:last-child')")
    report.wait(f"{TEXT}.includes('Nothing is chosen')")


def test_a_click_on_a_cell_of_r_shows_its_cases(report: Browser) -> None:
    report.click(tab("matrix"))
    cell = "[...document.querySelectorAll('.chart svg text')].find(t => t.textContent === '0.60')"
    report.wait(cell)
    report.click(cell)
    report.wait("document.querySelector('.cell')")
    said = report.value("document.querySelector('.cell').textContent")
    assert said.startswith("VNet · Naive on Scanner A after Scanner B: Dice 0.600")
    assert "+0.300" in report.value("document.querySelector('table.cases').textContent")


def test_a_pointer_shows_the_value_with_its_interval(report: Browser) -> None:
    report.click(tab("matrix"))
    cell = "[...document.querySelectorAll('.chart svg text')].find(t => t.textContent === '0.60')"
    report.wait(cell)
    report.hover(cell)
    report.wait("document.querySelector('#vg-tooltip-element')?.textContent.includes('0.600')")


def test_contours_follow_the_slider_and_the_switches(report: Browser) -> None:
    report.click(tab("cases"))
    report.wait("document.querySelector('.slice svg .found path')")
    report.click("document.querySelector('[data-toggle=truth]')")
    report.wait("!document.querySelector('.slice svg .truth')")
    before = report.value("document.querySelector('.stage output').textContent")
    report.value("document.querySelector('.stage input').focus()")
    report.press("ArrowLeft")
    report.wait(f"document.querySelector('.stage output').textContent !== {before!r}")


def test_tabs_answer_to_arrow_keys(report: Browser) -> None:
    report.value(f"{tab('curves')}.focus()")
    report.press("ArrowRight")
    report.wait(f"{tab('matrix')}.getAttribute('aria-selected') === 'true'")


def test_tables_are_sorted_by_their_headings(report: Browser) -> None:
    heads = "[...document.querySelectorAll('#summary ~ .wide table')][0]"
    report.click(f"[...{heads}.querySelectorAll('th button')].find(b => b.textContent === 'ACC')")
    column = f"[...{heads}.tBodies[0].rows].map(r => r.cells[1].textContent)"
    assert report.value(column) == ["Naive", "Replay", "Joint"]
    report.click(f"[...{heads}.querySelectorAll('th button')].find(b => b.textContent === 'ACC')")
    assert report.value(column) == ["Joint", "Replay", "Naive"]


@pytest.mark.parametrize("width", [1280, 700])
def test_the_page_is_as_wide_as_the_window_light_and_dark(report: Browser, width: int) -> None:
    for dark in (False, True):
        report.look(width, 900, dark)
        assert report.value("document.documentElement.scrollWidth") <= width


def test_without_javascript_it_is_the_static_report(opened: Browser, page: Path) -> None:
    opened.open(page, scripts=False)
    assert opened.value("document.querySelectorAll('figure > svg').length") > 3
    assert opened.value("document.querySelector('#explore').hidden")
    assert "Fine-tuned from scanner" in opened.value("document.body.textContent")
