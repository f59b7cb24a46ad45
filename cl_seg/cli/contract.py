"""``cl-seg contract`` and ``check-plugin``: hold strategies to the contract for dense targets."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cl_seg.cli.console import complain, out, progress, say
from cl_seg.files.write import write_text
from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.strategies.declared import STRATEGIES

if TYPE_CHECKING:
    from cl_seg.training.contract.check import Verdict

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
    names = _known(strategies, [n for n, s in STRATEGIES.items() if s.plugin], "strategy")
    networks = _known(models, list(NETWORKS), "network")
    verdicts = {}
    with progress("Contract") as tell:
        for done, (network, name) in enumerate((n, s) for n in networks for s in names):
            tell(done, len(networks) * len(names))
            verdicts[network, name] = _verdicts(name, {}, network)
    rows = [
        {"network": network, "strategy": name, "point": v.point, "kept": v.kept, "detail": v.detail}
        for (network, name), points in verdicts.items()
        for v in points
    ]
    if out_file:
        write_text(out_file, json.dumps(rows, indent=1) + "\n")
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        _print_matrix(verdicts, names, networks)
    broken = [f"{row['strategy']} on {row['network']}" for row in rows if not row["kept"]]
    if broken:
        complain("the contract is broken by " + ", ".join(dict.fromkeys(broken)))
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
    from cl_seg.runtime.import_path import check_target

    sys.path.insert(0, str(Path.cwd()))
    if ":" not in plugin:
        raise InputError(f"{plugin}: expected module:callable, as in my_plugins:Plugin")
    check_target(plugin, Path("check-plugin"))
    _known([model], list(NETWORKS), "network")
    chosen = YamlFile.of_text(settings, Path("--settings")).value
    if not isinstance(chosen, dict):
        raise InputError(f"--settings {settings}: expected keyword arguments, as in {{alpha: 0.5}}")
    verdicts = _verdicts(plugin, chosen, model)
    if as_json:
        sys.stdout.write(json.dumps([vars(v) for v in verdicts], indent=1) + "\n")
    else:
        table = Table("point", "verdict", "", box=None)
        for v in verdicts:
            table.add_row(v.point, "kept" if v.kept else "broken", v.detail)
        out.print(table)
    if not all(v.kept for v in verdicts):
        complain(f"{plugin} breaks the contract for masks")
        raise typer.Exit(1)


def _verdicts(name: str, settings: dict[str, Any], network: str) -> "list[Verdict]":
    from cl_seg.models.registry import build_model
    from cl_seg.training.contract.check import check_contract
    from cl_seg.training.contract.subject import CLASSES, subject_of

    size = NETWORKS[network].smallest_size
    build = partial(build_model, network, "small", {}, CLASSES, size)
    return check_contract(subject_of(name, settings, build, size))


def _known(given: list[str] | None, known: list[str], what: str) -> list[str]:
    for name in given or []:
        if name not in known:
            raise InputError(f"{what} {name} is not one of {', '.join(known)}")
    return given or known


def _print_matrix(
    verdicts: "dict[tuple[str, str], list[Verdict]]", names: list[str], networks: list[str]
) -> None:
    table = Table("strategy", *(NETWORKS[n].title for n in networks), box=None)
    for name in names:
        table.add_row(STRATEGIES[name].title, *(_cell(verdicts[n, name]) for n in networks))
    out.print(table)
    say("kept: all points; refused: with the reason, because it could have no effect")


def _cell(verdicts: "list[Verdict]") -> str:
    broken = [v.point for v in verdicts if not v.kept]
    if broken:
        return "broken: " + ", ".join(broken)
    return "refused" if len(verdicts) == 1 else "kept"
