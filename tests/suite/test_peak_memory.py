"""The peak is that of the work, not of what came before it."""

import numpy as np
import torch

from cl_seg.suite.peak_memory import begin_peak, peak_bytes

CPU = torch.device("cpu")


def needs(megabytes: int) -> int:
    begin_peak(CPU)
    block = np.ones(megabytes * 131072)
    assert block[-1] == 1
    del block
    return peak_bytes(CPU) or 0


def test_peak_follows_the_work() -> None:
    large, small = needs(300), needs(30)
    assert 200e6 < large - small < 400e6
