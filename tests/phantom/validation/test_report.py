import json

import pytest

from cl_seg.phantom.validation import report
from cl_seg.phantom.validation.checks import Check, Law
from cl_seg.phantom.validation.report import as_markdown, write_report

PASSED = Check(Law.WATER, "toy", 0.5, 0, 1, "HU")
FAILED = Check(Law.ATTENUATION, "liver, native", 40, 58.8, 10.8, "HU", source="Somebody 2010")


@pytest.fixture
def drawn(monkeypatch):
    """Without scanning."""
    monkeypatch.setattr(report, "pictures", lambda names, on_progress: names)
    monkeypatch.setattr(report, "gallery_png", lambda found: b"png")


def test_the_text_says_what_was_run_found_and_cited():
    text = as_markdown([PASSED, FAILED], "cl-seg something")
    assert "**1 of 2 checks failed.**" in text
    assert "simulated" in text and "cl-seg something" in text and "numpy " in text
    assert "| liver, native | 40 HU | 58.8 HU | ± 10.8 HU | FAIL | Somebody 2010 |" in text
    assert "All 1 checks passed." in as_markdown([PASSED], "")


def test_without_bodies_nothing_is_compared_with_patients():
    assert "Not measured." in as_markdown([PASSED], "")


@pytest.mark.usefixtures("drawn")
def test_every_file_is_written_and_others_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write_report([PASSED, FAILED], tmp_path, "")
    names = {path.name for path in tmp_path.iterdir()}
    pages = {f"validation.{ending}" for ending in ("md", "json", "svg", "pdf")}
    assert names == pages | {"scanners.png", "mine.txt"}
    assert json.loads((tmp_path / "validation.json").read_text())["passed"] is False


@pytest.mark.usefixtures("drawn")
def test_the_same_checks_are_the_same_files(tmp_path):
    for name in "ab":
        write_report([PASSED, FAILED], tmp_path / name, "")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
