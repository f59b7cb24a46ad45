"""A strategy's plugin, its saved state, and how large that is."""

from typing import Any

import torch

from cl_seg.messages.errors import InputError
from cl_seg.planning.runs import Run
from cl_seg.runtime.serialise import from_bytes, to_bytes
from cl_seg.strategies.build import build_plugin
from cl_seg.suite.cache import STRATEGY_STATE
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.training.seeds import derive_seeds


def strategy_plugin(run: Run) -> Any:
    """The Avalanche plugin of a run's strategy as it is before the first experience, or None."""
    seed = derive_seeds(run.seed, 0, "strategy")["global"]
    return build_plugin(run.strategy.name, run.strategy.settings, seed)


def restored_plugin(inputs: StageInputs) -> Any:
    """The strategy's plugin in its state after the experiences before, or None."""
    plugin = strategy_plugin(inputs.run)
    if plugin is not None and inputs.stage.strategy_state_key:
        kept = from_bytes(inputs.cache.read(inputs.stage.strategy_state_key, STRATEGY_STATE), None)
        plugin.load_state_dict(kept)
    return plugin


def plain_state(plugin: Any, name: str) -> bytes:
    """A plugin's state as bytes that can be read again without unpickling code.

    Raises:
        InputError: it holds something else.
    """
    try:
        content = to_bytes(plugin.state_dict())
        from_bytes(content)
    except Exception as error:  # whatever its own code or pickle raises
        raise InputError(
            f"strategy {name}: what state_dict() gives cannot be kept, it must be tensors and "
            f"plain data ({str(error).splitlines()[0]})"
        ) from error
    return content


def memory_footprint(plugin: Any, size: int) -> dict[str, int]:
    """Memory that a strategy needs for the experiences so far: slices, and bytes with its tensors.

    A slice kept is counted as the image and mask it needs: 3 bytes per pixel, wherever they are;
    of a plugin that keeps something else of it (``keeps_images`` is False), as the tensors kept.
    """
    slices = int(getattr(plugin, "kept_slices", 0))
    pixels = slices * size * size if getattr(plugin, "keeps_images", True) else 0
    return {
        "kept_slices": slices,
        "kept_bytes": pixels * 3 + tensor_size_bytes(plugin.state_dict()),
    }


def tensor_size_bytes(state: Any) -> int:
    """Bytes of all tensors in plain data."""
    if isinstance(state, torch.Tensor):
        return int(state.nbytes)
    if isinstance(state, dict):
        state = state.values()
    elif not isinstance(state, list | tuple):
        return 0
    return sum(map(tensor_size_bytes, state))
