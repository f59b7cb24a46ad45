"""Streams of different scanners, seen by position: the first scanner, the second, and so on.

Replicates have streams of other scanners each, so that nothing can be averaged over them scanner by
scanner. By position it can: R, curves and areas are then of the first scanner of a stream, of the
second, ….
"""

from collections.abc import Sequence
from dataclasses import replace

from cl_seg.records.record import RunRecord, StageRow
from cl_seg.records.results import RunResult
from cl_seg.records.tables import RenamedTables


def by_position(results: Sequence[RunResult]) -> list[RunResult]:
    """Runs of replicates with positions in the place of their scanners, other runs as they are."""
    return [_at_positions(run) if run.replicate else run for run in results]


def ordinal(position: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``, …."""
    teen = position % 100 in {11, 12, 13}
    return f"{position}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(position % 10, 'th')}"


def _at_positions(run: RunResult) -> RunResult:
    """The run as if every scanner of its stream were called after its position.

    It is paired with other runs by its own scanners. Scanners held out are the same in every
    replicate and keep their names.
    """
    names = {s: f"{ordinal(k)} scanner" for k, s in enumerate(run.scanners, start=1)}
    full = run.names or run.record.scanner_names
    shown = {name: name for name in names.values()} | {s: full[s] for s in run.held_out}
    return replace(
        run,
        record=_renamed(run.record, names, shown),
        tables=RenamedTables(run.tables, names),
        names=shown,
        positions_of=run.record.spec.order,
    )


def _renamed(record: RunRecord, names: dict[str, str], shown: dict[str, str]) -> RunRecord:
    order = tuple(names[scanner] for scanner in record.spec.order)
    return record.model_copy(
        update={
            "spec": record.spec.model_copy(update={"order": order}),
            "scanner_names": shown,
            "stages": tuple(_renamed_stage(stage, names) for stage in record.stages),
        }
    )


def _renamed_stage(stage: StageRow, names: dict[str, str]) -> StageRow:
    return stage.model_copy(update={"selection": names.get(stage.selection, stage.selection)})
