"""The state of a saved network, in the place of a first training."""

from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.files.write import write_bytes
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.messages.errors import InputError
from cl_seg.runtime.serialise import to_bytes
from cl_seg.suite.cache import CURVE, CURVE_COLUMNS, state_file
from cl_seg.suite.stages.inputs import StageInputs


def load(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write the network's state, and that no step was made.

    Raises:
        InputError: it is not the one the training was planned with.
    """
    saved = inputs.run.starting_model
    assert saved is not None
    if saved.folder is not None:  # otherwise the network has loaded its weights itself
        model, card = read_model_folder(saved.folder, inputs.run.model.name)
        if card.weights_sha256 != saved.weights_sha256:
            raise InputError(
                f"{saved.folder} has changed since the training was planned: run it again"
            )
        inputs.adopt_model(model)
    write_bytes(out / state_file(1), to_bytes(inputs.model.state_dict()))
    pd.DataFrame(columns=CURVE_COLUMNS).to_parquet(out / CURVE, index=False)
    return {"trained": [{"position": 1, "selection": "saved model", "steps": 0, "seconds": 0.0}]}
