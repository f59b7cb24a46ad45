"""Division of a memory between experiences and patients."""

import math
from collections import defaultdict
from itertools import chain, zip_longest

from cl_seg.strategies.shared.memory_settings import MemorySettings


def memory_shares(settings: MemorySettings, seen: dict[int, int]) -> dict[int, int]:
    """Slices to keep of every experience.

    Args:
        settings: size of the memory and how it is divided.
        seen: experience → number of its slices.
    """
    if settings.percent is not None:
        return {k: math.ceil(settings.percent / 100 * count) for k, count in seen.items()}
    positions = sorted(seen)
    if settings.sampling == "random":
        return _proportional_shares(settings.slices, {k: seen[k] for k in positions})
    return _equal_shares(settings.slices, positions)


def _equal_shares(budget: int, positions: list[int]) -> dict[int, int]:
    share, rest = divmod(budget, len(positions))
    return {k: share + (i < rest) for i, k in enumerate(positions)}


def _proportional_shares(budget: int, seen: dict[int, int]) -> dict[int, int]:
    # Largest remainders, so that the budget is used up and nobody is more than one slice off.
    exact = {k: budget * count / sum(seen.values()) for k, count in seen.items()}
    shares = {k: math.floor(share) for k, share in exact.items()}
    by_remainder = sorted(exact, key=lambda k: (shares[k] - exact[k], k))
    for k in by_remainder[: budget - sum(shares.values())]:
        shares[k] += 1
    return shares


def patients_in_turn(order: list[int], patients: list[str]) -> list[int]:
    """Reorder indices so that every patient has one before any has two, keeping the order else.

    Args:
        order: indices into ``patients``.
        patients: of every index.
    """
    own: dict[str, list[int]] = defaultdict(list)
    for index in order:
        own[patients[index]].append(index)
    rounds = chain.from_iterable(zip_longest(*own.values()))
    return [index for index in rounds if index is not None]
