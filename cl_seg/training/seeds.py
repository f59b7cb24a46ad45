"""Seeds of a stage, derived from where it stands and from nothing else."""

from zlib import crc32

import numpy as np

GENERATORS = ("global", "order", "augmentation")


def derive_seeds(seed: int, position: int, selection: str) -> dict[str, int]:
    """Independent seeds of a stage by purpose, so that it does not depend on what ran before it.

    Args:
        seed: of the run.
        position: of the stage, from 1; 0 for what is drawn before the first.
        selection: name of what the stage trains on, usually a scanner.

    Returns:
        Seeds of ``global`` generators, of the ``order`` of slices and of ``augmentation``.
    """
    entropy = (seed, position, crc32(selection.encode()))
    words = np.random.SeedSequence(entropy).generate_state(len(GENERATORS), np.uint64)
    return {name: int(w >> np.uint64(1)) for name, w in zip(GENERATORS, words, strict=True)}
