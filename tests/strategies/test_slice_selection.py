"""Which slices a memory keeps: the first of a ranking by the network just trained."""

import json
from types import SimpleNamespace
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.der.plugin import DER
from cl_seg.strategies.replay.plugin import Replay
from cl_seg.strategies.shared.slice_memory import SliceMemory

from .conftest import Slices

ON_A_LINE = [0.0, 1, 2, 10]
K_CENTER = {0: [0, 3, 2, 1], 1: [1, 3, 0, 2], 2: [2, 3, 0, 1], 3: [3, 0, 2, 1]}  # by its first
CLUSTERS = [0.0, 1, 2, 3, 4, 5, 100, 101, 102]


class Brightness(nn.Module):
    """Its only feature is the mean of the image; it is unsure of what is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.halve = nn.AvgPool2d(2)
        self.dropout = nn.Dropout(0.9)  # shows in a network that is not in eval mode
        self.certain = nn.Parameter(torch.tensor(20.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        mean = nn.functional.interpolate(self.dropout(self.halve(images)), scale_factor=2)
        return torch.cat([self.certain - mean, torch.zeros_like(mean)], dim=1)


class PatientsSlices(Slices):
    """Slices that know their patients."""

    patients: tuple[str, ...] = ()


def bright_slices(values: list[float], patients: str = "") -> PatientsSlices:
    """A slice of each brightness, of patients named by letters."""
    slices = PatientsSlices((torch.full((1, 4, 4), float(v)), torch.zeros(4, 4)) for v in values)
    slices.patients = tuple(patients)
    return slices


def end_experience(plugin: SliceMemory, position: int, slices: Slices) -> Brightness:
    """What a consolidation does: the hook alone, with the network and the experience."""
    model = Brightness()
    experience = SimpleNamespace(current_experience=position, dataset=slices)
    plugin.after_training_exp(SimpleNamespace(model=model, experience=experience))
    return model


def memory_of(slices: Slices, **settings: Any) -> list[int]:
    plugin = Replay(**settings)
    assert end_experience(plugin, 0, slices).training, "the network is left as it was"
    return plugin.memory[0]


def test_random_slices_are_those_of_before_there_was_a_choice():
    """Without a setting of its own, and without a draw from the global generator."""
    torch.manual_seed(0)
    state = torch.get_rng_state()
    plugin = Replay(budget=6)
    for position in range(3):
        end_experience(plugin, position, bright_slices([0.0] * 21))
    assert plugin.memory == {0: [0, 11], 1: [2, 10], 2: [16, 10]}
    assert torch.equal(torch.get_rng_state(), state)


def test_k_center_on_points_of_a_line():
    for seed in range(12):
        kept = memory_of(bright_slices(ON_A_LINE), select="k-center", budget=4, seed=seed)
        assert kept == K_CENTER[kept[0]]
        assert kept[:2] == memory_of(
            bright_slices(ON_A_LINE), select="k-center", budget=2, seed=seed
        )
    starts = {
        memory_of(bright_slices(ON_A_LINE), select="k-center", budget=1, seed=seed)[0]
        for seed in range(12)
    }
    assert starts == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", range(3))
def test_typical_slices_of_two_clusters(seed: int):
    kept = memory_of(bright_slices(CLUSTERS), select="typiclust", budget=2, seed=seed)
    assert [CLUSTERS[i] for i in kept] == [4, 101], "medians of all and of the other cluster"


def test_the_least_sure_are_kept():
    brightness = [3.0, 1, 19, 2, 18, 0]  # logits differ by 20 - brightness
    assert memory_of(bright_slices(brightness), select="entropy", budget=3) == [2, 4, 0]


def test_patients_take_turns_in_the_order_of_the_ranking():
    brightness = [19.0, 18, 17, 3, 2, 1]
    slices = bright_slices(brightness, "aaabbc")
    assert memory_of(slices, select="entropy", by="slice", budget=3) == [0, 1, 2]
    assert memory_of(slices, select="entropy", by="patient", budget=3) == [0, 3, 5]
    assert memory_of(slices, select="entropy", by="patient", budget=5) == [0, 3, 5, 1, 4]


@pytest.mark.parametrize("select", ["k-center", "typiclust", "entropy"])
@pytest.mark.parametrize("plugin_class", [Replay, DER])
def test_shares_are_cut_to_their_beginning_and_state_is_plain(select: Any, plugin_class: type[Any]):
    plugin = plugin_class(select=select, budget=4, seed=1)
    end_experience(plugin, 0, bright_slices(CLUSTERS))
    first = list(plugin.memory[0])
    restored = plugin_class(select=select, budget=4, seed=1)
    restored.load_state_dict(plugin.state_dict())
    for one in (plugin, restored):
        end_experience(one, 1, bright_slices(ON_A_LINE))
    assert plugin.memory == restored.memory and plugin.memory[0] == first[:2]
    assert len(plugin.memory[1]) == 2
    memory = {k: v for k, v in plugin.state_dict().items() if k != "logits"}
    assert json.loads(json.dumps(memory)) == memory


def test_per_cent_of_a_ranking():
    assert len(memory_of(bright_slices(CLUSTERS), select="typiclust", percent=50)) == 5


def test_vectors_have_no_feature_map():
    plugin = Replay(select="k-center")
    experience = SimpleNamespace(current_experience=0, dataset=Slices([(torch.zeros(3), 0)]))
    with pytest.raises(InputError, match="feature map"):
        plugin.after_training_exp(SimpleNamespace(model=nn.Linear(3, 2), experience=experience))
