"""Chooses the slices of a scanner that are worth labelling first."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.active_learning.ranking import NEEDS_NETWORK, Candidates, rank
from cl_seg.labelling.queue import Origin, SliceToLabel, write_queue
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.messages.suggest import did_you_mean
from cl_seg.scans.splits import usable_slices
from cl_seg.scans.store import SliceStore


def unlabelled(store: SliceStore, scanner: str) -> pd.DataFrame:
    """The slices of a scanner that are not labelled for all classes of their store.

    Raises:
        InputError: the store has no such scanner, or all its slices are labelled.
    """
    check_scanner(store, scanner)
    scanner_slices = store.slices[store.slices["scanner"] == scanner]
    left = scanner_slices.drop(index=usable_slices(scanner_slices, store.header.classes).index)
    if left.empty:
        slices = counted(len(scanner_slices), "slice")
        raise InputError(
            f"{store.folder}: nothing is left to label, {scanner} has {slices}, each with labels "
            "of all classes"
        )
    return left


def check_scanner(store: SliceStore, scanner: str) -> None:
    """Refuse a scanner that is not in a store.

    Raises:
        InputError: naming the one that may be meant.
    """
    if scanner not in store.scanners:
        raise InputError(
            f"--scanner: {store.folder} has no scanner {scanner}"
            f"{did_you_mean(scanner, store.scanners)}"
        )


@dataclass(frozen=True)
class RankingModel:
    """Saved network that ranks slices.

    Attributes:
        folder: of the model.
        trusted_network: see :func:`cl_seg.inference.saved_model.read_model_folder`.
    """

    folder: Path
    trusted_network: str = ""


def choose_slices(
    store: SliceStore,
    scanner: str,
    count: int,
    by: str,
    seed: int = 0,
    model: RankingModel | None = None,
) -> list[str]:
    """Ids of slices, the one to label first in front.

    Args:
        store: with slices that are not labelled yet.
        scanner: folder name.
        count: how many.
        by: a method of :data:`cl_seg.active_learning.ranking.METHODS`.
        seed: of draws and ties.
        model: for the methods that ask a network.

    Raises:
        InputError: too few slices, no such scanner, or a model that is missing or does not fit.
    """
    left = unlabelled(store, scanner).reset_index(drop=True)
    if count > len(left):
        raise InputError(f"--n {count}: {scanner} has {counted(len(left), 'slice')} without labels")
    features = entropy = None
    if by in NEEDS_NETWORK:
        if model is None:
            raise InputError(f"--by {by} asks a network about the slices: name one with --model")
        from cl_seg.labelling.embed import embed_slices  # noqa: PLC0415 - torch, rarely needed

        features, entropy = embed_slices(store, left, model.folder, model.trusted_network)
    order = rank(by, Candidates(left, features, entropy), seed)
    ids = np.asarray(left["slice_id"])
    return [str(ids[index]) for index in order[:count]]


def write_selection_queue(
    store: SliceStore, scanner: str, out: Path, chosen: list[str], by: str
) -> None:
    """Write chosen slices as a queue of slices to label by hand.

    Raises:
        InputError: ``out`` exists or cannot be written.
    """
    origin = Origin(store.header.content_sha256, scanner, store.header.classes, by, len(chosen))
    write_queue(out, store, origin, [SliceToLabel(slice_id) for slice_id in chosen])
