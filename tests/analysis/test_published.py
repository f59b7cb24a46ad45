"""What others have published, beside what was found here."""

import re
from pathlib import Path

import pandas as pd
import pytest

from cl_seg.analysis.published import COLUMNS, read_published
from cl_seg.analysis.report.other_methods import PUBLISHED_TITLE as TITLE
from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tools_table import SCORES as TOOL_COLUMNS
from cl_seg.messages.errors import InputError
from tests.records.factory import NAIVE, ORDER, write_run

PAPER = Path(__file__).parents[2] / "experiments" / "paper"
HEAD = ",".join(COLUMNS)


def test_our_file_names_the_methods_of_the_suites_and_no_value() -> None:
    from cl_seg.models.registry import NETWORKS
    from cl_seg.planning.checked_suite import parse_suite
    from cl_seg.semi_automatic.registry import TOOLS

    table = read_published(PAPER / "published.csv")
    assert not [one for one in table if one.dice], "nothing of the study but its abstract is public"
    for name in ("table_muscle", "table_liver"):
        suite = parse_suite(PAPER / f"{name}.yaml")
        expected = [
            (NETWORKS[m.name].title, "Joint", c) for m in suite.models for c in suite.classes
        ]
        expected += [(TOOLS[t].title, "", TOOLS[t].structure) for t in suite.tools]
        own = [one for one in table if one.suite == name]
        assert [(one.method, one.strategy, one.structure) for one in own] == expected


def test_published_values_are_set_beside_ours(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    cases = {
        "tool": "Clicks",
        "class": "liver",
        "scanner": ORDER,
        "patient": "p",
        "case": ["p@a", "p@b"],
        "true": 1,
        **dict.fromkeys(TOOL_COLUMNS, 0.25),
    }
    (tmp_path / "tools").mkdir()
    pd.DataFrame(cases).to_csv(tmp_path / "tools" / "clicks.csv", index=False)
    published = tmp_path / "published.csv"
    published.write_text(
        f"{HEAD}\nhand <made>,VNet,Naive,liver,0.9,a | b\n\nhand <made>,Clicks,,liver,,\n"
        "another,VNet,Naive,liver,0.1,a paper\n"
    )
    write_report(tmp_path, published=published)
    text = (tmp_path / "summary.md").read_text().partition(f"## {TITLE}")[2].partition("##")[0]
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.split("\n")
    ]
    assert rows[4:6] == [
        ["VNet", "Naive", "liver", "0.700", "0.9", "a \\| b"],
        ["Clicks", "", "liver", "0.250", "–", ""],
    ]
    assert TITLE in (tmp_path / "report.html").read_text()


def test_a_form_without_a_value_makes_no_table(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    published = tmp_path / "published.csv"
    published.write_text(f"{HEAD}\nhand <made>,VNet,Naive,liver,,not public\n")
    write_report(tmp_path, published=published)
    assert TITLE not in (tmp_path / "summary.md").read_text()


def test_a_line_that_fits_no_row_says_what_there_is(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    published = tmp_path / "published.csv"
    published.write_text(f"{HEAD}\nhand <made>,V-Net,Naive,liver,0.9,a paper\n")
    with pytest.raises(InputError, match="no V-Net Naive liver; it has VNet Naive liver"):
        write_report(tmp_path, published=published)
    assert not (tmp_path / "report.html").exists()


def test_a_suite_that_is_almost_ours_is_told(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE)
    published = tmp_path / "published.csv"
    published.write_text(f"{HEAD}\nhand <mad>,VNet,Naive,liver,0.9,a paper\n")
    write_report(tmp_path, published=published)
    text = (tmp_path / "summary.md").read_text()
    assert "No published value is of hand <made>; some are of hand <mad>." in text
    published.write_text(f"{HEAD}\ntable_liver,VNet,Naive,liver,0.9,a paper\n")
    write_report(tmp_path, published=published)
    assert "published" not in (tmp_path / "summary.md").read_text()


def test_scores_that_are_not_defined_are_not_shown(tmp_path: Path) -> None:
    write_run(tmp_path, "Single", NAIVE, schedule="single")
    published = tmp_path / "published.csv"
    published.write_text(f"{HEAD}\nhand <made>,VNet,Single,liver,0.9,a paper\n")
    with pytest.raises(InputError, match="has no VNet Single liver"):
        write_report(tmp_path, published=published)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("suite,method\n", "lacks the columns strategy.*first line suite,method"),
        (
            f"{HEAD}\ns,VNet,Joint,liver,95,a paper\n",
            ":2: dice: expected 0 to 1.*, not '95",
        ),
        (
            f"{HEAD}\ns,VNet,Joint,liver,high,a paper\n",
            ":2: dice: expected 0 to 1.*, not 'high",
        ),
        (f"{HEAD}\n\ns,VNet,Joint,liver,0.9,\n", ":3: source: a published Dice"),
        (
            f"{HEAD}\ns,VNet,Joint,liver,0.9,1,2024\n",
            ":2: 7 entries, expected one per column",
        ),
        (f"{HEAD}\ns,VNet,Joint,liver\n", ":2: 4 entries"),
        (f"{HEAD}\n" + 2 * "s,VNet,Joint,liver,,\n", ":3: s, VNet, Joint, liver is there"),
        ("", "expected a first line suite"),
    ],
)
def test_a_file_at_fault_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "published.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_published(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_published(tmp_path / "published.csv")
