"""Notes that every report has, and the scanners it is about."""

from collections.abc import Sequence

from cl_seg.analysis.many_scanners import is_many, listed
from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.seed_curve import seed_images_of
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import LaterSpec

MAX_NAMED = 8  # missing runs
MAX_ORDERS = 6


def of_all_runs(data: ReportData) -> Section:
    """Missing runs, the conditions that all runs share, and the test patients."""
    first = data.results[0]
    record, spec = first.record, first.record.spec
    conditions = [
        *(f"{caveat[0].upper()}{caveat[1:]}." for caveat in first.caveats),
        f"{counted(spec.training.steps, 'step')} of "
        f"{counted(spec.training.batch_size, 'slice')} per stage, "
        f"networks see {spec.image.size}² pixels, {record.device} ({record.processor}), "
        f"{counted(spec.training.threads, 'thread')}.",
        *_later_stages(spec.training.later),
        *_precisions(data.results),
    ]
    return Section("Runs", notes=[*_missing(data), *conditions, *_test_patients(data.results)])


def _later_stages(later: LaterSpec) -> list[str]:
    """How stages that train a network further differ from the first one, if at all."""
    if later == LaterSpec():
        return []
    return [
        f"Stages that train a network further: {later.steps_factor:g} × the steps, "
        f"{later.rate_factor:g} × the learning rate."
    ]


def _precisions(results: Sequence[RunResult]) -> list[str]:
    """The networks that were trained in bfloat16, if any."""
    of_network = {run.network: run.record.spec.training.precision for run in results}
    if "bfloat16" not in of_network.values():
        return []
    return [", ".join(f"{name} in {precision}" for name, precision in of_network.items()) + "."]


def _missing(data: ReportData) -> list[str]:
    finished = {run.run_id for run in data.results}
    missing = [run for run in data.planned if run not in finished]
    if not missing:
        return []
    more = [f"{len(missing) - MAX_NAMED} more"] if len(missing) > MAX_NAMED else []
    named = ", ".join([*missing[:MAX_NAMED], *more])
    planned = counted(len(data.planned), "run is", "runs are")
    return [f"{len(missing)} of {planned} missing: {named}."]


def _test_patients(results: Sequence[RunResult]) -> list[str]:
    """Number of test patients of every scanner, and a warning where it is one."""
    counts: dict[str, int] = {}
    first: dict[tuple[str, ...], RunResult] = {}
    for run in results:
        first.setdefault(tuple(run.order), run)
    for run in first.values():
        own = run.last_cases.groupby("scanner")["patient"].nunique()
        counts |= {run.short_names[scanner]: int(own.get(scanner, 0)) for scanner in run.order}
    each = ", ".join(f"{n} on {name}" for name, n in counts.items())
    if is_many(len(counts)):
        fewest, most = min(counts.values()), max(counts.values())
        range_in_words = f"{fewest} to {most}" if fewest < most else f"{most}"
        each = f"{range_in_words} on each of {len(counts)} scanners"
    notes = [f"Test patients: {each}."]
    if alone := [name for name, count in counts.items() if count == 1]:
        notes.append(
            f"Dice on {listed(alone)} is that of 1 test patient: it says little of others."
        )
    return notes


def numbers_of_orders(data: ReportData) -> Section | None:
    """Numbers of the orders of scanners, or replicates, where there are several."""
    numbered = {
        run.order_number: listed([run.short_names[scanner] for scanner in run.order], " → ")
        for run in data.own_scanners
        if not run.is_joint
    }
    if len(numbered) < 2:
        return None
    what = "Streams of replicates" if data.replicates else "Orders of scanners"
    named = [f"{number} is {stream}" for number, stream in sorted(numbered.items())]
    more = ["runs.csv has the others"] if len(named) > MAX_ORDERS else []
    note = f"{what}: {'; '.join(named[:MAX_ORDERS] + more)}."
    return Section(what, notes=[note])


def scanners_of_streams(results: Sequence[RunResult]) -> str:
    """The scanners in stream order, or how many orders or months there are of which scanners."""
    orders = list(dict.fromkeys(tuple(run.order) for run in results if not run.is_joint))
    names = _display_names(results)
    if months := len(results[0].record.spec.months):
        return f"{months} months of {listed([names[scanner] for scanner in results[0].order])}"
    if len(orders) < 2:
        return listed([names[scanner] for scanner in results[0].order], " → ")
    scanners = dict.fromkeys(names[scanner] for order in orders for scanner in order)
    named = listed(list(scanners))
    if results[0].replicate:
        length = counted(len(results[0].scanners), "scanner")
        return f"{len(orders)} replicates, each of {length} of its own: {named}"
    return f"{len(orders)} orders of {counted(len(scanners), 'scanner')}: {named}"


def scanners_of_seed_curve(results: Sequence[RunResult]) -> str:
    """The base scanners or the saved model, and the new scanner."""
    names, images = _display_names(results), seed_images_of(results[0])
    base = " + ".join(names.get(s, s) for s in images.base)
    if images.base_model is not None:
        base = f"saved model {images.base_model.name}"
    return f"{base} → {names[results[0].order[-1]]}"


def _display_names(results: Sequence[RunResult]) -> dict[str, str]:
    return {k: v for result in results for k, v in result.record.scanner_names.items()}
