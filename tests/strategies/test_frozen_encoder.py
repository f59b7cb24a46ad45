"""The encoder of every network stays as it is, and the rest is trained."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.strategies.frozen_encoder.plugin import FrozenEncoder
from tests import networks


def begin(plugin, model, position):
    strategy = SimpleNamespace(model=model, clock=SimpleNamespace(train_exp_counter=position - 1))
    plugin.before_training_exp(strategy)
    plugin.before_forward(strategy)


@pytest.mark.parametrize(
    ("name", "size", "decoder"),
    [
        ("vnet", 32, r"up_tr|out_tr"),
        ("unet", 32, r"model\.(1\.submodule\.)*2\."),
        ("unetr", 32, r"decoder|out"),
        ("swin_unetr", 64, r"decoder|out"),
        ("segresnet", 16, r"up_|conv_final"),
        ("attention_unet", 32, r"model\.(1\.submodule\.)*(1\.(upconv|attention|merge)|2)\."),
        ("mednext", 32, r"up_blocks|dec_stages|out_0"),
        networks.case("nnunet", 32, "decoder"),
        networks.case("nnunet_resenc", 32, "decoder"),
    ],
)
def test_encoders_of_the_registry(name, size, decoder):
    import re

    model = build_model(name, "small", {}, 3, size)
    begin(FrozenEncoder(), model, 2)
    for parameter, p in model.named_parameters():
        assert p.requires_grad == bool(re.match(decoder, parameter)), parameter
    model(torch.zeros(2, 1, size, size)).sum().backward()


def test_statistics_of_the_encoder_stay():
    model = build_model("vnet", "small", {}, 3, 32).train()
    begin(FrozenEncoder(), model, 2)
    modes = {n: m.training for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    assert all(training == n.startswith(("up", "out")) for n, training in modes.items())
    assert set(modes.values()) == {True, False}


def test_first_experience_trains_everything():
    model = build_model("unet", "small", {}, 3, 32)
    begin(FrozenEncoder(), model, 1)
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "size", "head"),
    [
        ("vnet", 32, r"out_tr\.conv2"),
        ("unet", 32, r"model\.2\.1\."),
        ("unetr", 32, r"out\."),
        ("swin_unetr", 64, r"out\."),
        ("segresnet", 16, r"conv_final\.2\."),
        ("attention_unet", 32, r"model\.2\."),
        ("mednext", 32, r"out_0\."),
        networks.case("nnunet", 32, r"decoder\.seg_layers\."),
    ],
)
def test_heads_of_the_registry(name, size, head):
    import re

    model = build_model(name, "small", {}, 3, size)
    begin(FrozenEncoder(trains="head"), model, 2)
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trained == {n for n, _ in model.named_parameters() if re.match(head, n)}
    of_classes = [p for n, p in model.named_parameters() if n in trained and p.dim() > 1]
    assert of_classes and all(3 in p.shape[:2] for p in of_classes)


@pytest.mark.parametrize("encoder", ["nothing", "."])
def test_an_expression_of_none_or_all_is_refused(encoder):
    model = build_model("unet", "small", {}, 3, 32)
    with pytest.raises(InputError, match="it must be that of some"):
        begin(FrozenEncoder(encoder=encoder), model, 2)
