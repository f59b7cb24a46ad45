"""Memory and time of a suite on a store with very many slices.

A store of two scanners is written (255 different slices each, over and over), then `cl-seg run`
splits it, trains on two experiences, scores them and writes the report. For several sizes of the
store, the number of slices and the largest private memory of the processes are printed (without
pages of memory-mapped files, which the system can reclaim), to show how memory grows.

    python experiments/performance/scale.py [--slices 10000 100000] [--image-size 64]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from cl_seg.scans.store import Grid, SliceRow, create_store

SIZE, OF_A_CASE, DIFFERENT = 256, 50, 255


def main() -> None:
    """Print a line for every size of the store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    for slices in options.slices:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_store(folder / "large.store", slices // 2)
            write_suite(folder / "large.yaml", options.image_size, options.steps)
            seconds, own, resident = run(folder)
        print(
            f"{slices} slices: {seconds:.0f} s, at most {own / 1e9:.2f} GB of its own, "
            f"{resident / 1e9:.2f} GB with mapped files",
            flush=True,
        )


def write_store(folder: Path, slices: int) -> None:
    """Two scanners with that many slices each; HU and labels of a muscle and a liver in noise."""
    random = np.random.default_rng(0)
    with create_store(folder, ["muscle", "liver"], Grid(SIZE, 1.6), {"kind": "simulated"}) as store:
        for scanner in ("one", "two"):
            labels = np.zeros((DIFFERENT, SIZE, SIZE), np.uint8)
            for label in labels:
                y, x = random.integers(20, 60, 2)
                label[y : y + 120, x : x + 50] = 1
                label[y : y + 80, x + 60 : x + 140] = 2
            noise = random.normal(0, 20, labels.shape)
            hu = (np.array([-100, 40, 120])[labels] + noise).astype(np.int16)
            rows = [row(scanner, index) for index in range(slices)]
            chosen = np.arange(slices) % DIFFERENT
            store.add_scanner(
                scanner, scanner.title(), rows, Repeated(hu, chosen), Repeated(labels, chosen)
            )


class Repeated:
    """Slices of an array in a given order, made one at a time."""

    def __init__(self, array: np.ndarray, order: np.ndarray) -> None:
        self.array, self.order = array, order
        self.shape = (len(order), *array.shape[1:])

    def __iter__(self):
        return (self.array[index] for index in self.order)


def row(scanner: str, index: int) -> SliceRow:
    """What is known of one slice."""
    case = f"{scanner}-{index // OF_A_CASE}"
    return SliceRow(
        slice_id=f"{scanner}-{index}",
        scanner=scanner,
        case=case,
        patient=case,
        series=case,
        z_mm=5.0 * (index % OF_A_CASE),
        spacing_mm=0.8,
        thickness_mm=5.0,
        kvp=120.0,
        kernel="",
        labelled="muscle,liver",
    )


def write_suite(path: Path, image_size: int, steps: int) -> None:
    """Naive fine-tuning over both scanners; one in ten patients is for testing."""
    path.write_text(
        "kind: stream\nname: large\ndata: {store: large.store}\n"
        f"image: {{size: {image_size}}}\nsplit: {{test: 0.1, validation: 0.01}}\n"
        "models: [unet]\nstrategies: [naive, replay]\n"
        f"training: {{steps: {steps}, batch_size: 4, curve_every: 0, device: cpu}}\n",
        encoding="utf-8",
    )


def run(folder: Path) -> tuple[float, int, int]:
    """Seconds of `cl-seg run` with one worker, and the largest memory of its processes in bytes."""
    started = time.perf_counter()
    command = ["-c", "from cl_seg.cli import main; main()", "run", "large.yaml", "--workers", "1"]
    process = subprocess.Popen([sys.executable, *command], cwd=folder)
    own = resident = 0
    while process.poll() is None:
        found = [memory(p) for p in (psutil.Process(process.pid), *children(process.pid))]
        own = max(own, sum(a for a, _ in found))
        resident = max(resident, sum(r for _, r in found))
        time.sleep(0.2)
    if process.returncode:
        sys.exit(f"cl-seg run ended with {process.returncode}")
    return time.perf_counter() - started, own, resident


def children(pid: int) -> list[psutil.Process]:
    """The processes that a process has started, now."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def memory(process: psutil.Process) -> tuple[int, int]:
    """(without files, with files) bytes in memory; zeros for a process that has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0, 0
    kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    own = int(kilobytes.get("RssAnon", 0)) + int(kilobytes.get("RssShmem", 0))
    return own * 1024, (own + int(kilobytes.get("RssFile", 0))) * 1024


if __name__ == "__main__":
    main()
