"""The missing stages of some runs, computed by an engine, until every run is finished or failed."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from cl_seg.planning.stages import Graph, RunStages, Stage
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.engines import Engine
from cl_seg.suite.schedule import Failure, Schedule
from cl_seg.suite.view import MakeView


def compute(
    graph: Graph,
    runs: Sequence[RunStages],
    cache: StageCache,
    engine: Engine,
    finish: Callable[[RunStages], None],
    make_view: MakeView,
) -> dict[str, Failure]:
    """Compute runs; results that turn out to be damaged are computed again.

    Args:
        graph: stages of these runs, and perhaps of others.
        runs: to be computed.
        cache: where results go.
        engine: where stages are computed.
        finish: called with every run whose stages are finished; may raise ``DamagedStage``.
        make_view: makes what shows the progress.

    Returns:
        Keys of the runs that failed, and why.
    """
    durations = Durations()
    durations.learn_from(cache, graph.stages.values())
    schedule = Schedule(graph, runs, cache.keys(), durations.seconds, engine.workers)
    view = make_view(schedule, cache, durations)

    def complete(run: RunStages) -> None:
        try:
            finish(run)
        except DamagedStage as damaged:
            schedule.lose(damaged.key)

    def ended(stage: Stage) -> None:
        new = not durations.known(stage)
        with suppress(DamagedStage):  # somebody else may have removed it
            durations.learn(cache.about(stage.key))
        complete_now = schedule.end(stage)
        if new:
            schedule.rank()
        view.ended(stage)
        for run in complete_now:
            complete(run)

    with view.shown():
        for run in schedule.complete():
            complete(run)
        engine.execute(schedule, cache, ended, view.update)
    return {run.key: f for run in runs if (f := schedule.failure_of(run)) is not None}
