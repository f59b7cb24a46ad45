"""A ranking: the order in which the slices of a new scanner would be labelled."""

from pathlib import Path
from typing import Any

from cl_seg.active_learning.embedding import embed
from cl_seg.active_learning.ranking import Candidates
from cl_seg.active_learning.ranking import rank as ranked
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.files.write import write_json
from cl_seg.suite.cache import RANKING
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.training.seeds import derive_seeds


def rank(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write the ids of the slices, the first to be labelled first."""
    images, target = inputs.run.seed_images, inputs.run.order[-1]
    assert images is not None
    rows = inputs.rows((target, "train")).reset_index(drop=True)
    features = entropy = None
    if inputs.stage.state_key:
        features, entropy = embed(inputs.model, SliceDataset(inputs.images, rows))
    seed = derive_seeds(inputs.run.seed, 0, f"ranking by {images.by}")["global"]
    order = ranked(images.by, Candidates(rows, features, entropy), seed)
    write_json(out / RANKING, [str(rows["slice_id"][index]) for index in order])
    return {"scanner": target}
