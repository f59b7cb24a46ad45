"""Printing of all commands, and the options they share."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from cl_seg.messages.progress import progress_console, show_progress

if TYPE_CHECKING:
    import pandas as pd

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

Workers = Annotated[int, typer.Option(min=1, help="Number of parallel processes.")]
AllowImplausibleHu = Annotated[
    bool,
    typer.Option(
        "--allow-implausible-hu", help="Accept images whose values cannot be HU, unchanged."
    ),
]
CacheOption = Annotated[
    Path,
    typer.Option("--cache", help="Folder of finished stages; suites and machines can share it."),
]
STAGES = Path("data/stages")


class Others(StrEnum):
    """Meaning of label values that no --label names."""

    ERROR = "error"
    BACKGROUND = "background"
    IGNORE = "ignore"


OthersOption = Annotated[
    Others,
    typer.Option(
        "--others",
        help="Meaning of values that no --label names: error, background or ignore (unknown).",
    ),
]


class Verbosity(IntEnum):
    """How much a command prints."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class _Output:
    level = Verbosity.NORMAL


def set_verbosity(level: Verbosity) -> None:
    """Set how much commands print."""
    _Output.level = level
    show_progress(level is not Verbosity.QUIET)


def is_quiet() -> bool:
    """Whether only errors and output paths are printed."""
    return _Output.level is Verbosity.QUIET


def escape_for_terminal(text: str) -> str:
    """Untrusted text, escaped for the terminal: no markup and no control characters."""
    return escape(
        "".join(c if c.isprintable() or c in "\n\t" else _escape_character(c) for c in text)
    )


def _escape_character(character: str) -> str:
    return character.encode("unicode_escape").decode()


def print_answer(text: str) -> None:
    """Print the answer of a command, even if it is quiet."""
    out.print(escape_for_terminal(text), soft_wrap=True)


def print_json(table: "pd.DataFrame") -> None:
    """Print the rows of a table as JSON."""
    rows = json.loads(table.to_json(orient="records"))
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")


def print_info(text: str) -> None:
    """Print a line about progress or outcome, unless the command is quiet."""
    if not is_quiet():
        print_answer(text)


def print_table(table: Table) -> None:
    """Print a table about the outcome, unless the command is quiet."""
    if not is_quiet():
        out.print(table)


def print_detail(text: str) -> None:
    """Print a line only with ``--verbose``."""
    if _Output.level is Verbosity.VERBOSE:
        print_answer(text)


def print_output_path(name: str, path: Path | str) -> None:
    """Print the path of an output; a quiet command prints nothing else."""
    print_answer(str(path) if is_quiet() else f"{name}: {path}")


def print_error(text: str) -> None:
    """Print a message to standard error, line by line."""
    for line in text.splitlines():
        err.print(f"[red]cl-seg:[/red] {escape_for_terminal(line)}")


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; yields ``on_progress(done, total)``."""
    with Progress(console=progress_console(), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
