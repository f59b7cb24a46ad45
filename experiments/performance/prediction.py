"""Cost of ``cl-seg predict`` here and in another checkout of this repository.

Both checkouts predict the same CT in turns, each time in a fresh process with as many threads, and
imports count. Wall and processor time are compared by their medians, and the label files must be
equal in every voxel; where they are not, the number of voxels that differ is printed::

    git worktree add ../before COMMIT
    python experiments/performance/prediction.py ../before MODEL CT [--rounds 3] [--threads 2]
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np

from cl_seg.records.model_card import CARD

ROOT = Path(__file__).resolve().parents[2]
RUN = "from cl_seg.cli import main; main()"


def main() -> None:
    """Print both times and their ratio, and how many voxels differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("ct", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    checkouts = {"other": options.other.resolve(), "here": ROOT}
    with tempfile.TemporaryDirectory() as folder:
        model = readable_by_both(options.model, Path(folder) / "model")
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in checkouts}
        for _ in range(options.rounds):
            for name, checkout in checkouts.items():
                out = Path(folder) / name
                shutil.rmtree(out, ignore_errors=True)
                line = ["predict", str(model), str(options.ct.resolve()), "--out", str(out)]
                times[name].append(seconds(checkout, [*line, "--measure"], options.threads))
        labels = {name: all_labels(Path(folder) / name) for name in checkouts}
    for k, what in enumerate(("wall", "processor")):
        other, here = (statistics.median(t[k] for t in times[name]) for name in checkouts)
        print(f"{what:>9}: {other:.1f} s there, {here:.1f} s here, ratio {here / other:.2f}")
    slices = sum(each.shape[2] for each in labels["here"])
    differ = sum(int((a != b).sum()) for a, b in zip(*labels.values(), strict=True))
    print(f"{slices} slices, {differ} of {sum(a.size for a in labels['here'])} voxels differ")


def readable_by_both(model: Path, copy: Path) -> Path:
    """A copy of a model folder whose card an older checkout reads, too."""
    shutil.copytree(model, copy)
    card = json.loads((copy / CARD).read_text(encoding="utf-8"))
    card.pop("about", None)
    (copy / CARD).write_text(json.dumps(card), encoding="utf-8")
    return copy


def seconds(checkout: Path, arguments: list[str], threads: int) -> tuple[float, float]:
    """Wall and processor time of a command, in seconds."""
    count = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(checkout)}
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=checkout,
        env={**os.environ, **count},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, used


def all_labels(folder: Path) -> list[np.ndarray]:
    """The label files of a prediction."""
    return [np.asarray(nibabel.load(path).dataobj) for path in sorted(folder.rglob("*.nii*"))]


if __name__ == "__main__":
    main()
