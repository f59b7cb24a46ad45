"""A tensor that is not where it belongs is found wherever a plugin keeps it."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from experiments.gpu import resume
from experiments.gpu.extent import small_extent
from experiments.gpu.outcome import CheckFailed
from experiments.gpu.placement import kept_tensors, misplaced, placed

CPU = torch.device("cpu")


@dataclass
class Path:
    omega: dict[str, Tensor] = field(default_factory=dict)


class Plugin:
    def __init__(self, wrong: torch.device) -> None:
        self.budget = 8
        self.logits = {0: torch.zeros(2), 1: torch.zeros(2, device=wrong)}
        self.path = Path({"weight": torch.zeros(3)})
        self.teacher = nn.BatchNorm1d(2)
        self.copies = [torch.zeros(1)]


def test_all_that_a_plugin_keeps_is_found() -> None:
    kept = dict(kept_tensors(Plugin(CPU)))
    assert {"logits.0", "logits.1", "path.omega.weight", "copies.0"} < set(kept)
    assert {"teacher.weight", "teacher.running_mean"} < set(kept)
    assert misplaced(kept, CPU) == []


def test_a_tensor_elsewhere_is_named_with_where_it_is() -> None:
    kept = dict(kept_tensors(Plugin(torch.device("meta"))))
    assert misplaced(kept, CPU) == ["logits.1 (meta)"]
    assert "copies.0 (cpu)" in misplaced(kept, torch.device("cuda"))


def test_what_is_kept_only_while_training_is_looked_at() -> None:
    extent = replace(small_extent(CPU), image=32)
    strategy = resume.tested("vnet", "lwf", extent)
    assert placed(strategy, CPU)["largest megabytes"] > 1, "the teacher"

    def with_one_elsewhere() -> Any:
        plugin = strategy.make_plugin()
        begin = plugin.before_training_exp

        def misplace(*arguments: Any, **more: Any) -> None:
            begin(*arguments, **more)
            plugin.mask = None if plugin.teacher is None else torch.zeros(1, device="meta")

        plugin.before_training_exp = misplace
        return plugin

    with pytest.raises(CheckFailed, match=r"not on cpu: mask \(meta\)"):
        placed(replace(strategy, make_plugin=with_one_elsewhere), CPU)
