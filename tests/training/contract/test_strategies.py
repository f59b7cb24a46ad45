"""Every strategy passes the checks of the contract on every network."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest

from cl_seg.api.contract import check_strategies
from cl_seg.models.registry import NETWORKS, OF_THE_STUDY
from cl_seg.strategies.registry import STRATEGIES
from tests import networks

PLUGINS = [name for name, strategy in STRATEGIES.items() if strategy.plugin]
BATCH_NORM = {"vnet", "attention_unet"}
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
    assert as_a_whole == ("statistics" in name and network not in BATCH_NORM)
    assert as_a_whole or len(checks) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replay", "ewc", "lwf", "frozen_encoder", "frozen_statistics"])
@pytest.mark.parametrize("network", OTHERS)
def test_contract_of_one_strategy_of_each_kind_on_the_other_networks(
    network: str, name: str
) -> None:
    test_contract(network, name)
