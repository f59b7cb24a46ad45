"""What all commands share: how they speak, and options they have in common."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
Workers = Annotated[int, typer.Option(min=1, help="Processes working side by side.")]


def say(text: str) -> None:
    """Print a line as it is."""
    out.print(escape(text), soft_wrap=True)


def complain(text: str) -> None:
    """Print a message to standard error, line by line."""
    for line in text.splitlines():
        err.print(f"[red]cl-seg:[/red] {escape(line)}")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; call with the number of steps done and of all."""
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
