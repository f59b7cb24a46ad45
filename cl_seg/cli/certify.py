"""The command that recomputes a sample of results."""

from pathlib import Path
from typing import Annotated

import typer

from cl_seg.cli.console import print_info


def certify(
    results: Annotated[
        Path, typer.Argument(help="Folder of finished or packed results.", show_default=False)
    ],
    stages: Annotated[
        int, typer.Option(min=1, help="Maximum number of trainings to recompute.")
    ] = 8,
    suite: Annotated[
        Path | None, typer.Option(help="Suite of the results, if they do not contain it.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Store to use in place of the suite's data.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of finished stages to reuse; default: recompute everything."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Parallel processes that simulate missing data.")
    ] = 1,
) -> None:
    """Recompute a sample of results and compare; exit code 1 if they differ.

    The verdict is added to certified.json in the results folder, and shown in the report.
    """
    from cl_seg.suite.certify.certify import CertifyOptions, certify

    certificate = certify(results, CertifyOptions(stages, suite, data, cache, workers), print_info)
    print_info(certificate.text)
    if certificate.verdict == "different":
        raise typer.Exit(1)
