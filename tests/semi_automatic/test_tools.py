"""Tools on a drawn body: a fat layer, a wall of muscle, a spine, and a liver."""

import numpy as np
import pytest

from cl_seg.metrics.segmentation import dice
from cl_seg.semi_automatic.registry import TOOLS
from cl_seg.semi_automatic.tools import ToolInput, clicks, level_set, rough_region, window_and_wall

MM, SIZE = 2.0, 160


def body(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) HU and labels: 1 muscle, 2 liver."""
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) * MM
    r = np.hypot(y / 0.8, x)
    hu = np.full((SIZE, SIZE), -1000.0)
    labels = np.zeros((SIZE, SIZE), np.uint8)
    hu[r < 140] = -100
    wall = (r < 110) & (r > 96)
    hu[wall], labels[wall] = 55, 1
    for side in (-1, 1):
        back = np.hypot(y - 55, x + side * 38) < 20
        hu[back], labels[back] = 55, 1
    hu[np.hypot(y - 50, x) < 16] = 400
    liver = np.hypot((y + 20) / 1.2, x + 40) < 38
    hu[liver], labels[liver] = 110, 2
    hu[np.hypot(y + 30, x - 45) < 25] = 40
    return (hu + np.random.default_rng(0).normal(0, noise, hu.shape)).astype(np.int16), labels


def given(structure: str, noise: float = 0.0) -> ToolInput:
    hu, labels = body(noise)
    return ToolInput(hu, MM, labels == {"muscle": 1, "liver": 2}[structure])


@pytest.mark.parametrize(
    ("tool", "structure", "least"),
    [
        (window_and_wall, "muscle", 0.85),
        (clicks, "muscle", 0.85),
        (rough_region, "muscle", 0.9),
        (level_set, "liver", 0.93),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 15.0])
def test_tools_find_what_is_plain_to_see(tool, structure, least, noise):
    one = given(structure, noise)
    assert dice(tool(one).mask, one.truth) > least


def test_a_script_takes_no_interaction_and_never_looks_at_the_truth():
    one = given("muscle")
    blind = ToolInput(one.hu, one.spacing_mm, np.zeros_like(one.truth))
    assert window_and_wall(one).interactions == 0
    assert (window_and_wall(one).mask == window_and_wall(blind).mask).all()


def test_interactions_are_counted():
    assert 1 <= clicks(given("muscle")).interactions <= 12
    assert clicks(given("muscle"), limit=2).interactions <= 2
    assert level_set(given("liver")).interactions >= 1
    corners = rough_region(given("liver")).interactions
    assert 6 <= corners <= 60, "a disc takes some corners"


def test_more_clicks_are_never_worse():
    one = given("muscle", 15.0)
    scores = [dice(clicks(one, limit=n).mask, one.truth) for n in (1, 4, 12)]
    assert scores == sorted(scores)


@pytest.mark.parametrize("tool", [clicks, rough_region, level_set])
def test_nothing_to_find_costs_nothing(tool):
    one = given("muscle")
    outcome = tool(ToolInput(one.hu, MM, np.zeros_like(one.truth)))
    assert outcome.interactions == 0 and not outcome.mask.any()


@pytest.mark.parametrize("tool", [window_and_wall, clicks, rough_region, level_set])
def test_an_image_of_air_gives_nothing(tool):
    hu = np.full((SIZE, SIZE), -1000, np.int16)
    assert not tool(ToolInput(hu, MM, np.zeros(hu.shape, bool))).mask.any()


def test_every_declared_tool_is_there():
    import importlib

    for tool in TOOLS.values():
        module, _, name = tool.target.partition(":")
        assert callable(getattr(importlib.import_module(module), name))
