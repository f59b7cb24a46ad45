"""Every strategy passes the checks of the contract on every network."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest

from cl_seg.api.contract import check_strategies
from cl_seg.models.registry import NETWORKS
from cl_seg.strategies.registry import STRATEGIES

PLUGINS = [name for name, strategy in STRATEGIES.items() if strategy.plugin]
BATCH_NORM = {"vnet"}
NORM_WITH_WEIGHTS = {"vnet", "unetr", "swin_unetr"}
FAST = {"unet"}


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize(
    "network", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS]
)
def test_contract(network: str, name: str) -> None:
    """No check fails, and only a strategy that could have no effect is refused as a whole."""
    checks = check_strategies([name], [network])
    assert not (checks["status"] == "failed").any(), checks[checks["status"] == "failed"]
    as_a_whole = list(checks["status"]) == ["refused"]
    refused = ("statistics" in name and network not in BATCH_NORM) or (
        name == "norm_per_scanner" and network not in NORM_WITH_WEIGHTS
    )
    assert as_a_whole == refused
    assert as_a_whole or len(checks) >= 8
