"""The state of a saved network, in the place of a first training."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_bytes
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.messages.errors import InputError
from cl_seg.runtime.serialise import to_bytes
from cl_seg.suite.cache import state_file
from cl_seg.suite.stages.work import Work


def load(work: Work, results: Path) -> dict[str, Any]:
    """Write the state.

    Raises:
        InputError: it is not the one the training was planned with.
    """
    base = work.run.base_model
    assert base is not None
    model, card = read_model_folder(base.folder, work.run.model.name)
    if card.weights_sha256 != base.weights_sha256:
        raise InputError(f"{base.folder} has changed since the training was planned: run it again")
    work.adopt_model(model)
    write_bytes(results / state_file(1), to_bytes(model.state_dict()))
    return {}
