"""``cl-seg seed``: a new scanner's slices to a person, back, and a model trained on them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cl_seg.cli.console import (
    STAGES,
    CacheOption,
    Others,
    OthersOption,
    print_info,
    print_output_path,
    progress,
)
from cl_seg.cli.model import OwnNetwork
from cl_seg.files.write import check_new
from cl_seg.messages.plural import counted

app = typer.Typer(
    help="Label a new scanner with few SEED images: select, import, train, propose.",
    no_args_is_help=True,
)

Store = Annotated[Path, typer.Argument(help="Store with the slices.", show_default=False)]
ScannerName = Annotated[
    str, typer.Option("--scanner", help="Scanner, as `ingest` lists it.", show_default=False)
]
Seed = Annotated[int, typer.Option(min=0, help="Of draws.")]


class Method(StrEnum):
    """How slices are chosen."""

    RANDOM = "random"
    STRATIFIED = "stratified"
    K_CENTER = "k-center"
    TYPICLUST = "typiclust"
    ENTROPY = "entropy"


class Tuned(StrEnum):
    """Which weights are trained."""

    ALL = "all"
    DECODER = "decoder"
    HEAD = "head"


@app.command()
def select(
    store: Store,
    queue: Annotated[Path, typer.Argument(help="Queue to make.", show_default=False)],
    scanner: ScannerName,
    n: Annotated[int, typer.Option("--n", min=1, help="How many slices.")] = 10,
    by: Annotated[Method, typer.Option(help="How they are chosen.")] = Method.STRATIFIED,
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder, which k-center, typiclust and entropy ask."),
    ] = None,
    network: OwnNetwork = "",
    seed: Seed = 0,
) -> None:
    """Choose slices to label by hand; writes images, empty label files and queue.csv."""
    from cl_seg.labelling.choose import choose_slices, select_slices
    from cl_seg.scans.store import SliceStore

    opened = SliceStore(store)
    teacher = None if model is None else (model, network)
    chosen = choose_slices(opened, scanner, n, by.value, seed, teacher)
    select_slices(opened, scanner, queue, chosen, by.value)
    values = ", ".join(f"{i} {name}" for i, name in enumerate(opened.header.classes, start=1))
    print_output_path("queue", queue / "queue.csv")
    print_info(
        f"{counted(n, 'slice')}: draw {values} in {queue / 'labels'}, then "
        f"`cl-seg seed import {queue} {store} NEW_STORE`"
    )


@app.command("import")
def import_(
    queue: Annotated[Path, typer.Argument(help="Queue with its labels.", show_default=False)],
    store: Annotated[
        Path, typer.Argument(help="Store the queue was made from.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(help="Store to make.", show_default=False)],
    others: OthersOption = Others.ERROR,
) -> None:
    """Take the labels of a queue back into a store of its scanner."""
    from cl_seg.labelling.import_labels import import_queue
    from cl_seg.scans.store import SliceStore

    taken = import_queue(queue, SliceStore(store), out, others.value)
    counts = ", ".join(f"{count} {how}" for how, count in sorted(taken.origins.items()))
    skipped = f", {taken.left_out} left out" if taken.left_out else ""
    minutes = f", {taken.minutes:g} minutes noted" if taken.minutes else ""
    print_info(f"slices: {counts}{skipped}{minutes}")
    for note in taken.notes:
        print_info(f"note: {note}")
    print_output_path("store", out)


@app.command()
def train(
    store: Annotated[Path, typer.Argument(help="Store with labels.", show_default=False)],
    base: Annotated[Path, typer.Argument(help="Model folder to go on from.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="Model folder to make.", show_default=False)],
    scanner: ScannerName,
    tune: Annotated[Tuned, typer.Option(help="Which weights are trained.")] = Tuned.ALL,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 300,
    batch_size: Annotated[int, typer.Option(min=1, help="Slices per step.")] = 4,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=1e-9, help="Peak learning rate; the model's own by default."),
    ] = None,
    network: OwnNetwork = "",
    seed: Seed = 0,
    cache: CacheOption = STAGES,
) -> None:
    """Transfer a model to a scanner by training it on what is labelled there."""
    from cl_seg.labelling.train import SeedTraining, train_on_seed_images
    from cl_seg.scans.store import SliceStore
    from cl_seg.suite.cache import StageCache

    wanted = SeedTraining(base, network, tune.value, steps, batch_size, learning_rate, seed)
    with progress("Training") as on_progress:
        card = train_on_seed_images(
            SliceStore(store), scanner, wanted, out, StageCache(cache), on_progress
        )
    taken = counted(card.trained["slices"], "slice")
    print_info(f"trained on {taken} of {counted(card.trained['patients'], 'patient')}")
    for name, count in card.trained["labelled"].items():
        if count < card.trained["slices"]:
            print_info(
                f"note: {name} is labelled on {count} of them; on the others it is taken to be "
                "where the model saw it before"
            )
    print_output_path("model", out)


@app.command()
def propose(
    store: Store,
    model: Annotated[Path, typer.Argument(help="Model folder.", show_default=False)],
    queue: Annotated[Path, typer.Argument(help="Queue to make.", show_default=False)],
    scanner: ScannerName,
    network: OwnNetwork = "",
) -> None:
    """Propose labels for the slices without; the least sure are on top of queue.csv."""
    from cl_seg.labelling.propose import propose_labels
    from cl_seg.labelling.queue import write_queue
    from cl_seg.scans.store import SliceStore

    check_new(queue)
    opened = SliceStore(store)
    with progress("Proposing") as on_progress:
        origin, proposed = propose_labels(opened, scanner, (model, network), on_progress)
    write_queue(queue, opened, origin, proposed)
    least = proposed[0].confidence
    print_info(f"{counted(len(proposed), 'slice')}, confidence from {least:.2f}")
    print_output_path("queue", queue / "queue.csv")
