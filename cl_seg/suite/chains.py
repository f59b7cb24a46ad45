"""Which missing stages go out together, where a job has to wait in a queue before it starts."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

from cl_seg.planning.stages import Stage
from cl_seg.suite.stage_queue import Job


def chains(stages: Iterable[Stage]) -> list[Job]:
    """Cut stages into jobs.

    Trainings and consolidations that follow each other without a branch are one job, together with
    the evaluations of their states. Where several of them start from one stage, each begins a job
    of its own. Evaluations of a state that is there already are one job.

    Args:
        stages: to be computed; none comes before one it starts from.

    Returns:
        Jobs in the order of their first stages, which is also that of the stages of a job.
    """
    open_stages = {stage.key: stage for stage in stages}
    indices = {key: index for index, key in enumerate(open_stages)}
    before = {
        key: max(
            (need for need in stage.needed_keys if need in indices),
            key=indices.__getitem__,
            default="",
        )
        for key, stage in open_stages.items()
    }
    branches = Counter(before[k] for k, s in open_stages.items() if s.kind != "evaluate")
    job_of: dict[str, Hashable] = {}
    jobs: dict[Hashable, list[Stage]] = defaultdict(list)
    for key, stage in open_stages.items():
        previous = before[key]
        if previous and (stage.kind == "evaluate" or branches[previous] == 1):
            job_of[key] = job_of[previous]
        else:
            job_of[key] = stage.state_group if stage.kind == "evaluate" else key
        jobs[job_of[key]].append(stage)
    return [tuple(job) for job in jobs.values()]
