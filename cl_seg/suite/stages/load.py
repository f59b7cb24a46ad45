"""The state of a saved network, in the place of a first training."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_bytes
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.messages.errors import InputError
from cl_seg.runtime.serialise import to_bytes
from cl_seg.suite.cache import state_file
from cl_seg.suite.stages.inputs import StageInputs


def load(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write the network's state.

    Raises:
        InputError: it is not the one the training was planned with.
    """
    saved = inputs.run.starting_model
    assert saved is not None
    model, card = read_model_folder(saved.folder, inputs.run.model.name)
    if card.weights_sha256 != saved.weights_sha256:
        raise InputError(f"{saved.folder} has changed since the training was planned: run it again")
    inputs.adopt_model(model)
    write_bytes(out / state_file(1), to_bytes(model.state_dict()))
    return {}
