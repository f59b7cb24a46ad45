"""The command that recomputes a sample of results."""

from pathlib import Path
from typing import Annotated

import typer

from cl_seg.cli.console import print_info


def certify(
    results: Annotated[
        Path, typer.Argument(help="Folder of finished or packed results.", show_default=False)
    ],
    stages: Annotated[int, typer.Option(min=1, help="Trainings to recompute, at most.")] = 8,
    suite: Annotated[
        Path | None, typer.Option(help="Suite of the results, where they do not say it.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Store to use instead of the suite's data.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of stages; without it all are computed anew.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that simulate data still missing.")
    ] = 1,
) -> None:
    """Recompute a sample of results and say whether they are the same; 1 if they are not.

    The verdict is added to certified.json beside the results, and shown in their report.
    """
    from cl_seg.suite.certify.certify import Wanted, certify

    certificate = certify(results, Wanted(stages, suite, data, cache, workers), print_info)
    print_info(certificate.text)
    if certificate.verdict == "different":
        raise typer.Exit(1)
