"""Check: a suite of two scanners from its plan to its report, as a user runs it."""

from functools import partial
from pathlib import Path
from typing import Any

import cl_seg
from experiments.gpu.extent import Extent
from experiments.gpu.outcome import Check, CheckFailed, Figures, Part

NETWORK = "unet"


def stream_check(extent: Extent, store: Path, folder: Path) -> Check:
    """One part.

    Args:
        extent: of the network.
        store: with two scanners.
        folder: for the stages and the results.
    """
    return Check("stream", True, [Part(NETWORK, partial(stream, extent, store, folder))])


def stream(extent: Extent, store: Path, folder: Path) -> Figures:
    """Run a suite and read its results.

    Raises:
        CheckFailed: a run failed, or learned nothing.
    """
    results = cl_seg.run(
        suite(extent, store),
        results=folder / "results",
        cache=folder / "stages",
        workers=extent.workers,
        log=lambda line: None,
    )
    if results.failures:
        raise CheckFailed("; ".join(sorted({*results.failures.values()})))
    learned = {}
    for strategy in results.strategies:
        dice = results.R(results.networks[0], strategy)
        untrained, final = float(dice.iloc[0, -1]), float(dice.iloc[-1, -1])
        learned[strategy] = [round(untrained, 4), round(final, 4)]
        if final <= untrained:
            raise CheckFailed(f"{strategy}: Dice of the last scanner did not rise", learned)
    return {"Dice of the last scanner, untrained and at the end": learned}


def suite(extent: Extent, store: Path) -> dict[str, Any]:
    """What is run."""
    return {
        "kind": "stream",
        "name": "gpu_check",
        "data": {"store": str(store)},
        "image": {"size": extent.image},
        "models": [{"name": NETWORK, "preset": extent.preset}],
        "strategies": ["naive", {"name": "replay", "settings": {"budget": 8}}, "ewc"],
        "training": {
            "steps": extent.stream_steps,
            "batch_size": extent.batch,
            "curve_every": 0,
            "device": str(extent.device),
        },
    }
