"""What all commands share: how they speak, and options they have in common."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

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
