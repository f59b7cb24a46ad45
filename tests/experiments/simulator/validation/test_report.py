import json
from pathlib import Path

import pytest

from cl_seg.phantom.profiles import load_profile, profile_names
from experiments.simulator.validation import report
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.report import (
    as_markdown,
    scanner_cells,
    stated_error,
    tissue_table,
    write_report,
)

ROOT = Path(__file__).parents[4]
COMMITTED = ROOT / "results" / "reference" / "simulator" / "validation.md"

PASSED = Check(Law.WATER, "toy", 0.5, 0, 1, "HU")
FAILED = Check(Law.ATTENUATION, "liver, native", 40, 58.8, 10.8, "HU", source="Somebody 2010")


@pytest.fixture
def drawn(monkeypatch):
    """Without scanning."""
    monkeypatch.setattr(report, "pictures", lambda names: names)
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


def in_bodies(*hu):
    cases = ("muscle", "liver", "subcutaneous fat")
    return [
        Check(Law.IN_BODIES, f"stress_native, {tissue}", value, value + 1, 4, "HU")
        for tissue, value in zip(cases, hu, strict=True)
    ]


def test_a_scanner_has_a_row_of_tissues_with_what_it_states():
    table = tissue_table([PASSED, *in_bodies(31.4, -0.4, -103.0)]).splitlines()
    assert table[0].endswith("| stated error | muscle | liver | subcutaneous fat |")
    assert table[2:] == [
        "| `stress_native` | native | 120 | −8 HU | 31 (32) | 0 (1) | −103 (−102) |"
    ]
    assert tissue_table([PASSED]) == ""
    assert "31 (32)" in as_markdown(in_bodies(31.4, 41, -103), "")


@pytest.mark.parametrize(
    ("gain", "offset", "said"),
    [(1.0, 0.0, "none"), (1.0, 9.0, "+9 HU"), (0.97, -10.0, "× 0.97, −10 HU"), (0.97, 0, "× 0.97")],
)
def test_the_error_a_profile_states_in_words(gain, offset, said):
    settings = load_profile("ge_like").reconstruction
    assert stated_error(settings.model_copy(update={"hu_gain": gain, "hu_offset": offset})) == said


def committed_table():
    section = COMMITTED.read_text().partition("## Tissues on every scanner")[2]
    return "\n".join(line for line in section.partition("\n## ")[0].splitlines() if "|" in line)


@pytest.mark.parametrize("page", ["simulator.md", "data-card.md"])
def test_the_documents_hold_the_table_that_the_command_gave(page):
    assert committed_table() and committed_table() in (ROOT / "docs" / page).read_text()


def test_the_committed_table_is_of_the_profiles_as_they_are():
    rows = committed_table().splitlines()[2:]
    told = [tuple(cell.strip() for cell in row.split("|")[1:5]) for row in rows]
    assert told == [scanner_cells(name) for name in profile_names()]
