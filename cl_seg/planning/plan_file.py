"""``plan.json``: a plan as a person reads and compares it."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_json
from cl_seg.planning.plan import Plan
from cl_seg.planning.stages import RunStages
from cl_seg.records.load import PLAN

SCHEMA = 1


def write_plan(folder: Path, plan: Plan) -> None:
    """Write ``plan.json`` into the folder of a plan's results."""
    write_json(folder / PLAN, plan_content(plan))


def plan_content(plan: Plan) -> dict[str, Any]:
    """A plan as JSON-serialisable data: suite, data, environment, split, and runs."""
    context, counts = plan.context, plan.context.counts
    suite = plan.request.suite if plan.request else None
    return {
        "schema": SCHEMA,
        "name": plan.name,
        "suite": suite.model_dump(mode="json") if suite else None,
        "data": {
            "store": str(context.store),
            "content": plan.header.content_sha256,
            "kind": plan.header.provenance.get("kind", "scans"),
        },
        "scanners": {scanner: plan.header.scanners[scanner] for scanner in context.scanners},
        "environment": dict(context.environment),
        "split": {
            scanner: {
                part: {
                    "slices": counts[scanner][part],
                    "cases": list(plan.cases[scanner][part]),
                    "rows": rows,
                    "digest": context.digests[scanner, part],
                }
                for part, rows in parts.items()
            }
            for scanner, parts in context.rows.items()
        },
        "notes": list(plan.notes),
        "runs": [run_content(run) for run in plan.runs],
    }


def run_content(run: RunStages) -> dict[str, Any]:
    """A run as JSON-serialisable data, with the keys of its stages."""
    one, positions = run.run, range(1, len(run.run.experiences) + 1)
    return {
        "run_id": one.run_id,
        "key": run.key,
        "model": one.model.label,
        "strategy": one.strategy.label,
        "order": list(one.order),
        "seed": one.seed,
        "learning_rate": one.learning_rate,
        "experiences": [list(group) for group in one.experiences],
        "steps": one.stage_steps(run.context.training.steps),
        "selections": [one.stage_name(position) for position in positions],
        "stages": {"train": run.trained, "consolidate": run.kept, "evaluate": run.tested},
    }
