"""Records of runs that were never trained: plausible scores for testing what reads results."""

from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.files.write import write_json
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.record import RUN_FILE, Rows, RunRecord, matrix_rows
from cl_seg.records.run_spec import RunSpec

CLASSES = ("muscle", "liver")
SCANNERS = ("siemens_like", "ge_like", "stress_native", "stress_sharp")
PATIENTS, SIZE, PIXEL_CM2 = 14, 64, 0.41
MODELS = {"vnet": "VNet", "unet": "UNet", "unetr": "UNETR", "swin_unetr": "Swin-UNETR"}
STRATEGIES = {"naive": "Naive", "replay": "Replay", "ewc": "EWC", "lwf": "LwF", "si": "SI"}
STEPS = 500


def write_runs(
    results: Path,
    orders: int,
    seeds: int,
    models: Sequence[str] = tuple(MODELS),
    strategies: Sequence[str] = tuple(STRATEGIES),
) -> int:
    """Write records of all combinations below ``results/runs``.

    Returns:
        How many.
    """
    streams = list(permutations(SCANNERS))[:orders]
    axes = (models, strategies, streams, range(seeds))
    places = list(product(*(range(len(axis)) for axis in axes)))
    for m, s, o, seed in places:
        run_id = f"{models[m]}-{strategies[s]}-order{o + 1}-seed{seed}"
        folder = results / "runs" / run_id
        folder.mkdir(parents=True)
        random = np.random.default_rng((m, s, o, seed))
        cases = _cases(streams[o], models[m], strategies[s], random)
        cases.to_parquet(folder / "cases.parquet", index=False)
        _curve(streams[o], random).to_parquet(folder / "curve.parquet", index=False)
        np.savez_compressed(folder / "examples.npz", **_examples(streams[o], random))
        matrices = accuracy_matrices(cases, list(streams[o]), list(CLASSES))
        r = {name: matrix_rows(matrix) for name, matrix in matrices.items()}
        record = _record(run_id, _spec(streams[o], models[m], strategies[s], seed), r, (m, s, o))
        write_json(folder / RUN_FILE, record.as_json())
    return len(places)


def _cases(
    order: tuple[str, ...], model: str, strategy: str, random: np.random.Generator
) -> pd.DataFrame:
    """Dice of every case: learned at its scanner's stage, some of it lost with every later one."""
    lost = 0.02 * (1 + list(MODELS).index(model)) * (1.5 if strategy == "naive" else 0.6)
    bodies = np.random.default_rng(0).uniform(300, 700, (PATIENTS, len(CLASSES))).round()
    ease = random.normal(0, 0.02, (PATIENTS, len(CLASSES)))
    rows = []
    for stage, (j, scanner) in product(range(len(order) + 1), enumerate(order)):
        mean = 0.05 if stage == 0 else 0.55 if stage <= j else 0.92 - lost * (stage - j - 1)
        for p, (c, name) in product(range(PATIENTS), enumerate(CLASSES)):
            dice = float(np.clip(mean + ease[p, c] + random.normal(0, 0.02), 0, 1))
            true = int(bodies[p, c])
            row: dict[str, Any] = {"stage": stage, "scanner": scanner, "patient": f"p{p}"}
            row |= {"case": f"p{p}@{scanner}", "class": name, "overlap": int(dice * true)}
            row |= {"predicted": true, "true": true, "dice": dice, "iou": dice / (2 - dice)}
            error = float(random.normal(2, 5))
            row |= {"true_cm2": true * PIXEL_CM2, "area_error_cm2": error}
            row |= {"area_error_percent": error / true / PIXEL_CM2 * 100, "contour_mm": 900.0}
            row |= {"added_path_mm": 900 * (1 - dice), "to_correct_cm2": 9.0, "hd95_mm": 12.0}
            row |= {"assd_mm": 4.0, "missed": False, "false_positive_cm2": 0.0}
            rows.append(row)
    return pd.DataFrame(rows)


def _curve(order: tuple[str, ...], random: np.random.Generator) -> pd.DataFrame:
    rows = [
        {"stage": stage, "step": step, "scanner": scanner, "class": name,
         "dice": float(0.85 + random.normal(0, 0.03))}
        for stage in range(1, len(order) + 1)
        for step in range(50, STEPS + 1, 50)
        for scanner in order[:stage]
        for name in CLASSES
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _examples(order: tuple[str, ...], random: np.random.Generator) -> dict[str, Any]:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    inside = (rows - 32) ** 2 / 20**2 + (columns - 32) ** 2 / 28**2 < 1
    image = (inside * random.integers(90, 160, (SIZE, SIZE))).astype(np.uint8)
    truth = (inside & (columns > 40)).astype(np.uint8) * 2 + (inside & (rows > 40) & (columns < 36))
    shown: dict[str, Any] = {}
    for name in order:
        shown |= {f"{name}/image": image}
        shown |= {f"{name}/{plane}": truth for plane in ("truth", "first", "last")}
        for moment in ("learned", "last"):
            shown[f"{name}/ranked/{moment}"] = np.stack([np.stack([image, truth, truth])] * 3)
            shown[f"{name}/ranked/{moment}/dice"] = np.array([0.5, 0.8, 0.9])
    return shown


def _spec(order: tuple[str, ...], model: str, strategy: str, seed: int) -> RunSpec:
    return RunSpec.model_validate({
        "order": order,
        "seed": seed,
        "classes": CLASSES,
        "learned_dice": {"muscle": 0.75, "liver": 0.8},
        "learning_rate": 0.01,
        "model": {"name": model, "label": model, "preset": "small"},
        "strategy": {"name": strategy, "label": strategy},
        "split": {"by": "patient"},
        "image": {"size": SIZE},
        "training": {"steps": STEPS, "batch_size": 4, "threads": 1},
    })  # fmt: skip


def _record(
    run_id: str, spec: RunSpec, matrices: dict[str, Rows], place: tuple[int, int, int]
) -> RunRecord:
    kept = {"kept_slices": 24, "kept_bytes": 300_000} if spec.strategy.name == "replay" else {}
    stages = [
        {"position": i, "selection": name, "steps": STEPS, "train_seconds": 40.0,
         "consolidate_seconds": 0.5, "test_seconds": 1.0, "peak_bytes": 800_000_000, **kept}
        for i, name in enumerate(spec.order, start=1)
    ]  # fmt: skip
    return RunRecord.model_validate({
        "run_id": run_id,
        "suite": "synthetic",
        "key": run_id,
        "spec": spec,
        "model": MODELS[spec.model.name],
        "strategy": STRATEGIES[spec.strategy.name],
        "order_number": place[2] + 1,
        "place": (*place, spec.seed),
        "schedule": "sequential",
        "scanner_names": {name: f"{name} (simulated)" for name in spec.order},
        "data": {"content": "0" * 64, "kind": "simulated"},
        "R": matrices,
        "stages": stages,
        "device": "cpu",
        "processor": "none",
        "versions": {"cl_seg": "0"},
        "git_commit": "none",
    })  # fmt: skip
