"""Numbers that every further scanner adds, as the documentation has them."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

from cl_seg.models.build import build_model, parameter_count
from cl_seg.models.registry import NETWORKS
from cl_seg.strategies.shared.low_rank import adaptable_layers, attach, detach
from cl_seg.strategies.shared.normalisation import normalisation_tensors

DOCUMENT = Path(__file__).parents[2] / "docs" / "strategies.md"


@pytest.mark.parametrize("name", ["vnet", "unet", "unetr", "swin_unetr"])
def test_growth_is_what_the_documentation_says(name):
    network = NETWORKS[name]
    model = build_model(name, "small", {}, 3, 64)
    in_all = parameter_count(model)
    norm = sum(t.numel() for t in normalisation_tensors(model).values() if t.is_floating_point())
    layers = adaptable_layers(model)
    attach(layers, 4, torch.Generator())
    adapters = norm + sum(t.numel() for t in detach(layers).values())
    own = f"{norm:,}" if norm else "refused"
    row = f"| {network.title} | {in_all:,} | {own} | {adapters:,} |"
    assert row in DOCUMENT.read_text(encoding="utf-8")
