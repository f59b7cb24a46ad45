"""CPU time of simulating CT in this checkout against another one, side by side.

Each checkout runs in a process of its own with one thread; both simulate the same cases, bodies at
two levels on a scanner of the quick suite, in turn, so that other load on the machine affects both
equally. Stores are written as in a suite:

    python experiments/performance/simulation.py OTHER_CHECKOUT [--rounds 5]
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SCANNERS = ("siemens_like", "stress_native", "ge_like")
SIZE = 256
BODIES = 2  # per store
# Functions whose time, with all that they call, is that of a part.
PARTS = {
    "painting": ("paint_slab",),
    "projection": ("acquire",),
    "reconstruction": ("reconstruct", "postprocess"),
    "resampling": ("truth_labels", "centre_grid", "resample_image", "resample_labels"),
}
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    """Print seconds per case of both checkouts, their ratio and the share of every part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="checkout to compare with")
    parser.add_argument("--rounds", type=int, default=5, help="stores per scanner")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work()
        return
    checkouts = (options.other.resolve(), Path(__file__).resolve().parents[2])
    processes = [start(checkout) for checkout in checkouts]
    for process in processes:  # plans and tables are made once
        for scanner in SCANNERS:
            ask(process, "time", scanner, 0)
    print(f"{'scanner':14} {'other s':>8} {'this s':>8} {'ratio':>6}   its quartiles")
    medians = []
    for scanner in SCANNERS:
        pairs = [alternate(processes, scanner, number) for number in range(options.rounds)]
        print(line(scanner, pairs))
        medians.append([statistics.median(side) for side in zip(*pairs, strict=True)])
    other, this = (statistics.mean(side) for side in zip(*medians, strict=True))
    print(f"{'all':14} {other:8.2f} {this:8.2f} {other / this:6.2f}")
    print(f"\n{'share of':14} {'other':>8} {'this':>8}")
    both = [shares(process) for process in processes]
    for part in both[0]:
        print(f"{part:14} {both[0][part]:8.0%} {both[1][part]:8.0%}")
    for process in processes:
        process.communicate()


def line(name: str, pairs: list[tuple[float, float]]) -> str:
    """Medians, the ratio of the medians, and quartiles of the ratios of pairs."""
    other, this = (statistics.median(side) for side in zip(*pairs, strict=True))
    low, _, high = statistics.quantiles([a / b for a, b in pairs], n=4)
    return f"{name:14} {other:8.2f} {this:8.2f} {other / this:6.2f}   {low:.2f} to {high:.2f}"


def start(checkout: Path) -> "subprocess.Popen[str]":
    """A process that simulates with the code of a checkout."""
    return subprocess.Popen(
        [sys.executable, __file__, "--worker", "."],
        env={**os.environ, **THREADS, "PYTHONPATH": str(checkout)},
        cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def ask(process: "subprocess.Popen[str]", what: str, scanner: str, number: int) -> dict[str, float]:
    """Let a process simulate one case."""
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps([what, scanner, number]) + "\n")
    process.stdin.flush()
    answer: dict[str, float] = json.loads(process.stdout.readline())
    return answer


def alternate(
    processes: list["subprocess.Popen[str]"], scanner: str, number: int
) -> tuple[float, float]:
    """CPU seconds of one case in both; which goes first alternates."""
    order = processes if number % 2 else processes[::-1]
    seconds = {p.pid: ask(p, "time", scanner, number + 1)["seconds"] for p in order}
    return seconds[processes[0].pid], seconds[processes[1].pid]


def shares(process: "subprocess.Popen[str]") -> dict[str, float]:
    """Mean share of every part in a case, over the scanners."""
    each = [ask(process, "profile", scanner, 1) for scanner in SCANNERS]
    return {part: statistics.mean(answer[part] for answer in each) for part in each[0]}


def work() -> None:
    """Answer what :func:`ask` asks, until there are no more questions."""
    for question in sys.stdin:
        what, scanner, number = json.loads(question)
        answer = {"time": seconds_of, "profile": parts_of}[what](case(scanner, number))
        print(json.dumps(answer), flush=True)


def case(scanner: str, seed: int) -> Callable[[], None]:
    """The store of a few bodies on a scanner."""
    from cl_seg.phantom.simulate import write_simulated_store  # noqa: PLC0415 - of the checkout

    def simulate() -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_simulated_store(
                Path(folder) / "case.store",
                [scanner],
                own_bodies=BODIES,
                shared_bodies=0,
                size=SIZE,
                seed=seed,
                show_progress=False,
            )

    return simulate


def seconds_of(simulate: Callable[[], None]) -> dict[str, float]:
    """CPU seconds."""
    started = time.process_time()
    simulate()
    return {"seconds": (time.process_time() - started) / BODIES}


def parts_of(simulate: Callable[[], None]) -> dict[str, float]:
    """Share of every part in the time of a case."""
    profile = cProfile.Profile()
    profile.runcall(simulate)
    stats = pstats.Stats(profile)
    total = stats.total_tt  # type: ignore[attr-defined]
    spent = dict.fromkeys(PARTS, 0.0)
    for (_, _, function), (*_, cumulative, _) in stats.stats.items():  # type: ignore[attr-defined]
        for part, functions in PARTS.items():
            spent[part] += cumulative / total * (function in functions)
    return {**spent, "the rest": 1 - sum(spent.values())}


if __name__ == "__main__":
    main()
