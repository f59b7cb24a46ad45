"""An experience of a run, and the loop that is trained on it."""

import json
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.messages.errors import InputError
from cl_seg.suite.cache import RANKING
from cl_seg.suite.stages.work import Work
from cl_seg.training.experience import augmentation_config, experience_loop, loop_settings
from cl_seg.training.loop import DenseTraining
from cl_seg.training.pseudo_labels import with_pseudo_labels
from cl_seg.training.seeds import derive_seeds


def experience(work: Work, position: int) -> Any:
    """An experience of the run, in a stream with those before it."""
    groups = [scanners for scanners in work.run.experiences[:position] if scanners]
    train = [work.rows(scanners, "train") for scanners in groups]
    if work.stage.ranking_key and position == len(work.run.experiences):
        train[-1] = _labelled(work, train[-1])
    images = work.images
    if work.run.starting_model is not None:  # labels may be of some of the classes
        images, train[-1] = with_pseudo_labels(images, train[-1], work.model)
    return dense_benchmark(images, {"train": train}).train_stream[-1]


def _labelled(work: Work, rows: pd.DataFrame) -> pd.DataFrame:
    """The slices of a new scanner that are labelled: the first of the ranking."""
    assert work.run.seed_images is not None
    count, name = work.run.seed_images.count, work.run.order[-1]
    ranking = json.loads(work.cache.read(work.stage.ranking_key, RANKING))
    if len(ranking) < count:
        raise InputError(
            f"seed_images: {count} slices are to be labelled, {name} has {len(ranking)} for "
            "training: ask for fewer"
        )
    return rows[rows["slice_id"].isin(ranking[:count])]


def training_loop(work: Work, position: int, plugins: list[Any]) -> DenseTraining:
    """The training loop of an experience."""
    training = work.context.training
    steps = work.run.stage_steps(training.steps)
    return experience_loop(
        work.model,
        derive_seeds(work.run.seed, position, work.run.stage_name(position)),
        loop_settings(training, work.run.learning_rate, steps[:position]),
        augmentation_config(training, work.context.image.window_hu),
        plugins,
    )
