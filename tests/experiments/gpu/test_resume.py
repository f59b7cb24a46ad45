"""Fine-tuning and strategies are resumed; one that keeps its state wrongly is found."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from cl_seg.training.contract.checks import ContractViolation
from experiments.gpu import resume
from experiments.gpu.extent import small_extent

EXTENT = replace(small_extent(torch.device("cpu")), image=32)


def test_fine_tuning_has_no_state_to_keep() -> None:
    assert resume.resumed(resume.tested("unet", "naive", EXTENT)) == {}


def test_a_state_that_comes_back_changed_is_found() -> None:
    strategy = resume.tested("unet", "l2", EXTENT)

    def forgetful() -> Any:
        plugin = strategy.make_plugin()
        plugin.state_dict = dict
        plugin.load_state_dict = lambda state: setattr(plugin, "settings", forgotten)
        return plugin

    forgotten = strategy.make_plugin().settings.model_copy(update={"l2_lambda": 0.0})
    with pytest.raises(ContractViolation):
        resume.resumed(replace(strategy, make_plugin=forgetful, keeps_state=True))


def test_every_network_is_fine_tuned_and_every_plugin_trained() -> None:
    parts = [part.name for part in resume.resume_check(EXTENT, EXTENT).parts]
    assert parts[:4] == ["vnet naive", "unet naive", "unetr naive", "swin_unetr naive"]
    assert {"vnet ewc", "vnet der", "vnet lwf"} < set(parts) and "vnet joint" not in parts
