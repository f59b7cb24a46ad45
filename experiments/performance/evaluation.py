"""Cost of evaluation here and in another checkout of this repository, such as an earlier commit.

A UNet learns structures like those of the quick suite (64² pixels, on slices of 256² pixels of
1.6 mm). Then a process per checkout, with one thread, takes turns with the other at: the labels of
28 slices on the pixels of the store, their scores per case, one point of the validation curve on 8
slices, and a whole evaluate stage after its network is loaded. Processor time is compared, and
every number of both must be equal.

    git worktree add ../before COMMIT
    python experiments/performance/evaluation.py ../before [--rounds 15] [--steps 150]
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

import cl_seg
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.predict import predict, predicted_labels
from cl_seg.losses import dice_cross_entropy
from cl_seg.models.build import build_model
from cl_seg.scans.store import Grid, SliceRow, SliceStore, create_store
from cl_seg.suite.stages.evaluate import evaluate
from cl_seg.training.validation_curve import ValidationCurve

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("finer labels", "case scores", "curve point", "evaluate stage")
CLASSES, SIZE, PIXELS, MM = ("muscle", "liver"), 64, 256, 1.6
TEST, VALIDATION, TRAIN = 28, 8, 84
HU = np.array([-100, 40, 120])
STORE, WEIGHTS = "bodies.store", "weights.pt"


def main() -> None:
    """Print both times and their ratio, part by part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.other)
        return
    with tempfile.TemporaryDirectory() as name:
        learn(Path(name), options.steps)
        sides = [start(checkout, Path(name)) for checkout in (options.other.resolve(), ROOT)]
        print(f"{'part':15} {'there ms':>9} {'here ms':>8} {'ratio':>6}   its quartiles")
        for part in PARTS:
            ask(sides, part, 0)
            pairs = [ask(sides, part, i) for i in range(options.rounds)]
            there, here = (1000 * statistics.median(side) for side in zip(*pairs, strict=True))
            low, _, high = statistics.quantiles([a / b for a, b in pairs], n=4)
            ratio = f"{there / here:6.2f}   {low:.2f} to {high:.2f}"
            print(f"{part:15} {there:9.1f} {here:8.1f} {ratio}, same numbers")
        for side in sides:
            side.communicate()


def start(checkout: Path, folder: Path) -> subprocess.Popen[str]:
    """A process that does what it is asked for with the code of a checkout."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    side = subprocess.Popen(
        [sys.executable, __file__, str(folder), "--serve"],
        env={**os.environ, **threads, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert side.stdout
    used = Path(json.loads(side.stdout.readline()))
    assert used == checkout / "cl_seg/__init__.py", f"{used} was imported"
    return side


def ask(sides: list[subprocess.Popen[str]], part: str, turn: int) -> tuple[float, float]:
    """Seconds of both for a part; which goes first alternates."""
    answers = {}
    for side in sides if turn % 2 else sides[::-1]:
        assert side.stdin and side.stdout
        print(part, file=side.stdin, flush=True)
        answers[side] = json.loads(side.stdout.readline())
    (there, numbers), (here, ours) = (answers[side] for side in sides)
    assert numbers == ours, f"{part}: other numbers"
    return there, here


def serve(folder: Path) -> None:
    """Do every part that a line of the standard input names; print its seconds and a digest."""
    print(json.dumps(cl_seg.__file__), flush=True)
    work = parts_of(folder)
    for line in sys.stdin:
        started = time.process_time()
        result = work[line.strip()]()
        seconds = time.process_time() - started
        print(json.dumps([seconds, hashlib.sha256(repr(result).encode()).hexdigest()]), flush=True)


def parts_of(folder: Path) -> dict[str, Callable[[], Any]]:
    """The parts, each with a result whose text shows every number."""
    torch_setup.make_deterministic(threads=1)
    torch_setup.keep_freed_memory()
    images, model = open_images(folder), network()
    model.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
    rows = images.store.slices
    tests, validation = SliceDataset(images, rows[:TEST]), SliceDataset(images, rows[-VALIDATION:])
    with torch.no_grad():
        shares = model.eval()(tests.batch(torch.arange(TEST))[0]).softmax(dim=1)
    prediction, truth = predict(model, tests)
    step = SimpleNamespace(step=1, settings=SimpleNamespace(steps=2), model=model)

    def curve_point() -> list[dict[str, Any]]:
        curve = ValidationCurve({"scanner": validation}, CLASSES, every=1)
        curve.after_training_iteration(step)
        return curve.rows

    def stage() -> list[Any]:
        with tempfile.TemporaryDirectory() as out:
            evaluate(stage_inputs(images, model, tests.rows), Path(out))  # type: ignore[arg-type]
            tables = [pd.read_parquet(path).to_dict() for path in Path(out).glob("*.parquet")]
            with np.load(next(Path(out).glob("*.npz"))) as shown:
                return [*tables, *(shown[name].tobytes() for name in sorted(shown))]

    return {
        "finer labels": lambda: predicted_labels(shares, PIXELS).tobytes(),
        "case scores": lambda: case_scores(
            prediction, truth, list(tests.rows["case"]), CLASSES, MM
        ),
        "curve point": curve_point,
        "evaluate stage": stage,
    }


def stage_inputs(images: TaskImages, model: nn.Module, rows: pd.DataFrame) -> SimpleNamespace:
    """What an evaluate stage reads of its inputs."""
    return SimpleNamespace(
        stage=SimpleNamespace(
            scanner="scanner", position=1, strategy_state_key="", changes_scoring=False
        ),
        run=None,
        context=SimpleNamespace(
            classes=list(CLASSES), image=SimpleNamespace(window_hu=images.task.window_hu)
        ),
        rows=lambda *_selection: rows,
        images=images,
        model=model,
    )


def learn(folder: Path, steps: int) -> None:
    """Write a store of bodies, and the weights of a network that has learned them."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    write_bodies(folder / STORE)
    images, model = open_images(folder), network()
    slices = SliceDataset(images, images.store.slices[TEST : TEST + TRAIN])
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(steps):
        pictures, masks = slices.batch(torch.randint(TRAIN, (4,)))
        optimizer.zero_grad()
        dice_cross_entropy(model(pictures), masks).backward()
        optimizer.step()
    torch.save(model.state_dict(), folder / WEIGHTS)


def network() -> nn.Module:
    """A UNet as in the quick suite."""
    return build_model("unet", "small", {}, len(CLASSES) + 1, SIZE)


def open_images(folder: Path) -> TaskImages:
    """The store as the network sees it."""
    return TaskImages(
        SliceStore(folder / STORE), Task(CLASSES, SIZE, (-160, 240)), torch.device("cpu")
    )


def write_bodies(folder: Path) -> None:
    """Slices of one scanner, two of a patient, with noise that makes the network err."""
    random = np.random.default_rng(0)
    labels = np.stack([body(random) for _ in range(TEST + TRAIN + VALIDATION)])
    hu = HU[labels] + random.normal(0, 60, labels.shape)
    rows = [
        SliceRow(
            slice_id=str(i),
            scanner="scanner",
            case=str(i // 2),
            patient=str(i // 2),
            series=str(i // 2),
            z_mm=5.0 * i,
            spacing_mm=MM,
            thickness_mm=5.0,
            kvp=120.0,
            kernel="",
            labelled=",".join(CLASSES),
        )
        for i in range(len(labels))
    ]
    with create_store(folder, list(CLASSES), Grid(PIXELS, MM), {"kind": "simulated"}) as store:
        store.add_scanner("scanner", "Scanner", rows, hu.round().astype(np.int16), labels)


def body(random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A wall and two back muscles (1), and in most slices a liver (2), with wavy outlines."""
    y, x = np.indices((PIXELS, PIXELS)) - PIXELS / 2
    size = random.uniform(0.8, 1.1)

    def blob(across: float, down: float, *radii: float) -> npt.NDArray[np.float64]:
        dx, dy = (x - across * size) / (radii[0] * size), (y - down * size) / (radii[1] * size)
        waves, angle = random.normal(0, 0.04, 6), np.arctan2(dy, dx)
        wavy = sum(wave * np.cos((k + 2) * angle + k) for k, wave in enumerate(waves))
        distance: npt.NDArray[np.float64] = np.hypot(dx, dy) * (1 + wavy)
        return distance

    wall, backs = blob(0, 0, 95, 70), [blob(side, 42, 20, 13) for side in (-12, 12)]
    labels = np.zeros((PIXELS, PIXELS), np.uint8)
    labels[((wall < 1) & (wall > 0.9)) | np.any([back < 1 for back in backs], axis=0)] = 1
    if random.random() < 0.75:
        labels[(blob(-38, -6, 36, 40) < 1) & (wall < 0.86) & (labels == 0)] = 2
    return labels


if __name__ == "__main__":
    main()
