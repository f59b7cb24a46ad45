"""The summary on screen, and the report in a browser."""

import webbrowser
from pathlib import Path

import pytest
from rich.console import Console

from cl_seg.cli.outcome import print_outcome, summary_on_screen

SUMMARY = """\
| model | strategy | verdict | runs | ACC | BWT | FWT | plasticity | false positive rate |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| UNet | Naive \\| mine [bold] |  | 2 | 0.712 ± 0.050 | -0.104 ± 0.020 | +0.3 | 0.801 | 0.1 |

- A note.

## Costs

| model | steps |
"""


def on_screen(text: str, width: int = 100) -> list[str]:
    console = Console(width=width)
    with console.capture() as shown:
        console.print(summary_on_screen(text))
    return shown.get().splitlines()


def test_the_columns_that_fit_are_shown_as_they_are() -> None:
    header, row = on_screen(SUMMARY)
    assert header.split() == ["model", "strategy", "verdict", "runs", "ACC", "BWT", "plasticity"]
    assert "Naive | mine [bold]" in row and "0.712 ± 0.050" in row and "-0.104 ± 0.020" in row


def test_tables_of_other_suites_are_shown_whole() -> None:
    header, _ = on_screen("| scanner | before |\n| --- | --- |\n| GE | 0.5 |\n\n| more |")
    assert header.split() == ["scanner", "before"]


def test_the_report_is_opened_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "summary.md").write_text(SUMMARY)
    report, opened = tmp_path / "report.html", list[str]()
    monkeypatch.setattr(webbrowser, "open", lambda page: opened.append(page) or len(opened) == 1)
    print_outcome(report)
    assert not opened and "report: " in capsys.readouterr().out
    print_outcome(report, open_it=True)
    assert opened == [report.as_uri()] and "no browser" not in capsys.readouterr().err
    print_outcome(report, open_it=True)
    assert "found no browser" in capsys.readouterr().err
