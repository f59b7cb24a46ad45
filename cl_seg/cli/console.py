"""What all commands share: how they speak, and options they have in common."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
Workers = Annotated[int, typer.Option(min=1, help="Processes working side by side.")]
AllowImplausibleHu = Annotated[
    bool,
    typer.Option(
        "--allow-implausible-hu", help="Take images whose values cannot be HU as they are."
    ),
]


class Others(StrEnum):
    """What label values are that nothing names."""

    ERROR = "error"
    BACKGROUND = "background"
    IGNORE = "ignore"


OthersOption = Annotated[
    Others,
    typer.Option(
        "--others",
        help="What is labelled otherwise: an error, background, or ignore for what nobody knows.",
    ),
]


def shown(text: str) -> str:
    """Text of others as it is printed: no markup, and nothing that would steer the terminal."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else _named(c) for c in text))


def _named(character: str) -> str:
    return character.encode("unicode_escape").decode()


def say(text: str) -> None:
    """Print a line as it is."""
    out.print(shown(text), soft_wrap=True)


def complain(text: str) -> None:
    """Print a message to standard error, line by line."""
    for line in text.splitlines():
        err.print(f"[red]cl-seg:[/red] {shown(line)}")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; call with the number of steps done and of all."""
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
