"""Seeds derived from the seed of a run, a position in its stream and a name."""

from zlib import crc32

import numpy as np

GENERATORS = ("global", "order", "augmentation")


def derive_seeds(seed: int, position: int, selection: str) -> dict[str, int]:
    """Independent seeds by purpose, so that no result depends on what was computed before it.

    Args:
        seed: of the run.
        position: of the experience, from 1; 0 for draws before the first.
        selection: name of the slices that are trained on, usually a scanner, or of another purpose.

    Returns:
        Seeds of ``global`` generators, of the ``order`` of slices and of ``augmentation``.
    """
    entropy = (seed, position, crc32(selection.encode()))
    words = np.random.SeedSequence(entropy).generate_state(len(GENERATORS), np.uint64)
    return {name: int(w >> np.uint64(1)) for name, w in zip(GENERATORS, words, strict=True)}
