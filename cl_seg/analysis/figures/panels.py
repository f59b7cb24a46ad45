"""Layout of the panels of a figure of several networks and strategies."""

from collections.abc import Sequence
from itertools import chain

from cl_seg.analysis.ranks import RunsByConfiguration
from cl_seg.analysis.tables import runs_by_configuration
from cl_seg.records.results import RunResult

WIDEST = 15.0  # inches


def first_runs(results: Sequence[RunResult]) -> list[RunResult]:
    """The first run of every network and strategy, where it is of the first order of scanners."""
    firsts = (runs[0] for runs in runs_by_configuration(results).values())
    return [run for run in firsts if run.order == results[0].order]


def runs_of_streams(by_configuration: RunsByConfiguration) -> RunsByConfiguration:
    """Configurations whose networks are trained on one scanner after another."""
    return {key: runs for key, runs in by_configuration.items() if is_stream(runs)}


def is_stream(runs: Sequence[RunResult]) -> bool:
    """True where one network is trained on one scanner after another."""
    return bool(runs) and not runs[0].is_joint and runs[0].training_regime != "single"


def rows_of_panels(
    by_configuration: RunsByConfiguration, width: float
) -> list[list[tuple[str, str]]]:
    """Network and strategy of the panels of every row, each ``width`` inches wide.

    Every network begins a row; of one strategy the networks are beside each other.
    """
    networks, strategies = networks_and_strategies(by_configuration)
    groups = [[(network, strategy) for strategy in strategies] for network in networks]
    groups = groups if len(strategies) > 1 else [list(chain.from_iterable(groups))]
    most = max(1, int(WIDEST / width))
    columns = [
        -(-len(group) // -(-len(group) // most)) for group in groups
    ]  # rows of about one length
    return [
        group[i : i + step]
        for group, step in zip(groups, columns, strict=True)
        for i in range(0, len(group), step)
    ]


def positions_of_panels(
    rows: list[list[tuple[str, str]]],
) -> list[tuple[tuple[int, int], tuple[str, str]]]:
    """Row and column of every panel."""
    return [((i, j), panel) for i, row in enumerate(rows) for j, panel in enumerate(row)]


def networks_and_strategies(by_configuration: RunsByConfiguration) -> tuple[list[str], list[str]]:
    """Networks and strategies, each once."""
    networks = list(dict.fromkeys(network for network, _ in by_configuration))
    strategies = list(dict.fromkeys(strategy for _, strategy in by_configuration))
    return networks, strategies


def of_order(runs: Sequence[RunResult], order: list[str]) -> list[RunResult]:
    """The runs of one order of scanners."""
    return [run for run in runs if run.order == order]
