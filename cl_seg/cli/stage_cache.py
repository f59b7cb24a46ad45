"""``cl-seg cache``: the folder of finished stages."""

from pathlib import Path
from typing import Annotated

import typer

from cl_seg.cli.command_group import command_group
from cl_seg.cli.console import STAGES, CacheOption, print_answer, print_info
from cl_seg.cli.suite import DataOption, ProcessorOption
from cl_seg.messages.errors import InputError

app = command_group("List or delete finished stages.")


@app.command("ls")
def list_stages(cache: CacheOption = STAGES) -> None:
    """List finished stages with their sizes, and unfinished or damaged ones."""
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.summary import cache_lines

    for line in cache_lines(StageCache(cache)):
        print_answer(line)


@app.command("prune")
def prune(
    keep: Annotated[
        list[Path] | None,
        typer.Argument(help="Suite files whose stages to keep.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete all stages.")] = False,
    data: DataOption = None,
    cache: CacheOption = STAGES,
    processor: ProcessorOption = "",
) -> None:
    """Delete stages that the named suites do not need; results of finished runs stay."""
    from cl_seg.api.prune import prune_stages
    from cl_seg.api.suite import Suite

    if bool(keep) == everything:
        raise InputError("name the suites whose stages to keep, or give --all to delete all stages")
    removed, left = prune_stages([Suite(file, data) for file in keep or []], cache, processor)
    print_info(f"{removed / 1e6:.1f} MB deleted, {left / 1e6:.1f} MB kept in {cache}")
