"""Plans and their progress, in lines for people and in JSON for machines."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress

from cl_seg.messages.plural import counted
from cl_seg.planning.gpus import gpus_of, visible_gpus
from cl_seg.planning.plan import Plan, merged_graph, notes_of
from cl_seg.planning.runs import Run
from cl_seg.planning.stages import Graph, Stage
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.progress import read_progress
from cl_seg.suite.stage_queue import StageQueue
from cl_seg.suite.view import duration_text


def summary(
    plans: Sequence[Plan], cache: StageCache, recorded: Set[str] = frozenset()
) -> Iterator[str]:
    """Runs with their steps, the split, then stages, what sharing saves, and the time left.

    Args:
        plans: of the suites.
        cache: of finished stages.
        recorded: keys of the runs whose records are there; they need no stage.
    """
    for plan in plans:
        runs = [planned.run for planned in plan.runs]
        yield from _scanner_lines(runs)
        if plan.context.held_out:
            yield f"held out, tested only: {', '.join(plan.context.held_out)}"
        for run in runs:
            steps = " + ".join(map(str, run.steps_per_experience(plan.context.training)))
            yield f"{run.run_id}  {steps} step{'s' * (steps != '1')}"
        yield from _part_lines(plan)
    for note in notes_of(plans):
        yield f"note: {note}"
    yield from device_lines(plans)
    graph = merged_graph(plans)
    alone, shared = trainings(graph)
    total = sum(stage.steps for stage in graph.stages.values())
    yield (
        f"{counted(len(graph.runs), 'run')}, {counted(len(graph.stages), 'stage')}: "
        f"{counted(shared, 'training')} of {counted(total, 'optimiser step')} in all; "
        f"sharing saves {counted(alone - shared, 'training')}"
    )
    finished = cache.keys() & graph.stages.keys()
    for label, count in runs_in_one_piece(graph).items():
        yield (
            f"{label} keeps no state (its plugin has no state_dict and load_state_dict): "
            f"{counted(count, 'run shares', 'runs share')} no training, and what is interrupted "
            "starts anew"
        )
    if done := sum(planned.key in recorded for planned in graph.runs):
        yield f"{done} of {counted(len(graph.runs), 'run is', 'runs are')} finished already"
    missing = missing_stages(graph, cache, recorded)
    done_before = counted(len(finished), "stage is", "stages are")
    yield f"{done_before} finished already; {_estimate(missing, cache)}"


def _scanner_lines(runs: Sequence[Run]) -> Iterator[str]:
    """The orders or months of a stream, or the scanners of an update or a seed curve."""
    first = runs[0]
    if first.starting_model or (first.seed_images and first.seed_images.base_model):
        old = f" (old scanners: {', '.join(first.order[:-1])})" if first.order[:-1] else ""
        yield f"saved model{old} → {first.order[-1]}"
    elif first.seed_images is not None:
        yield f"base: {' + '.join(first.seed_images.base_scanners)}; target: {first.order[-1]}"
    else:
        orders = {run.order_number: run.stream for run in runs}
        for number, stream in orders.items():
            name = "months" if first.months else f"order{number}"
            name = f"replicate{number}" if first.replicate else name
            yield f"{name}: {' → '.join(map(' + '.join, stream))}"


def _part_lines(plan: Plan) -> Iterator[str]:
    """Patients and slices of every scanner and part; none before data are simulated."""
    counts = plan.context.counts
    for scanner, parts in plan.cases.items():
        shown = [
            f"{part} {counted(len(cases), 'patient')} ({counted(counts[scanner][part], 'slice')})"
            for part, cases in parts.items()
        ]
        yield f"{scanner}: {', '.join(shown)}"


def json_summary(plans: Sequence[Plan], cache: StageCache, recorded: Set[str] = frozenset()) -> str:
    """The same for machines: suites, runs with the keys of their stages, and stages."""
    graph = merged_graph(plans)
    alone, shared = trainings(graph)
    finished = cache.keys()
    seconds, unknown = expected_seconds(missing_stages(graph, cache, recorded), cache)
    content = {
        "suites": [plan.name for plan in plans],
        "trainings": shared,
        "trainings_saved": alone - shared,
        "seconds_left_on_one_worker": round(seconds, 1),
        "stages_of_unknown_duration": unknown,
        "notes": notes_of(plans),
        "runs": [
            {
                "suite": planned.context.name,
                "run_id": planned.run_id,
                "finished": planned.key in recorded,
                "order": planned.order,
                "trained": planned.training_keys,
                "tested": planned.evaluation_keys,
            }
            for planned in graph.runs
        ],
        "stages": {
            key: {
                "kind": stage.kind,
                "title": stage.title,
                "steps": stage.steps,
                "needs": stage.needed_keys,
                "resumable": stage.resumable,
                "finished": key in finished,
            }
            for key, stage in graph.stages.items()
        },
    }
    return json.dumps(content, indent=1)


def progress_lines(
    plans: Sequence[Plan], cache: StageCache, recorded: Set[str] = frozenset()
) -> Iterator[str]:
    """How far some suites are: runs and stages finished, those under way, and the time left."""
    finished, begun = cache.keys(), cache.unfinished()
    for plan in plans:
        ready = [
            planned
            for planned in plan.runs
            if planned.key in recorded or finished.issuperset(planned.stage_keys)
        ]
        of_all = counted(len(plan.runs), "run is", "runs are")
        yield f"{plan.name}: {len(ready)} of {of_all} finished"
    graph = merged_graph(plans)
    done = finished & graph.stages.keys()
    missing = missing_stages(graph, cache, recorded)
    for stage in missing:
        if stage.key in begun:
            noted = read_progress(cache.working_folder(stage.key))
            steps = f", step {noted['step']} of {noted['steps']}" if noted else ""
            yield f"{'running' if begun[stage.key] else 'stopped'}: {stage.title}{steps}"
    every = counted(len(graph.stages), "stage is", "stages are")
    total = sum(stage.steps for stage in graph.stages.values())
    shares = _shares_left(missing, cache)
    left = sum(stage.steps * shares.get(stage.key, 1.0) for stage in missing)
    steps = f"{total - left:.0f} of {counted(total, 'optimiser step')} done"
    yield f"{len(done)} of {every} finished, {steps}; {_estimate(missing, cache)}"


def device_lines(plans: Sequence[Plan]) -> Iterator[str]:
    """Where plans are computed: on the CPU, or on which of the GPUs of this machine."""
    for context in {plan.context.device: plan.context for plan in plans}.values():
        if context.device == "cpu":
            none = "" if visible_gpus() else " (no GPU that torch can use)"
            yield f"computed on the CPU{none}"
        elif here := gpus_of(context.device):
            processor = context.environment["processor"]
            count = f"{len(here)} of {counted(len(visible_gpus()), 'GPU')} of this machine"
            yield f"computed on {processor} ({context.device}), {count}"


def missing_stages(graph: Graph, cache: StageCache, recorded: Set[str]) -> list[Stage]:
    """Stages still to be computed for the runs without a record."""
    runs = [planned for planned in graph.runs if planned.key not in recorded]
    return list(StageQueue(graph, runs, cache.keys(), lambda _: 0.0, 1).waiting.values())


def cache_lines(cache: StageCache) -> Iterator[str]:
    """Finished stages with their sizes, and what is begun or damaged."""
    sizes = cache.sizes()
    for key, size in sizes.items():
        with suppress(DamagedStage):
            yield f"{key[:12]}  {size / 1e6:8.2f} MB  {cache.metadata(key)['title']}"
    begun = sum(key not in sizes for key in cache.unfinished())
    damaged = len(list((cache.folder / "damaged").glob("*")))
    yield (
        f"{counted(len(sizes), 'stage')}, {sum(sizes.values()) / 1e6:.1f} MB in {cache.folder}; "
        f"{begun} begun, {damaged} set aside as damaged"
    )


def trainings(graph: Graph) -> tuple[int, int]:
    """Number of trainings of all runs each alone, and with what they share done once."""
    return (
        sum(
            len(planned.run.experiences) - (planned.run.starting_model is not None)
            for planned in graph.runs
        ),
        sum(s.position - s.first_position + 1 for s in graph.stages.values() if s.kind == "train"),
    )


def runs_in_one_piece(graph: Graph) -> Counter[str]:
    """Strategy → number of its runs that are trained in one piece."""
    keys = {planned.training_keys[0]: planned.run.strategy.label for planned in graph.runs}
    return Counter(label for key, label in keys.items() if not graph.stages[key].resumable)


def _estimate(missing: list[Stage], cache: StageCache) -> str:
    if not missing:
        return "nothing is left to compute"
    seconds, unknown = expected_seconds(missing, cache)
    if unknown == len(missing):
        return f"{counted(len(missing), 'is', 'are')} left, for how long is not known yet"
    length = duration_text(seconds)
    if unknown:
        known = f"{len(missing) - unknown} of them about {length} on one worker"
        return f"{counted(len(missing), 'is', 'are')} left: {known}, {unknown} of unknown duration"
    return f"{counted(len(missing), 'is', 'are')} left, about {length} on one worker"


def expected_seconds(missing: list[Stage], cache: StageCache) -> tuple[float, int]:
    """Seconds on one worker that stages still take, and of how many it is not known.

    From finished stages, and from how fast those that are begun have been.
    """
    durations = Durations()
    durations.learn_from(cache, missing)
    shares = _shares_left(missing, cache, durations)
    known = [stage for stage in missing if durations.has(stage)]
    seconds = sum(durations.seconds(stage) * shares.get(stage.key, 1.0) for stage in known)
    return seconds, len(missing) - len(known)


def _shares_left(
    missing: list[Stage], cache: StageCache, durations: Durations | None = None
) -> dict[str, float]:
    """Key of every stage that is begun → share that is still to be computed.

    Args:
        missing: stages that are not finished.
        cache: with notes of their progress.
        durations: take in how fast they have been.
    """
    begun = set(cache.unfinished_keys())  # few, of a million that may be missing
    shares = {}
    for stage in missing:
        if stage.key in begun and (noted := read_progress(cache.working_folder(stage.key))):
            shares[stage.key] = 1 - noted["step"] / noted["steps"]
            if durations:
                durations.observe(stage, noted["seconds_per_step"])
    return shares
