"""Measures: what a step of a strategy costs, as a ratio to fine-tuning."""

import statistics
from functools import partial
from pathlib import Path

from experiments.gpu.extent import Extent
from experiments.gpu.outcome import Check, Figures, Part
from experiments.performance.contest import BOUNDS, Contest, Setting, ratio, times_in_turn

STRATEGIES = ("ewc", "si", "lwf", "replay")
NETWORKS = ("vnet", "unet")


def costs_check(extent: Extent, store: Path) -> Check:
    """A part for every network.

    Args:
        extent: of the networks.
        store: with two scanners.
    """
    parts = [Part(network, partial(costs, extent, store, network)) for network in NETWORKS]
    return Check("costs", False, parts)


def costs(extent: Extent, store: Path, network: str) -> Figures:
    """Train every strategy on two experiences, in turn with fine-tuning."""
    setting = Setting(
        network,
        extent.preset,
        extent.image,
        extent.batch,
        slices=2 * extent.batch,
        epochs=extent.epochs,
        device=extent.device,
    )
    contest = Contest(store, setting, experiences=2)
    contenders = {n: partial(contest.train_ours, n) for n in ("naive", *STRATEGIES)}
    times = times_in_turn(contenders, extent.rounds)
    ratios = {
        name: {key: round(value, 3) for key, value in ratio(times[name], times["naive"]).items()}
        | {"bound": BOUNDS[name]}
        for name in STRATEGIES
    }
    return {"naive ms a step": round(1000 * statistics.median(times["naive"]), 2), **ratios}
