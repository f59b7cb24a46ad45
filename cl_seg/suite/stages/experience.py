"""An experience of a run, and the loop that is trained on it."""

import json
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.messages.errors import InputError
from cl_seg.suite.cache import RANKING
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.training.experience import augmentation_config, experience_loop, loop_settings
from cl_seg.training.loop import DenseTraining
from cl_seg.training.pseudo_labels import with_pseudo_labels
from cl_seg.training.seeds import derive_seeds


def experience(inputs: StageInputs, position: int) -> Any:
    """An experience of the run, in a stream with those before it.

    One on a scanner that the stream returns to has the ``first_position`` (from 0) of the first
    experience on it.
    """
    selections = map(inputs.run.selection, range(1, position + 1))
    train = [inputs.rows(*selection) for selection in selections if selection]
    if inputs.stage.ranking_key and position == len(inputs.run.experiences):
        train[-1] = _labelled(inputs, train[-1])
    images = inputs.images
    if inputs.run.starting_model is not None:  # labels may be of some of the classes
        images, train[-1] = with_pseudo_labels(images, train[-1], inputs.model)
    found = dense_benchmark(images, {"train": train}).train_stream[-1]
    if (first := inputs.run.first_visit(position)) < position:
        found.first_position = first - 1
    return found


def _labelled(inputs: StageInputs, rows: pd.DataFrame) -> pd.DataFrame:
    """The slices of a new scanner that are labelled: the first of the ranking."""
    assert inputs.run.seed_images is not None
    count, name = inputs.run.seed_images.count, inputs.run.order[-1]
    ranking = json.loads(inputs.cache.read(inputs.stage.ranking_key, RANKING))
    if len(ranking) < count:
        raise InputError(
            f"seed_images: {count} slices are to be labelled, {name} has {len(ranking)} for "
            "training: ask for fewer"
        )
    return rows[rows["slice_id"].isin(ranking[:count])]


def training_loop(inputs: StageInputs, position: int, plugins: list[Any]) -> DenseTraining:
    """The training loop of an experience."""
    training = inputs.context.training_of(inputs.run.model)
    steps = inputs.run.steps_per_experience(training)
    rate = inputs.run.learning_rates(training)[position - 1]
    return experience_loop(
        inputs.model,
        derive_seeds(inputs.run.seed, position, inputs.run.training_set_name(position)),
        loop_settings(training, rate, steps[:position]),
        augmentation_config(training, inputs.context.image.window_hu),
        plugins,
    )
