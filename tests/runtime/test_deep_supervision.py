"""Coarser logits are collected where they are asked for, and nowhere else."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.runtime.deep_supervision import coarser_logits


class TwoScales(nn.Module):
    def __init__(self):
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(1, 3, 1), nn.Conv2d(1, 3, 1, stride=2)
        self.coarser = None

    def forward(self, x):
        if self.coarser is not None:
            self.coarser.append(self.coarse(x))
        return self.fine(x)


def test_only_a_network_with_deep_supervision_gives_some():
    x = torch.rand(1, 1, 4, 4)
    for network, shapes in ((nn.Conv2d(1, 3, 1), []), (TwoScales(), [(1, 3, 2, 2)])):
        with coarser_logits(network) as found:
            network(x)
        network(x)
        assert [tuple(logits.shape) for logits in found] == shapes


def test_an_error_ends_the_collection():
    network = TwoScales()
    with pytest.raises(KeyError), coarser_logits(network):
        raise KeyError
    assert network.coarser is None
