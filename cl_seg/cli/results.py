"""Commands that read finished runs."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from cl_seg.cli.console import print_answer, print_error, print_info, print_output_path
from cl_seg.cli.outcome import OpenOption, print_outcome
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted

PAPER = Path("experiments/paper/claims.yaml")
ResultsFolder = Annotated[
    # One that may not be read is told with the remedy.
    Path, typer.Argument(readable=False, help="Folder of results.", show_default=False)
]


class Picture(StrEnum):
    """Extra formats of figures, besides SVG."""

    PDF = "pdf"
    PNG = "png"


def report(
    results: ResultsFolder,
    also: Annotated[
        list[Picture] | None, typer.Option(help="Extra format of figures, besides SVG; repeat.")
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="CSV file of published values to compare with.")
    ] = None,
    open_it: OpenOption = False,
) -> None:
    """Write report.html, tables and figures of finished runs, and show the summary."""
    from cl_seg.api.results import load_results

    print_outcome(load_results(results).report(also or [], published), open_it)


def best_settings(
    results: ResultsFolder,
    by: Annotated[
        Literal["validation", "test"],
        typer.Option(help="Slices to choose by; test only for suites with pool: development."),
    ] = "validation",
) -> None:
    """Choose the best settings of a grid by score; write selection.md and .csv."""
    from cl_seg.api.best_settings import write_best_settings

    lines, page = write_best_settings(results, by)
    print_info(lines)
    print_output_path("grid and choice", page)


def select(
    results: ResultsFolder,
) -> None:
    """Old name of ``best-settings``."""
    print_error("`cl-seg select` is now called `cl-seg best-settings`")
    best_settings(results)


def claims(
    results: Annotated[
        Path,
        typer.Argument(
            help="Folder that contains one results folder per suite.", show_default=False
        ),
    ],
    file: Annotated[Path, typer.Option("--claims", help="YAML file of claims.")] = PAPER,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    page: Annotated[
        bool, typer.Option("--report", help="Write claims.html, .md, .json and .svg into RESULTS.")
    ] = False,
) -> None:
    """Test claims on results: effect, interval and verdict of each claim."""
    from cl_seg.analysis.claims.judge import judge, results_of
    from cl_seg.analysis.claims.read import read_claims
    from cl_seg.analysis.claims.text import as_json as plain
    from cl_seg.analysis.claims.text import caveats_of_runs, claims_page

    if page and as_json:
        raise InputError("--report writes claims.json too: leave --json out")
    if file == PAPER and not file.is_file():
        raise InputError(f"{file} is not here: name a YAML file of claims with --claims")
    judged = judge(read_claims(file), results)
    if page:
        from cl_seg.analysis.claims.page import write_claims

        print_output_path("claims", write_claims(judged, results))
        return
    if as_json:
        sys.stdout.write(json.dumps(plain(judged), indent=1) + "\n")
        return
    runs = [run for own in results_of(judged, results).values() for run in own]
    sys.stdout.write(claims_page(judged, caveats_of_runs(runs)))


def compare(
    a: Annotated[Path, typer.Argument(help="Folder of results.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Another folder of results.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Compare two folders of results: differences of spec, and of scores with intervals."""
    from cl_seg.analysis.compare import compare_outcomes, compare_specs, comparison_page
    from cl_seg.records.load import load_results

    sides = load_results(a), load_results(b)
    if not as_json:
        print_answer(comparison_page(*sides).rstrip())
        return
    tables = {"spec": compare_specs(*sides), "outcome": compare_outcomes(*sides)}
    found = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def pack(
    results: ResultsFolder,
    out: Annotated[Path, typer.Argument(help="New folder.", show_default=False)],
) -> None:
    """Pack the numbers of finished runs into a few small files to share."""
    from cl_seg.records.packed import pack_results

    runs = pack_results(results, out)
    print_info(
        f"{counted(runs, 'run')}; cl-seg report, compare, claims and best-settings can read them"
    )
    print_output_path("packed results", out)


def unpack(
    packed: Annotated[Path, typer.Argument(help="Folder of packed results.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="New folder.", show_default=False)],
) -> None:
    """Unpack results into a folder that `cl-seg run` can continue from."""
    from cl_seg.records.packed import unpack_results

    runs = unpack_results(packed, out)
    print_info(
        f"{counted(runs, 'run')}; cl-seg run SUITE --results {out} computes the missing runs"
    )
    print_output_path("results", out)
