"""Where the updated model comes from, what it can do, and how to go back."""

from pathlib import Path

import pandas as pd

from cl_seg.analysis.update.outcomes import update_of
from cl_seg.analysis.update.recommend import Candidate, Recommendation
from cl_seg.analysis.update.tables import number
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import UpdateSpec


def lineage(found: Recommendation, parent: Path | None = None) -> pd.DataFrame:
    """What was updated with which data, and how to go back: columns field and says."""
    run = found.candidates[0].runs[0]
    update, record = update_of(run), run.record
    seeds = sorted({one.seed for candidate in found.candidates for one in candidate.runs})
    fields = {
        "model before": _model(update, parent),
        "trained on": ", ".join(update.parent_scanners.values()) or "not known",
        "new scanner": record.scanner_names[update.new],
        "old scanners": _named(run, update.old),
        "held out": _named(run, update.held_out),
        "data": f"content sha256 {record.data.content}",
        "seeds": ", ".join(map(str, seeds)),
        "versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "commit": record.git_commit or "not known",
        "to go back": (
            f"an update writes a new folder and leaves the model as it is. Put {_place(parent)} "
            "back into use; `sha256sum model.safetensors` there must say "
            f"{update.parent or 'what its card.json says'}."
        ),
    }
    return _as_table(fields)


def card(candidate: Candidate) -> pd.DataFrame:
    """Model card of a recommended candidate: columns field and says."""
    run = candidate.runs[0]
    update, spec = update_of(run), run.record.spec
    chosen = f" chosen by {update.by}" if update.by else ""
    fields = {
        "model": f"{candidate.network}, {run.record.parameters or 'unknown number of'} parameters, "
        f"images of {spec.image.size}² pixels",
        "structures": ", ".join(run.classes),
        "parent": _model(update, None),
        "update": f"{candidate.strategy}{_settings(run)}, "
        f"{counted(candidate.budget, 'labelled slice')}{chosen} of "
        f"{run.record.scanner_names[update.new]}, {_training(run)}",
        "network to use": f"seed {run.seed} ({run.run_id}), the first",
        **_scores(candidate),
        "limits": "tested on the scanners and structures above, on cross-sectional CT slices; of "
        "scanners that are not named nothing is known",
        "intended use": "research only: no medical device",
    }
    return _as_table(fields)


def _as_table(fields: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"field": list(fields), "says": list(fields.values())})


def _model(update: UpdateSpec, parent: Path | None) -> str:
    folder = f"{parent}, " if parent else ""
    return f"{folder}sha256 of the weights {update.parent or 'not known'}"


def _place(parent: Path | None) -> str:
    return f"{parent}" if parent else "its folder"


def _named(run: RunResult, scanners: tuple[str, ...]) -> str:
    return ", ".join(run.record.scanner_names[scanner] for scanner in scanners) or "none"


def _settings(run: RunResult) -> str:
    settings = run.record.spec.strategy.settings
    return f" ({', '.join(f'{k} {v}' for k, v in settings.items())})" if settings else ""


def _training(run: RunResult) -> str:
    training = run.record.spec.training
    rate = run.record.spec.learning_rate
    at = f", learning rate {rate * training.later.rate_factor:g}" if rate else ""
    return f"{counted(run.record.stages[-1].steps, 'step')} of {training.batch_size} slices{at}"


def _scores(candidate: Candidate) -> dict[str, str]:
    """Scanner → its scores after the update."""
    run = candidate.runs[0]
    scores: dict[str, list[str]] = {}
    for judged in candidate.outcomes:
        outcome = judged.outcome
        name = f"{run.short_names[outcome.scanner]} ({outcome.role})"
        after = number(outcome, float(outcome.after.mean()), False)
        scores.setdefault(name, []).append(f"{outcome.name} {after}")
    return {name: "; ".join(values) for name, values in scores.items()}
