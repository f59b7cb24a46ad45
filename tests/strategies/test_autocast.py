"""Forward passes of a strategy's own are computed in the precision of the training."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

from cl_seg.strategies.agem.plugin import AGEM
from cl_seg.strategies.lwf.plugin import LwF

from ..conftest import tiny_network
from ..training.conftest import make_loop, tagged_benchmark


@pytest.mark.parametrize("make_plugin", [LwF, lambda: AGEM(budget=4)], ids=["LwF", "A-GEM"])
@pytest.mark.parametrize("autocast", [True, False])
def test_own_forward_passes_follow_autocast(make_plugin, autocast):
    outputs = []

    def note(module, inputs, output):
        outputs.append((module.training, output.dtype))

    model = tiny_network()
    model.register_forward_hook(note)  # a teacher is a copy with the same hook
    loop = make_loop(model, [make_plugin()], autocast=autocast, steps=2)
    for experience in tagged_benchmark([6, 6]).train_stream:
        loop.train(experience, eval_streams=[])
    assert len(outputs) == 6, "two steps without and two with a second forward pass"
    assert {dtype for _, dtype in outputs} == {torch.bfloat16 if autocast else torch.float32}
