"""Random generators by seed and purpose."""

from zlib import crc32

import numpy as np


def random_generator(seed: int, *purpose: str) -> np.random.Generator:
    """Random generator of one purpose, independent of all others."""
    return np.random.default_rng([seed, *(crc32(word.encode()) for word in purpose)])
