"""``cl-seg contract`` and ``check-plugin``: hold strategies to the contract for dense targets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cl_seg.cli.console import out, print_error, print_json, progress
from cl_seg.files.write import write_text
from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Models = Annotated[
    list[str] | None, typer.Option("--model", help="Network; repeat; all by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def contract(
    strategies: Annotated[
        list[str] | None, typer.Argument(help="Strategies; all by default.", show_default=False)
    ] = None,
    models: Models = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="JSON file to write beside the table.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every strategy to the contract for masks, on every network."""
    from cl_seg.api.contract import check_strategies

    with progress("Contract") as on_progress:
        points = check_strategies(strategies or [], models or [], on_progress)
    if out_file:
        write_text(out_file, points.to_json(orient="records", indent=1) + "\n")
    if as_json:
        print_json(points)
    else:
        _show_matrix(points)
    broken = points[~points["kept"]]
    if len(broken):
        pairs = dict.fromkeys(f"{p['strategy']} on {p['network']}" for _, p in broken.iterrows())
        print_error("the contract is broken by " + ", ".join(pairs))
        raise typer.Exit(1)


def check_plugin(
    plugin: Annotated[
        str, typer.Argument(help="module:callable of an Avalanche plugin.", show_default=False)
    ],
    settings: Annotated[
        str, typer.Option(help="Its keyword arguments, as in a suite: {alpha: 0.5}.")
    ] = "{}",
    model: Annotated[str, typer.Option(help="Network it is tried on.")] = "unet",
    as_json: AsJson = False,
) -> None:
    """Hold anyone's Avalanche plugin to the contract for masks."""
    from cl_seg.api.contract import check_plugin as check

    chosen = YamlFile.of_text(settings, Path("--settings")).value
    if not isinstance(chosen, dict):
        raise InputError(f"--settings {settings}: expected keyword arguments, as in {{alpha: 0.5}}")
    points = check(plugin, chosen, model=model)
    if as_json:
        print_json(points)
    else:
        table = Table("point", "verdict", "", box=None)
        for _, p in points.iterrows():
            table.add_row(p["point"], "kept" if p["kept"] else "broken", p["detail"])
        out.print(table)
    if not points["kept"].all():
        print_error(f"{plugin} breaks the contract for masks")
        raise typer.Exit(1)


def _show_matrix(points: "pd.DataFrame") -> None:
    from cl_seg.models.declared import NETWORKS
    from cl_seg.strategies.declared import STRATEGIES

    networks = list(dict.fromkeys(points["network"]))
    table = Table("strategy", *(NETWORKS[n].title for n in networks), box=None)
    for name, own in points.groupby("strategy", sort=False):
        cells = (_cell(own[own["network"] == network]) for network in networks)
        table.add_row(STRATEGIES[str(name)].title, *cells)
    out.print(table)
    out.print("kept: all points; refused: with the reason, because it could have no effect")


def _cell(points: "pd.DataFrame") -> str:
    if not points["kept"].all():
        return "broken: " + ", ".join(points.loc[~points["kept"], "point"])
    return "refused" if len(points) == 1 else "kept"
