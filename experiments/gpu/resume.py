"""Check: a training resumed from files gives the same bits as one in one piece.

It is taken up after every experience, and from a checkpoint in the middle of one.
"""

from functools import partial

from cl_seg.models.registry import OF_THE_STUDY
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.training.contract.checks import resumes_from_saved_state
from cl_seg.training.contract.strategy_under_test import StrategyUnderTest, strategy_under_test
from experiments.gpu.extent import Extent
from experiments.gpu.outcome import Check, Figures, Part

NETWORK = "vnet"
"""Trained by every strategy: it has batch norm and dropout."""


def resume_check(extent: Extent, tiny: Extent) -> Check:
    """A part for every network, fine-tuned, and one for every strategy.

    Args:
        extent: of the networks that are fine-tuned.
        tiny: of the network that strategies train.
    """
    cases = [(network, "naive", extent) for network in OF_THE_STUDY]
    cases += [(NETWORK, name, tiny) for name in with_plugin()]
    parts = [Part(f"{n} {s}", partial(resumed, tested(n, s, e))) for n, s, e in cases]
    return Check("resume", True, parts)


def resumed(strategy: StrategyUnderTest) -> Figures:
    """Train in one piece and from files.

    Raises:
        ContractViolation: the weights differ.
    """
    note = resumes_from_saved_state(strategy)
    return {"note": note} if note else {}


def tested(network: str, name: str, extent: Extent) -> StrategyUnderTest:
    """A strategy on a network of that extent."""
    return strategy_under_test(name, {}, partial(extent.model, network), extent.image)


def with_plugin() -> list[str]:
    """Names of the strategies that have a plugin."""
    return [name for name, strategy in STRATEGIES.items() if strategy.plugin]
