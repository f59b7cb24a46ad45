"""The outcome of a suite on screen: the first table of its report, and the page in a browser."""

import re
import webbrowser
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cl_seg.cli.console import (
    escape_for_terminal,
    print_error,
    print_output_path,
    print_table,
)

OpenOption = Annotated[bool, typer.Option("--open", help="Open the report in a browser.")]
SUMMARY = "summary.md"
SHORT = ("model", "strategy", "verdict", "runs", "ACC", "BWT", "plasticity")


def print_outcome(report: Path, open_it: bool = False) -> None:
    """Print the summary and the path of a report, and open it if asked to."""
    print_table(summary_on_screen((report.parent / SUMMARY).read_text(encoding="utf-8")))
    print_output_path("report", report)
    if open_it and not webbrowser.open(report.resolve().as_uri()):
        print_error(f"found no browser to open {report} with")


def summary_on_screen(text: str) -> Table:
    """The first table of ``summary.md``, of a stream the columns that fit on a screen.

    Args:
        text: that begins with a table in Markdown.
    """
    header, _, *rows = (
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in takewhile(lambda line: line.startswith("|"), text.splitlines())
    )
    shown = [i for i, name in enumerate(header) if name in SHORT or "ACC" not in header]
    table = Table(*(header[i] for i in shown), box=None)
    for row in rows:
        table.add_row(*(escape_for_terminal(row[i]) for i in shown))
    return table
