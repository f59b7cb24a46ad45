"""Whether a network with batch norm forgets through its weights or through its running statistics.

For finished runs of two scanners, four networks are scored on the test slices of the first scanner:
weights from before or after the second training, combined with running statistics from before or
after it. The four mean Dice of every run are printed. If old weights with new statistics lose as
much as the network lost, no penalty on weights could have prevented the loss.

    cl-seg run experiments/strategies/development.yaml
    python experiments/strategies/what_drifts.py experiments/strategies/development.yaml \
        results/development --network vnet
"""

import argparse
from pathlib import Path

from cl_seg.runtime import torch_setup  # isort: skip
import pandas as pd
import torch
from torch import Tensor

from cl_seg.analysis.tables import markdown
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.predict import predict
from cl_seg.models.build import build_model
from cl_seg.planning.plan import Plan, resolve
from cl_seg.records.load import load_results
from cl_seg.records.record import RunRecord
from cl_seg.runtime.serialise import from_bytes
from cl_seg.scans.rows import selected_slices
from cl_seg.scans.store import SliceStore
from cl_seg.strategies.shared.batch_norm import running_statistics
from cl_seg.suite.cache import StageCache, state_file

State = dict[str, Tensor]
COMBINED = (("before", "before"), ("before", "after"), ("after", "before"), ("after", "after"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--network", default="vnet")
    parser.add_argument("--cache", type=Path, default=Path("data/stages"))
    options = parser.parse_args()
    torch_setup.make_deterministic(1)
    plan, cache = resolve(options.suite, cache=options.cache), StageCache(options.cache)
    images = task_images(plan)
    rows = []
    for record in (result.record for result in load_results(options.results)):
        if record.spec.model.name == options.network and len(record.states) == 2:
            states = [
                from_bytes(cache.read(key, state_file(position)), "cpu")
                for position, key in enumerate(record.states, start=1)
            ]
            rows.append({"strategy": record.strategy, **scores(plan, images, record, states)})
    print(markdown(pd.DataFrame(rows).map(lambda v: v if isinstance(v, str) else f"{v:.3f}")))


def task_images(plan: Plan) -> TaskImages:
    """The slices of a suite."""
    context = plan.context
    task = Task(tuple(context.classes), context.image.size, context.image.window_hu)
    return TaskImages(SliceStore(context.store), task, torch.device("cpu"))


def scores(
    plan: Plan, images: TaskImages, record: RunRecord, states: list[State]
) -> dict[str, float]:
    """Mean Dice on the first scanner by ``weights / statistics`` before and after the second."""
    context, spec = plan.context, record.spec
    model = build_model(
        spec.model.name,
        spec.model.preset,
        spec.model.arguments,
        len(context.classes) + 1,
        context.image.size,
    )
    statistics = {name for name, _ in running_statistics(model)}
    if not statistics:
        raise SystemExit(f"{spec.model.name} has no running statistics")
    first = spec.order[0]
    rows = selected_slices(images.store.slices, first, context.rows[first]["test"])
    rows = rows.reset_index(drop=True)
    by_time = dict(zip(("before", "after"), states, strict=True))
    found = {}
    for weights, moments in COMBINED:
        model.load_state_dict(
            {name: by_time[moments if name in statistics else weights][name] for name in states[0]}
        )
        prediction, truth = predict(model, SliceDataset(images, rows))
        cases = case_scores(
            prediction,
            truth,
            list(rows["case"]),
            context.classes,
            images.store.header.grid.spacing_mm,
        )
        table = pd.DataFrame(cases)
        found[f"{weights} / {moments}"] = float(table.groupby("class")["dice"].mean().mean())
    return found


if __name__ == "__main__":
    main()
