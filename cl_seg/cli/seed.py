"""``cl-seg seed``: choose slices of a new scanner, import their labels, train a model on them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cl_seg.cli.command_group import command_group
from cl_seg.cli.console import (
    STAGES,
    CacheOption,
    Others,
    OthersOption,
    print_info,
    print_output_path,
    progress,
)
from cl_seg.cli.model import TrustedNetwork
from cl_seg.files.write import check_new
from cl_seg.messages.plural import counted
from cl_seg.records.shipped import BASE

app = command_group("Adapt a model to a new scanner with a few labelled slices (SEED images).")

Store = Annotated[Path, typer.Argument(help="Store that holds the slices.", show_default=False)]
ScannerName = Annotated[
    str,
    typer.Option(
        "--scanner", help="Scanner name, as `cl-seg ingest` prints it.", show_default=False
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]


class Method(StrEnum):
    """Methods to choose slices."""

    RANDOM = "random"
    STRATIFIED = "stratified"
    K_CENTER = "k-center"
    TYPICLUST = "typiclust"
    ENTROPY = "entropy"


class TrainableWeights(StrEnum):
    """Weights that are trained."""

    ALL = "all"
    DECODER = "decoder"
    HEAD = "head"


@app.command()
def select(
    store: Store,
    queue: Annotated[Path, typer.Argument(help="New folder for the queue.", show_default=False)],
    scanner: ScannerName,
    n: Annotated[int, typer.Option("--n", min=1, help="Number of slices.")] = 10,
    selection_method: Annotated[
        Method, typer.Option("--by", help="Method to choose the slices.")
    ] = Method.STRATIFIED,
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder; needed for k-center, typiclust and entropy."),
    ] = None,
    trusted_network: TrustedNetwork = "",
    seed: Seed = 0,
) -> None:
    """Choose slices to label by hand; write their images, empty label files and queue.csv."""
    from cl_seg.labelling.choose import RankingModel, choose_slices, write_selection_queue
    from cl_seg.scans.store import SliceStore

    opened = SliceStore(store)
    ranking_model = None if model is None else RankingModel(model, trusted_network)
    chosen = choose_slices(opened, scanner, n, selection_method.value, seed, ranking_model)
    write_selection_queue(opened, scanner, queue, chosen, selection_method.value)
    values = ", ".join(f"{i} {name}" for i, name in enumerate(opened.header.classes, start=1))
    print_output_path("queue", queue / "queue.csv")
    print_info(
        f"{counted(n, 'slice')}: draw {values} in {queue / 'labels'}, then "
        f"`cl-seg seed import {queue} {store} NEW_STORE`"
    )


@app.command("import")
def import_(
    queue: Annotated[
        Path, typer.Argument(help="Queue folder with finished labels.", show_default=False)
    ],
    store: Annotated[
        Path, typer.Argument(help="Store from which the queue was made.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(help="New folder for the store.", show_default=False)],
    others: OthersOption = Others.ERROR,
) -> None:
    """Import the labels of a queue into a new store."""
    from cl_seg.labelling.import_labels import import_queue
    from cl_seg.scans.store import SliceStore

    imported = import_queue(queue, SliceStore(store), out, others.value)
    counts = ", ".join(f"{count} {how}" for how, count in sorted(imported.origins.items()))
    skipped = f", {imported.left_out} left out" if imported.left_out else ""
    minutes = f", {imported.minutes:g} minutes of work noted" if imported.minutes else ""
    print_info(f"slices: {counts}{skipped}{minutes}")
    for note in imported.notes:
        print_info(f"note: {note}")
    print_output_path("store", out)


@app.command()
def train(
    store: Annotated[Path, typer.Argument(help="Store with labelled slices.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="New model folder.", show_default=False)],
    scanner: ScannerName,
    base: Annotated[
        Path, typer.Option(help="Model folder to start from, or the name of a shipped model.")
    ] = Path(BASE),
    tune: Annotated[
        TrainableWeights, typer.Option(help="Weights to train.")
    ] = TrainableWeights.ALL,
    steps: Annotated[int, typer.Option(min=1, help="Number of optimiser steps.")] = 300,
    batch_size: Annotated[int, typer.Option(min=1, help="Slices per step.")] = 4,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=1e-9, help="Peak learning rate; default: that of the model."),
    ] = None,
    trusted_network: TrustedNetwork = "",
    seed: Seed = 0,
    cache: CacheOption = STAGES,
) -> None:
    """Train a model further on the labelled slices of a scanner.

    To train from random weights, run a suite.
    """
    from cl_seg.labelling.train import SeedTraining, train_on_seed_images
    from cl_seg.scans.store import SliceStore
    from cl_seg.suite.cache import StageCache

    training = SeedTraining(
        base, trusted_network, tune.value, steps, batch_size, learning_rate, seed
    )
    with progress("Training") as on_progress:
        card = train_on_seed_images(
            SliceStore(store), scanner, training, out, StageCache(cache), on_progress
        )
    slices = counted(card.trained["slices"], "slice")
    print_info(f"trained on {slices} of {counted(card.trained['patients'], 'patient')}")
    for name, count in card.trained["labelled"].items():
        if count < card.trained["slices"]:
            print_info(
                f"note: {name} is labelled on {count} of them; on the others, predictions of the "
                "starting model serve as labels"
            )
    print_output_path("model", out)


@app.command()
def propose(
    store: Store,
    model: Annotated[Path, typer.Argument(help="Model folder.", show_default=False)],
    queue: Annotated[Path, typer.Argument(help="New folder for the queue.", show_default=False)],
    scanner: ScannerName,
    trusted_network: TrustedNetwork = "",
) -> None:
    """Propose labels for unlabelled slices; queue.csv lists the least certain first."""
    from cl_seg.labelling.propose import propose_labels
    from cl_seg.labelling.queue import write_queue
    from cl_seg.scans.store import SliceStore

    check_new(queue)
    opened = SliceStore(store)
    with progress("Proposing") as on_progress:
        origin, proposed = propose_labels(opened, scanner, model, trusted_network, on_progress)
    write_queue(queue, opened, origin, proposed)
    least = proposed[0].confidence
    print_info(f"{counted(len(proposed), 'slice')}, confidence from {least:.2f}")
    print_output_path("queue", queue / "queue.csv")
