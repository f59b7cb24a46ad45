"""``cl-seg update``: may a saved model be updated with a new scanner?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from cl_seg.cli.console import (
    STAGES,
    CacheOption,
    print_answer,
    print_error,
    print_info,
    print_output_path,
)
from cl_seg.cli.model import ModelFolder, TrustedNetwork
from cl_seg.cli.seed import Method
from cl_seg.messages.errors import InputError

EXIT_CODE = {"recommended": 0, "not recommended": 3, "undecided": 4}


class DeviceName(StrEnum):
    """Processors."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def update(
    model: ModelFolder,
    store: Annotated[
        Path,
        typer.Argument(
            help="Store with the new scanner and, if at hand, others.", show_default=False
        ),
    ],
    scanner: Annotated[
        str,
        typer.Option(help="The new scanner, as `cl-seg ingest` prints it.", show_default=False),
    ],
    labelled: Annotated[
        list[str] | None,
        typer.Option(help="Number of labelled slices to train on, or all; repeat. Default: all."),
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="Strategy to train with; repeat. Default: naive, and replay with an old scanner "
            "in the store, else weight_averaging."
        ),
    ] = None,
    selection_method: Annotated[
        Method, typer.Option("--by", help="Method to choose the slices.")
    ] = Method.RANDOM,
    old: Annotated[
        list[str] | None,
        typer.Option(
            help="Scanner that the model was trained on; repeat. Default: all others of the store."
        ),
    ] = None,
    held_out: Annotated[
        list[str] | None, typer.Option(help="Scanner that is tested only; repeat.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of random seeds.")] = 5,
    steps: Annotated[int, typer.Option(min=1, help="Number of optimiser steps.")] = 300,
    batch_size: Annotated[int, typer.Option(min=1, help="Slices per step.")] = 4,
    rate_factor: Annotated[
        float, typer.Option(min=1e-9, help="Multiple of the model's learning rate.")
    ] = 0.1,
    margin_dice: Annotated[
        float,
        typer.Option(
            help="Dice that a scanner may lose and count as not worse; an update that is shown to "
            "gain less is rejected."
        ),
    ] = 0.01,
    margin_area: Annotated[
        float, typer.Option(help="Share of the area by which its error may grow likewise.")
    ] = 0.02,
    test_share: Annotated[
        float,
        typer.Option("--test", min=0.01, max=0.99, help="Share of the patients that is tested."),
    ] = 0.25,
    within_case: Annotated[
        bool,
        typer.Option(
            "--within-case",
            help="Divide every case into training and test slices, for too few patients; no "
            "generalisation result.",
        ),
    ] = False,
    device: Annotated[DeviceName, typer.Option(help="Where to train.")] = DeviceName.AUTO,
    trusted_network: TrustedNetwork = "",
    results: Annotated[
        Path | None, typer.Option(help="Folder for results; default: results/update-SCANNER.")
    ] = None,
    cache: CacheOption = STAGES,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Number of parallel processes on the CPU; default: all cores."),
    ] = None,
) -> None:
    """Test updates of a model with a new scanner. Exit code: 0 recommended, 3 not, 4 undecided."""
    from cl_seg.api.update import Candidates
    from cl_seg.api.update import update as run_update

    found = run_update(
        model,
        store,
        scanner,
        candidates=Candidates(
            strategies=strategy or [],
            labelled=[_budget(text) for text in labelled or ["all"]],
            by=selection_method.value,
            seeds=range(seeds),
            steps=steps,
            batch_size=batch_size,
            rate_factor=rate_factor,
            device=device.value,
        ),
        old=old or [],
        held_out=held_out or [],
        margin_dice=margin_dice,
        margin_area=margin_area,
        test_share=test_share,
        within_case=within_case,
        trusted_network=trusted_network,
        results=results,
        cache=cache,
        workers=workers,
        log=print_info,
    )
    for line in found.lines:
        print_info(line)
    print_answer(found.text)
    print_output_path("dossier", found.dossier)
    if found.model is not None:
        print_output_path("model", found.model)
    for run_id, reason in found.results.failures.items():
        print_error(f"{run_id} failed: {reason}")
    raise typer.Exit(1 if found.results.failures else EXIT_CODE[found.verdict])


def _budget(text: str) -> int | Literal["all"]:
    """A number of slices, or all.

    Raises:
        InputError: it is something else.
    """
    if text == "all":
        return "all"
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--labelled {text}: expected a number of slices, or all") from None
