"""The state of a saved network, in the place of a first training."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_bytes
from cl_seg.inference.saved_model import load_model
from cl_seg.messages.errors import InputError
from cl_seg.runtime.tensor_bytes import to_bytes
from cl_seg.spec.suite import SeedTrainingSuite
from cl_seg.suite.cache import state_file
from cl_seg.suite.stages.work import Work


def load(work: Work, results: Path) -> dict[str, Any]:
    """Write the state.

    Raises:
        InputError: it is not the one the training was planned with.
    """
    suite = work.suite
    assert isinstance(suite, SeedTrainingSuite)
    model, card = load_model(suite.base, work.run.model.name)
    if card.weights_sha256 != work.run.base_model:
        raise InputError(f"{suite.base} has changed since the training was planned: run it again")
    work.adopt_model(model)
    write_bytes(results / state_file(1), to_bytes(model.state_dict()))
    return {}
