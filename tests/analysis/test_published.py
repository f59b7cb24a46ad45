"""What others have published, beside what was found here."""

from pathlib import Path

import pandas as pd
import pytest

from cl_seg.analysis.published import COLUMNS, TITLE, read_published
from cl_seg.analysis.report import write_report
from cl_seg.analysis.tools_table import COLUMNS as TOOL_COLUMNS
from cl_seg.files import InputError
from tests.analysis.test_report import NAIVE, ORDER, write_run

PAPER = Path(__file__).parents[2] / "experiments" / "paper"
HEAD = ",".join(COLUMNS)


def test_our_file_names_the_methods_of_the_suites_and_no_value() -> None:
    table = read_published(PAPER / "published.csv")
    assert table["dice"].isna().all(), "nothing of the study but its abstract is public"
    from cl_seg.models.declared import NETWORKS
    from cl_seg.semi_automatic.declared import TOOLS
    from cl_seg.suite.plan import load_suite

    for name, own in table.groupby("suite"):
        suite = load_suite(PAPER / f"{name}.yaml")
        titles = [NETWORKS[m.name].title for m in suite.models]
        titles += [TOOLS[t].title for t in suite.tools]
        assert list(own["method"]) == titles
        assert set(own["structure"]) == set(suite.classes)


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
        f"{HEAD}\nhand <made>,VNet,Naive,liver,0.75,a paper\nhand <made>,Clicks,,liver,,\n"
        "hand <made>,UNet,Naive,liver,0.5,a paper\nanother,VNet,Naive,liver,0.1,a paper\n"
    )
    write_report(tmp_path, published=published)
    text = (tmp_path / "summary.md").read_text().partition(f"## {TITLE}")[2].partition("##")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.split("\n")[4:7]]
    assert rows == [
        ["VNet", "Naive", "liver", "0.700", "0.750", "a paper"],
        ["Clicks", "", "liver", "0.250", "–", ""],
        ["UNet", "Naive", "liver", "–", "0.500", "a paper"],
    ]
    assert TITLE in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("suite,method\n", "lacks the column strategy"),
        (f"{HEAD}\ns,VNet,Joint,liver,95,a paper\n", "line 2: dice is '95'"),
        (f"{HEAD}\ns,VNet,Joint,liver,high,a paper\n", "line 2: dice is 'high'"),
        (f"{HEAD}\ns,VNet,Joint,liver,,\ns,VNet,Joint,liver,0.9,\n", "line 3: a published Dice"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_file_at_fault_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "published.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_published(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_published(tmp_path / "published.csv")
