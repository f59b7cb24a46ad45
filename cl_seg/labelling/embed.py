"""Features and uncertainty of slices, as a saved network sees them."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from cl_seg.active_learning.embedding import embed
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.messages.errors import InputError
from cl_seg.records.model_card import ModelCard, check_grid
from cl_seg.scans.store import SliceStore

Values = npt.NDArray[np.float64]


def embed_slices(
    store: SliceStore, rows: pd.DataFrame, folder: Path, trusted_network: str = ""
) -> tuple[Values, Values]:
    """Features (N, D) and entropy (N,) of slices.

    See :func:`cl_seg.active_learning.embedding.embed`.

    Raises:
        InputError: no model, or one of another grid or other classes.
    """
    model, card = read_model_folder(folder, trusted_network)
    check_fits(store, card, folder)
    task = Task(tuple(card.classes), card.input.size, card.input.window_hu)
    return embed(model, SliceDataset(TaskImages(store, task, torch.device("cpu")), rows))


def check_fits(store: SliceStore, card: ModelCard, folder: Path) -> None:
    """Refuse a model that sees slices of another size than a store has.

    Raises:
        InputError: classes or grid differ.
    """
    check_grid(store.folder, store.header.grid, card, folder)
    if store.header.classes != card.classes:
        raise InputError(
            f"{store.folder} has the classes {', '.join(store.header.classes)}, {folder} knows "
            f"{', '.join(card.classes)}: name the same ones, in the same order, when ingesting; of "
            "labels that lack one, the column `classes` of the manifest says so"
        )
