"""Which scanners are tested after which experience of a run."""

from collections.abc import Set

from cl_seg.planning.runs import Run


def scanners_to_test(evaluate: str, run: Run, position: int) -> Set[str]:
    """The scanners of a run that are tested after an experience.

    Of N scanners learned one by one, N · (N + 1) evaluations are made with ``all``, N · (N + 1) / 2
    with ``seen``, and N · (f + 1) + 2 · (N − f) with ``every K``, where f = ⌈N / K⌉ experiences are
    followed by a test of all scanners, and the untrained network is tested too.

    Args:
        evaluate: ``all``, ``seen`` or ``every K``, see :class:`cl_seg.spec.suite.StreamSuite`.
        run: whose scanners they are.
        position: of the experience, from 1; 0 for the untrained network.
    """
    learned_at, visits = run.first_positions, run.visits
    if evaluate == "seen":
        return {scanner for scanner, learned in learned_at.items() if learned <= position}
    if evaluate == "all" or position == len(visits):
        return learned_at.keys()
    if position % int(evaluate.removeprefix("every ")) == 0:
        return learned_at.keys()
    # What plasticity, BWT and FWT are made from, and what a return loses and regains.
    return {*visits[position - 1], *visits[position]}
