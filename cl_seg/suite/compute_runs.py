"""The missing stages of some runs, computed by an engine, until every run is finished or failed."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from cl_seg.planning.stages import Graph, PlannedRun, Stage
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.engines import Engine
from cl_seg.suite.schedule import Failure, Schedule
from cl_seg.suite.view import MakeView


def compute_runs(
    graph: Graph,
    runs: Sequence[PlannedRun],
    cache: StageCache,
    engine: Engine,
    finish: Callable[[PlannedRun], None],
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

    def complete(planned: PlannedRun) -> None:
        try:
            finish(planned)
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
        for planned in complete_now:
            complete(planned)

    with view.shown():
        for planned in schedule.complete():
            complete(planned)
        engine.compute_stages(schedule, cache, ended, view.update)
    return {p.key: f for p in runs if (f := schedule.failure_of(p)) is not None}
