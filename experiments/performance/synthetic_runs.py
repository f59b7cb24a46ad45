"""Records of runs that were never trained: plausible scores for testing what reads results."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.files.write import write_json
from cl_seg.planning.evaluations import scanners_to_test
from cl_seg.planning.runs import Run
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.record import RUN_FILE, Rows, RunRecord, matrix_rows
from cl_seg.records.run_spec import RunSpec
from cl_seg.spec.choices import ModelChoice, StrategyChoice

CLASSES = ("muscle", "liver")
SCANNERS = ("siemens_like", "ge_like", "stress_native", "stress_sharp")
PATIENTS, SIZE, PIXEL_CM2 = 14, 64, 0.41
MODELS = {"vnet": "VNet", "unet": "UNet", "unetr": "UNETR", "swin_unetr": "Swin-UNETR"}
STRATEGIES = {"naive": "Naive", "replay": "Replay", "ewc": "EWC", "lwf": "LwF", "si": "SI"}
STEPS = 500


@dataclass(frozen=True)
class SyntheticSuite:
    """The runs that are made: all combinations of the fields.

    Attributes:
        orders: number of orders of the scanners.
        seeds: number of random seeds.
        models, strategies: names.
        scanners: names, as listed the first order.
        patients: test patients of a scanner; the same ones on all of a few scanners, others on
            every one of many.
        evaluate: scanners that were tested after every stage, as in a suite.
    """

    orders: int
    seeds: int
    models: Sequence[str] = tuple(MODELS)
    strategies: Sequence[str] = tuple(STRATEGIES)
    scanners: Sequence[str] = SCANNERS
    patients: int = PATIENTS
    evaluate: str = "all"


def write_runs(results: Path, suite: SyntheticSuite) -> int:
    """Write records of all combinations below ``results/runs``.

    Returns:
        How many.
    """
    streams = list(islice(permutations(suite.scanners), suite.orders))
    axes = (suite.models, suite.strategies, streams, range(suite.seeds))
    places = list(product(*(range(len(axis)) for axis in axes)))
    for m, s, o, seed in places:
        model, strategy = suite.models[m], suite.strategies[s]
        run_id = f"{model}-{strategy}-order{o + 1}-seed{seed}"
        folder = results / "runs" / run_id
        folder.mkdir(parents=True)
        random = np.random.default_rng((m, s, o, seed))
        cases = _cases(streams[o], model, strategy, suite, random)
        cases.to_parquet(folder / "cases.parquet", index=False)
        _curve(streams[o], random).to_parquet(folder / "curve.parquet", index=False)
        np.savez_compressed(folder / "examples.npz", **_examples(streams[o], random))
        matrices = accuracy_matrices(cases, list(streams[o]), list(CLASSES))
        r = {name: matrix_rows(matrix) for name, matrix in matrices.items()}
        spec = _spec(streams[o], model, strategy, seed)
        if suite.evaluate != "all":
            spec = spec.model_copy(update={"evaluate": suite.evaluate})
        write_json(folder / RUN_FILE, _record(run_id, spec, r, (m, s, o)).as_json())
    return len(places)


def _cases(
    order: tuple[str, ...],
    model: str,
    strategy: str,
    suite: SyntheticSuite,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Dice of every case: learned at its scanner's stage, some of it lost with every later one."""
    naive = ModelChoice.model_construct(name=model), StrategyChoice.model_construct(name="naive")
    run = Run("", order, *naive, 0)
    stages = [
        (stage, j)
        for stage in range(len(order) + 1)
        for j, scanner in enumerate(order)
        if scanner in scanners_to_test(suite.evaluate, run, stage)
    ]
    of_evaluation = suite.patients * len(CLASSES)
    stage, column = np.repeat(np.array(stages), of_evaluation, axis=0).T
    patient = np.tile(np.repeat(np.arange(suite.patients), len(CLASSES)), len(stages))
    structure = np.tile(np.arange(len(CLASSES)), len(stages) * suite.patients)
    lost = 0.02 * (1 + list(MODELS).index(model)) * (1.5 if strategy == "naive" else 0.6)
    lost *= min(1, len(SCANNERS) / len(order))
    after = 0.92 - lost * (stage - column - 1)
    mean = np.where(stage == 0, 0.05, np.where(stage <= column, 0.55, after))
    ease = random.normal(0, 0.02, (suite.patients, len(CLASSES)))
    noise = random.normal(0, 0.02, len(stage))
    dice = np.clip(mean + ease[patient, structure] + noise, 0, 1)
    bodies = np.random.default_rng(0).uniform(300, 700, ease.shape).round()
    true = bodies[patient, structure].astype(int)
    error = random.normal(2, 5, len(stage))
    names = np.array(order, object)[column]
    shared = len(order) <= len(SCANNERS)
    patients = pd.Series(patient).map("p{}".format) + ("" if shared else "@" + pd.Series(names))
    return pd.DataFrame({
        "stage": stage,
        "scanner": names,
        "patient": patients,
        "case": pd.Series(patient).map("p{}@".format) + pd.Series(names),
        "class": np.array(CLASSES, object)[structure],
        "overlap": (dice * true).astype(int),
        "predicted": true,
        "true": true,
        "dice": dice,
        "iou": dice / (2 - dice),
        "true_cm2": true * PIXEL_CM2,
        "area_error_cm2": error,
        "area_error_percent": error / true / PIXEL_CM2 * 100,
        "contour_mm": 900.0,
        "added_path_mm": 900 * (1 - dice),
        "to_correct_cm2": 9.0,
        "hd95_mm": 12.0,
        "assd_mm": 4.0,
        "missed": False,
        "false_positive_cm2": 0.0,
    })  # fmt: skip


def _curve(order: tuple[str, ...], random: np.random.Generator) -> pd.DataFrame:
    points = [
        (stage, step, scanner, name)
        for stage in range(1, len(order) + 1)
        for step in range(50, STEPS + 1, 50)
        for scanner in order[:stage]
        for name in CLASSES
    ]
    curve = pd.DataFrame(points, columns=["stage", "step", "scanner", "class"])
    return curve.assign(dice=0.85 + random.normal(0, 0.03, len(curve)))


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
