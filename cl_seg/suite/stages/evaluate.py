"""An evaluation: scores of a state on the test slices of a scanner."""

from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import torch

from cl_seg.benchmark.preprocess import windowed
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.examples import ranked_slices, slice_dice, typical_slice
from cl_seg.evaluation.predict import predict
from cl_seg.suite.cache import CASES, EXAMPLE
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.plugin_state import restored_plugin


def evaluate(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write a row of scores per case and class, and some slices to be shown."""
    stage, classes = inputs.stage, inputs.context.classes
    rows = inputs.rows((stage.scanner,), "test").reset_index(drop=True)
    slices = SliceDataset(inputs.images, rows)
    if stage.strategy_state_key:
        restored_plugin(inputs).load_scanner_statistics(
            inputs.model, inputs.run.learned_at(stage.scanner) - 1
        )
    prediction, truth = predict(inputs.model, slices)
    patients = dict(zip(rows["case"], rows["patient"], strict=True))
    store = inputs.images.store
    mm = store.header.grid.spacing_mm
    scores = case_scores(prediction, truth, list(rows["case"]), classes, mm)
    columns = {"stage": stage.position, "scanner": stage.scanner}
    cut = rows.groupby("case")["body_cut"].any()
    cases = [
        {**columns, "patient": patients[row["case"]], **row, "body_cut": bool(cut[row["case"]])}
        for row in scores
    ]
    pd.DataFrame(cases).to_parquet(out / CASES, index=False)
    dice = slice_dice(prediction, truth, len(classes))
    shown = [typical_slice(truth, len(classes)), *ranked_slices(dice)]
    pixels = [store.hu(stage.scanner)[row] for row in rows["row"].iloc[shown]]
    shades = windowed(torch.from_numpy(np.stack(pixels)), inputs.context.image.window_hu)
    np.savez_compressed(
        out / EXAMPLE,
        image=(shades[:, 0] * 255).round().to(torch.uint8).numpy(),
        truth=truth[shown],
        prediction=prediction[shown],
        dice=dice[shown],
    )
    return {"position": stage.position, "scanner": stage.scanner}
