"""Computes the missing stages of some runs, until every run is finished or failed."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from cl_seg.planning.stages import Graph, PlannedRun, Stage
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.engines import Engine
from cl_seg.suite.stage_queue import Failure, StageQueue
from cl_seg.suite.view import ProgressFactory


def compute_runs(
    graph: Graph,
    runs: Sequence[PlannedRun],
    cache: StageCache,
    engine: Engine,
    finish: Callable[[PlannedRun], None],
    make_progress: ProgressFactory,
) -> dict[str, Failure]:
    """Compute runs; results that turn out to be damaged are computed again.

    Args:
        graph: stages of these runs, and perhaps of others.
        runs: to be computed.
        cache: where results go.
        engine: where stages are computed.
        finish: called with every run whose stages are finished; may raise ``DamagedStage``.
        make_progress: makes the view of the progress.

    Returns:
        Keys of the runs that failed, and why.
    """
    durations = Durations()
    durations.learn_from(cache, graph.stages.values())
    stage_queue = StageQueue(graph, runs, cache.keys(), durations.seconds, engine.workers)
    view = make_progress(stage_queue, cache, durations)

    def on_run_complete(planned: PlannedRun) -> None:
        try:
            finish(planned)
        except DamagedStage as damaged:
            stage_queue.mark_damaged(damaged.key)

    def on_stage_finished(stage: Stage) -> None:
        new = not durations.has(stage)
        with suppress(DamagedStage):  # somebody else may have removed it
            durations.add(cache.metadata(stage.key))
        complete_now = stage_queue.mark_finished(stage)
        if new:
            stage_queue.update_priorities()
        view.on_finished(stage)
        for planned in complete_now:
            on_run_complete(planned)

    with view.showing():
        for planned in stage_queue.complete_runs():
            on_run_complete(planned)
        engine.compute_stages(stage_queue, cache, on_stage_finished, view.update)
    return {p.key: f for p in runs if (f := stage_queue.failure_of(p)) is not None}
