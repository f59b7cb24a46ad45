"""``cl-seg seed``: a new scanner's slices to a person, back, and a model trained on them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cl_seg.cli.console import STAGES, CacheOption, Others, OthersOption, made, progress, say
from cl_seg.cli.model import TrustedNetwork
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
    trusted_network: TrustedNetwork = "",
    seed: Seed = 0,
) -> None:
    """Choose slices to label by hand; writes images, empty label files and queue.csv."""
    from cl_seg.labelling.choose import RankingModel, choose_slices, write_selection_queue
    from cl_seg.scans.store import SliceStore

    opened = SliceStore(store)
    ranking_model = None if model is None else RankingModel(model, trusted_network)
    chosen = choose_slices(opened, scanner, n, by.value, seed, ranking_model)
    write_selection_queue(opened, scanner, queue, chosen, by.value)
    values = ", ".join(f"{i} {name}" for i, name in enumerate(opened.header.classes, start=1))
    made("queue", queue / "queue.csv")
    say(
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
    say(f"slices: {counts}{skipped}{minutes}")
    for note in taken.notes:
        say(f"note: {note}")
    made("store", out)


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
    trusted_network: TrustedNetwork = "",
    seed: Seed = 0,
    cache: CacheOption = STAGES,
) -> None:
    """Transfer a model to a scanner by training it on what is labelled there."""
    from cl_seg.labelling.train import SeedTraining, train_on_seed_images
    from cl_seg.scans.store import SliceStore
    from cl_seg.suite.cache import StageCache

    wanted = SeedTraining(base, trusted_network, tune.value, steps, batch_size, learning_rate, seed)
    with progress("Training") as tell:
        card = train_on_seed_images(
            SliceStore(store), scanner, wanted, out, StageCache(cache), tell
        )
    taken = counted(card.trained["slices"], "slice")
    say(f"trained on {taken} of {counted(card.trained['patients'], 'patient')}")
    for name, count in card.trained["labelled"].items():
        if count < card.trained["slices"]:
            say(
                f"note: {name} is labelled on {count} of them; on the others it is taken to be "
                "where the model saw it before"
            )
    made("model", out)


@app.command()
def propose(
    store: Store,
    model: Annotated[Path, typer.Argument(help="Model folder.", show_default=False)],
    queue: Annotated[Path, typer.Argument(help="Queue to make.", show_default=False)],
    scanner: ScannerName,
    trusted_network: TrustedNetwork = "",
) -> None:
    """Propose labels for the slices without; the least sure are on top of queue.csv."""
    from cl_seg.labelling.propose import propose_labels
    from cl_seg.labelling.queue import write_queue
    from cl_seg.scans.store import SliceStore

    check_new(queue)
    opened = SliceStore(store)
    with progress("Proposing") as tell:
        origin, proposed = propose_labels(opened, scanner, model, trusted_network, tell)
    write_queue(queue, opened, origin, proposed)
    least = proposed[0].confidence
    say(f"{counted(len(proposed), 'slice')}, confidence from {least:.2f}")
    made("queue", queue / "queue.csv")
