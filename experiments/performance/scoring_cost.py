"""Cost of strategies that adapt a network before scoring: seconds of a case against plain ones.

Cases of two slices, one after the other, as in evaluations; AdaBN adapts once to all of them.
Each round scores all cases plainly and with every strategy in an order that changes.

    python experiments/performance/scoring_cost.py [--rounds 10] [--size 64] [--network vnet]
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cl_seg.runtime import torch_setup  # isort: skip
import torch
from contest import Contest, Setting, ratio, times_in_turn
from rectangles import write_store

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.predict import ImageBatches, predict
from cl_seg.strategies.build import build_plugin

SLICES_OF_A_CASE = 2


def main() -> None:
    """Print the ratios of a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--network", default="vnet")
    options = parser.parse_args()
    torch_setup.make_deterministic(threads=1)
    with tempfile.TemporaryDirectory() as folder:
        store = write_store(Path(folder) / "rectangles.store", scanners=1)
        contest = Contest(store, Setting(options.network, size=options.size), 1)
        print_ratios(contest, options.rounds)


def print_ratios(contest: Contest, rounds: int) -> None:
    """Seconds of each strategy against those of plain scoring, medians of ratios in a round."""
    rows, each = contest.parts[0].reset_index(drop=True), SLICES_OF_A_CASE
    scanner = [SliceDataset(contest.images, rows)]
    cases = [
        SliceDataset(contest.images, rows.iloc[k : k + each]) for k in range(0, len(rows), each)
    ]
    contenders = {
        "as trained": scoring(contest, None, cases),
        "adabn": scoring(contest, "adabn", scanner),
        "test_statistics": scoring(contest, "test_statistics", cases),
        "tent": scoring(contest, "tent", cases),
    }
    times = times_in_turn(contenders, rounds)
    plain = 1000 * min(times["as trained"])
    print(f"{contest.setting.network}, {plain:.0f} ms for {len(rows)} slices")
    for name in list(contenders)[1:]:
        found = ratio(times[name], times["as trained"])
        print(f"  {name:16} {found['median']:6.2f}   {found['low']:.2f} to {found['high']:.2f}")


def scoring(
    contest: Contest, strategy: str | None, groups: Iterable[SliceDataset]
) -> Callable[[], float]:
    """Adapts to each group of slices and predicts it; returns seconds."""
    model = contest.model()
    trained = copy.deepcopy(model.state_dict())
    plugin = build_plugin(strategy, {}, 0) if strategy else None

    def score() -> float:
        started = time.perf_counter()
        for slices in groups:
            if plugin is not None:
                model.load_state_dict(trained)
                with torch.enable_grad():
                    plugin.prepare_scoring(model, 0, ImageBatches(slices))
            predict(model, slices)
        return time.perf_counter() - started

    return score


if __name__ == "__main__":
    main()
