"""``plan.json``: a plan as a person reads and compares it."""

from pathlib import Path
from typing import Any

from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import Plan
from cl_seg.planning.split import Rows
from cl_seg.planning.stages import PlannedRun
from cl_seg.records.load import PLAN
from cl_seg.spec.choices import StrategyChoice
from cl_seg.spec.suite import Suite

SCHEMA = 1


def write_plan(folder: Path, plan: Plan) -> None:
    """Write ``plan.json`` into the folder of a plan's results."""
    write_json(folder / PLAN, plan_content(plan))


def planned_split(folder: Path) -> tuple[Path, Rows] | None:
    """Store of the slices of a plan, and which of them train, validate and test.

    Args:
        folder: of the results.

    Returns:
        None where ``plan.json`` is of an older version, which did not say.

    Raises:
        InputError: it is damaged.
    """
    path = folder / PLAN
    try:
        plan = read_json(path)
        if "split" not in plan:
            return None
        split = {
            scanner: {part: str(about["rows"]) for part, about in parts.items()}
            for scanner, parts in plan["split"].items()
        }
        return Path(plan["data"]["store"]), split
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({error}): `cl-seg run` writes it anew") from None


def plan_content(plan: Plan) -> dict[str, Any]:
    """A plan as JSON-serialisable data: suite, data, environment, split, and runs."""
    context, counts = plan.context, plan.context.counts
    suite = plan.checked.suite if plan.checked else None
    return {
        "schema": SCHEMA,
        "name": plan.name,
        "suite": suite_content(suite) if suite else None,
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
        "runs": [run_content(planned) for planned in plan.runs],
    }


def suite_content(suite: Suite) -> dict[str, Any]:
    """A suite as a file would hold it, every default filled in.

    Settings per network, networks and grids of strategies are included: runs are keyed without
    them, but without them the suite could not be planned again.
    """
    content = suite.model_dump(mode="json")
    unkeyed = [name for name, field in StrategyChoice.model_fields.items() if field.exclude]
    for strategy, choice in zip(content["strategies"], suite.strategies, strict=True):
        strategy |= {name: getattr(choice, name) for name in unkeyed}
    return content


def run_content(planned: PlannedRun) -> dict[str, Any]:
    """A run as JSON-serialisable data, with the keys of its stages."""
    run, training = planned.run, planned.context.training
    positions = range(1, len(run.experiences) + 1)
    return {
        "run_id": run.run_id,
        "key": planned.key,
        "model": run.model.label,
        "strategy": run.strategy.label,
        "order": list(run.order),
        "seed": run.seed,
        "learning_rates": run.learning_rates(training),
        "experiences": [list(group) for group in run.experiences],
        "steps": run.steps_per_experience(training),
        "selections": [run.training_set_name(position) for position in positions],
        "stages": {
            "train": planned.training_keys,
            "consolidate": planned.consolidation_keys,
            "evaluate": planned.evaluation_keys,
        },
    }
