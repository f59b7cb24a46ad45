"""``cl-seg list``: the names that a suite can hold, and the scores of its results."""

from importlib import import_module

from rich.table import Table

from cl_seg.cli.command_group import command_group
from cl_seg.cli.console import escape_for_terminal, out, print_answer
from cl_seg.cli.phantom import profiles
from cl_seg.models.registry import NETWORKS, Network
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.strategies.strategy import Strategy

app = command_group("List what a suite can name, and the scores of its results.")


@app.command()
def networks() -> None:
    """List the networks with their presets and the sizes of images they take."""
    table = Table("network", "title", "presets", "images", box=None)
    for name, network in NETWORKS.items():
        table.add_row(name, network.title, ", ".join(network.presets), _sizes(network))
    out.print(table)
    print_answer("one of your own is `module:callable`; presets: docs/networks.md")


@app.command()
def strategies() -> None:
    """List the strategies with their settings."""
    table = Table("strategy", "what it does", "settings", box=None)
    for name, strategy in STRATEGIES.items():
        said = (import_module(f"cl_seg.strategies.{name}").__doc__ or "").partition("\n")[0]
        table.add_row(name, said, escape_for_terminal(_settings(strategy)))
    out.print(table)
    print_answer("any Avalanche plugin is `module:Class`; settings: docs/strategies.md")


@app.command()
def scores() -> None:
    """List the scores of runs with their definitions."""
    from cl_seg.analysis.score_list import score_definitions

    table = Table("score", "definition", box=None)
    for name, definition in score_definitions().items():
        table.add_row(name, escape_for_terminal(definition))
    out.print(table)
    print_answer("R[i, j] is test Dice on scanner j after experience i of N; more: docs/metrics.md")


app.command()(profiles)


def _sizes(network: Network) -> str:
    return f"from {network.smallest_size}, multiples of {network.size_multiple}"


def _settings(strategy: Strategy) -> str:
    return ", ".join(
        f"{name}: {_shown(field.default)}" for name, field in strategy.settings.model_fields.items()
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
