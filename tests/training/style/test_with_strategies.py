"""Every strategy trains, and resumes exactly, on images in random styles.

One that needs a network of the registry refuses the tiny one, with a reason.
"""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from dataclasses import replace

import pytest

from cl_seg.spec.style import StyleAugmentation
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.training.contract import tiny_training
from cl_seg.training.contract.run_checks import check_contract
from cl_seg.training.contract.strategy_under_test import strategy_under_test
from cl_seg.training.style.style import Style

from ...conftest import tiny_network

STYLE = Style(
    StyleAugmentation.model_validate(
        {name: {"probability": 0.5} for name in StyleAugmentation.model_fields}
    ),
    window_width_hu=400.0,
)
SETTINGS = {"frozen_encoder": {"encoder": r"0\."}}  # of the tiny network


@pytest.mark.parametrize("name", [name for name, s in STRATEGIES.items() if s.plugin])
def test_it_goes_with_every_strategy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    styled = replace(tiny_training.AUGMENTATION, style=STYLE)
    monkeypatch.setattr(tiny_training, "AUGMENTATION", styled)
    tested = strategy_under_test(name, SETTINGS.get(name, {}), tiny_network, 16)
    results = check_contract(tested, only=["keeps its state"])
    assert [r.status for r in results] in (["passed", "passed"], ["refused"]), results
