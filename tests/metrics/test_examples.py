"""The examples in the docstrings are what the functions give, and bad shapes are refused."""

import doctest
from importlib import import_module

import numpy as np
import pytest

from cl_seg import metrics


@pytest.mark.parametrize("name", ["", ".continual", ".segmentation"])
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(f"cl_seg.metrics{name}"))
    assert found.attempted > 2 and not found.failed


@pytest.mark.parametrize("name", ["spread", "burden", "body_composition"])
def test_few_examples(name: str) -> None:
    found = doctest.testmod(import_module(f"cl_seg.metrics.{name}"))
    assert found.attempted and not found.failed


def test_masks_of_two_shapes_are_not_broadcast() -> None:
    one, other = np.ones((4, 4)), np.ones((4, 1))
    for score in (metrics.dice, metrics.iou):
        with pytest.raises(ValueError, match="one shape"):
            score(one, other)
    for surface in (metrics.hd95, metrics.assd, metrics.surface_dice):
        with pytest.raises(ValueError, match="one shape"):
            surface(one, other, 1.0)


def test_every_public_name_is_documented() -> None:
    assert all(getattr(metrics, name).__doc__ for name in metrics.__all__)
