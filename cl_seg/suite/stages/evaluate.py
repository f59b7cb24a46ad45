"""An evaluation: scores of a state on the test slices of a scanner."""

import copy
from collections import Counter
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
from cl_seg.evaluation.predict import ImageBatches, predict
from cl_seg.scans.store import Labels
from cl_seg.strategies.registry import find_strategy
from cl_seg.suite.cache import CASES, EXAMPLE
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.plugin_state import restored_plugin


def evaluate(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write a row of scores per case and class, and some slices to be shown."""
    stage, classes = inputs.stage, inputs.context.classes
    rows = inputs.rows((stage.scanner, "test")).reset_index(drop=True)
    slices = SliceDataset(inputs.images, rows)
    prediction, routes = _predicted_as_the_strategy_scores(inputs, slices)
    truth = slices.truth
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
    taken = {"routes": routes} if routes else {}
    return {"position": stage.position, "scanner": stage.scanner, **taken}


def _predicted_as_the_strategy_scores(
    inputs: StageInputs, slices: SliceDataset
) -> tuple[Labels, dict[str, int]]:
    """Predicted labels of every slice, by the network that the strategy scores, and its routes.

    Returns:
        (N, H, W) uint8; and, of a strategy with parameters per scanner, whose parameters were
        taken → number of cases.
    """
    stage, run = inputs.stage, inputs.run
    if not stage.changes_scoring:
        return predict(inputs.model, slices)[0], {}
    plugin, trained = restored_plugin(inputs), copy.deepcopy(inputs.model.state_dict())
    experience = run.learned_at(stage.scanner) - 1
    per_case = find_strategy(run.strategy.name).scoring == "per_case"
    groups = slices.rows.groupby("case" if per_case else "scanner", sort=False).indices
    prediction, routes = np.empty_like(slices.truth), Counter[str]()
    for chosen in groups.values():
        some = SliceDataset(inputs.images, slices.rows.iloc[chosen])
        inputs.model.load_state_dict(trained)
        plugin.prepare_scoring(inputs.model, experience, ImageBatches(some))
        prediction[chosen] = predict(inputs.model, some)[0]
        if (route := getattr(plugin, "taken_route", None)) is not None:
            routes[run.training_set_name(route + 1)] += 1
    return prediction, dict(routes)
