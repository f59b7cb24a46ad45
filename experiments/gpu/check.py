"""Checks a GPU in one command, and writes what it finds to ``gpu.json``.

    python -m experiments.gpu.check [--minutes 8] [--out results/gpu.json]
    python -m experiments.gpu.check --device cpu --small

| check | question |
| --- | --- |
| repeat | does a training from the same seed give the same bits, or which kernel does not? |
| resume | does a training taken up from files give the same bits? |
| placement | does all that a strategy keeps lie on the device? |
| stream | does a suite run from its plan to its report? |
| speed | slices and operations a second, per network and precision |
| costs | a step of a strategy as a ratio to fine-tuning |

Exits with 0 where the first four passed. A part that no longer fits into the time is recorded as
not run.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import torch

from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.environment import cpu_name, git_commit
from experiments.gpu.costs import costs_check
from experiments.gpu.extent import Extent, full_extent, small_extent
from experiments.gpu.outcome import Check, CheckResult, run_check
from experiments.gpu.placement import placement_check
from experiments.gpu.repeat import repeat_check
from experiments.gpu.report import lines
from experiments.gpu.resume import NETWORK, resume_check
from experiments.gpu.speed import speed_check
from experiments.gpu.stream import stream_check
from experiments.performance.rectangles import write_store
from experiments.performance.step_overhead import random_slices


def main(arguments: list[str] | None = None) -> int:
    """Run all checks; the exit code is 0 where the required ones passed."""
    options = _options(arguments)
    started = time.perf_counter()
    torch_setup.make_deterministic(threads=1)
    try:
        device = torch_setup.pick_device(options.device)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    extent = (small_extent if options.small else full_extent)(device)

    def seconds() -> float:
        return time.perf_counter() - started

    def time_left() -> float:
        return 60 * options.minutes - seconds()

    with tempfile.TemporaryDirectory() as folder:
        checks = all_checks(extent, Path(folder))
        results = [CheckResult.not_begun(check) for check in checks]
        for index, check in enumerate(checks):
            longest = max(result.longest for result in results)
            results[index] = run_check(check, time_left, longest)
            print("\n".join(lines(results[index])), flush=True)
            write_json(options.out, {**machine(device), **record(options, results, seconds())})
    print(f"{seconds():.0f} s, {'passed' if passed(results) else 'NOT PASSED'}: {options.out}")
    return 0 if passed(results) else 1


def all_checks(extent: Extent, folder: Path) -> list[Check]:
    """The checks, the required ones first.

    Args:
        extent: of the networks.
        folder: for stores, stages and results.
    """
    tiny = replace(small_extent(extent.device), image=NETWORKS[NETWORK].smallest_size)
    slices = random_slices(folder / "noise.store", extent.image, extent.device, 4 * extent.batch)
    store = write_store(folder / "rectangles.store", scanners=2, size=extent.image)
    return [
        repeat_check(extent, slices),
        resume_check(extent, tiny),
        placement_check(tiny),
        stream_check(extent, store, folder),
        speed_check(extent, slices),
        costs_check(extent, store),
    ]


def passed(results: Sequence[CheckResult]) -> bool:
    """Whether every required check passed."""
    return all(result.status == "passed" for result in results if result.required)


def machine(device: torch.device) -> dict[str, Any]:
    """What is checked."""
    on_gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else cpu_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if on_gpu else None,
        "git_commit": git_commit(),
    }


def record(
    options: argparse.Namespace, results: Sequence[CheckResult], seconds: float
) -> dict[str, Any]:
    """What was found so far, after so many seconds."""
    return {
        "small": options.small,
        "minutes": options.minutes,
        "seconds": round(seconds, 1),
        "passed": passed(results),
        "checks": [result.json() for result in results],
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--minutes", type=float, default=8.0, help="time for all checks together")
    parser.add_argument("--out", type=Path, default=Path("results/gpu.json"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
