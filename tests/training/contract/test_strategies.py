"""Every strategy passes the checks of the contract on every network."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
import pytest

from cl_seg.api.contract import _checks, check_strategies
from cl_seg.models.registry import NETWORKS, OF_THE_STUDY
from cl_seg.strategies.registry import STRATEGIES
from tests import networks

PLUGINS = [name for name, strategy in STRATEGIES.items() if strategy.plugin]
BATCH_NORM = {"vnet", "attention_unet"}
NORM_WITH_WEIGHTS = {"vnet", "unetr", "swin_unetr", "attention_unet"}
NEEDS_BATCH_NORM = {"frozen_statistics", "stale_statistics", "adabn", "test_statistics"}
NEEDS_WEIGHTS_OF_NORMS = {"tent", "norm_per_scanner"}
FAST = {"unet"}
OTHERS = [networks.case(name) for name in NETWORKS if name not in OF_THE_STUDY]


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize(
    "network", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in OF_THE_STUDY]
)
def test_contract(network: str, name: str) -> None:
    """No check fails, and only a strategy that could have no effect is refused as a whole."""
    checks = check_strategies([name], [network])
    assert not (checks["status"] == "failed").any(), checks[checks["status"] == "failed"]
    as_a_whole = list(checks["status"]) == ["refused"]
    refused = (name in NEEDS_BATCH_NORM and network not in BATCH_NORM) or (
        name in NEEDS_WEIGHTS_OF_NORMS and network not in NORM_WITH_WEIGHTS
    )
    assert as_a_whole == refused
    assert as_a_whole or len(checks) >= 8


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("replay", {"select": "k-center", "batch": "added"}),
        pytest.param("der", {"select": "typiclust", "budget": 4}, marks=pytest.mark.slow),
        pytest.param(
            "agem",
            {"select": "entropy", "reference_batch": 3, "batch": "added"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_contract_of_memories_that_choose_and_batches_that_grow(
    name: str, settings: dict[str, Any]
) -> None:
    checks = pd.DataFrame(_checks(name, settings, "unet"))
    assert len(checks) >= 8
    unfit = checks[checks["status"] != "passed"]
    # Only where old slices are added is there room for both in a batch of one.
    assert list(unfit["check"]) == ([] if "batch" in settings else ["batch of one"]), unfit


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replay", "ewc", "lwf", "frozen_encoder", "frozen_statistics"])
@pytest.mark.parametrize("network", OTHERS)
def test_contract_of_one_strategy_of_each_kind_on_the_other_networks(
    network: str, name: str
) -> None:
    test_contract(network, name)
