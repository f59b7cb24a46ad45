"""``cl-seg contract`` and ``check-plugin``: whether strategies work on segmentation masks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cl_seg.cli.console import escape_for_terminal, out, print_error, print_json, progress
from cl_seg.files.write import write_text
from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="Network to check on; repeat; default: those of the study."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def contract(
    strategies: Annotated[
        list[str] | None, typer.Argument(help="Strategies; default: all.", show_default=False)
    ] = None,
    models: Models = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Also write the results to this JSON file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that every strategy works on segmentation masks, on several networks."""
    from cl_seg.api.contract import check_strategies

    with progress("Checks") as on_progress:
        checks = check_strategies(strategies or [], models or [], on_progress)
    if out_file:
        write_text(out_file, checks.to_json(orient="records", indent=1) + "\n")
    if as_json:
        print_json(checks)
    else:
        _print_matrix(checks)
    failed = checks[checks["status"] == "failed"]
    if len(failed):
        pairs = dict.fromkeys(f"{c['strategy']} on {c['network']}" for _, c in failed.iterrows())
        print_error("checks failed: " + ", ".join(pairs))
        raise typer.Exit(1)


def check_plugin(
    plugin: Annotated[
        str, typer.Argument(help="module:callable of an Avalanche plugin.", show_default=False)
    ],
    settings: Annotated[
        str, typer.Option(help="Its keyword arguments, as in a suite: {alpha: 0.5}.")
    ] = "{}",
    model: Annotated[str, typer.Option(help="Network to check on.")] = "unet",
    as_json: AsJson = False,
) -> None:
    """Check that any Avalanche plugin works on segmentation masks."""
    from cl_seg.api.contract import check_plugin as check

    arguments = YamlFile.of_text(settings, Path("--settings")).value
    if not isinstance(arguments, dict):
        raise InputError(f"--settings {settings}: expected keyword arguments, as in {{alpha: 0.5}}")
    checks = check(plugin, arguments, model=model)
    if as_json:
        print_json(checks)
    else:
        table = Table("check", "status", "", box=None)
        for _, c in checks.iterrows():
            table.add_row(c["check"], c["status"], escape_for_terminal(c["detail"]))
        out.print(table)
    failed = checks.loc[checks["status"] == "failed", "check"]
    if len(failed):
        print_error(f"{plugin} failed: " + ", ".join(failed))
        raise typer.Exit(1)


def _print_matrix(checks: "pd.DataFrame") -> None:
    from cl_seg.models.registry import NETWORKS
    from cl_seg.strategies.registry import STRATEGIES

    networks = list(dict.fromkeys(checks["network"]))
    table = Table("strategy", *(NETWORKS[n].title for n in networks), box=None)
    for name, of_strategy in checks.groupby("strategy", sort=False):
        cells = (_cell(of_strategy[of_strategy["network"] == network]) for network in networks)
        table.add_row(STRATEGIES[str(name)].title, *cells)
    out.print(table)
    out.print("passed: all checks; refused: the strategy could have no effect on this network")


def _cell(checks: "pd.DataFrame") -> str:
    failed = checks.loc[checks["status"] == "failed", "check"]
    if len(failed):
        return "failed: " + ", ".join(failed)
    return "refused" if set(checks["status"]) == {"refused"} else "passed"
