"""``cl-seg model`` and ``cl-seg predict``: model folders, and prediction on new CT."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cl_seg.cli.command_group import command_group
from cl_seg.cli.console import (
    STAGES,
    AllowImplausibleHu,
    CacheOption,
    escape_for_terminal,
    print_answer,
    print_info,
    print_output_path,
    print_table,
    progress,
)
from cl_seg.messages.plural import counted

if TYPE_CHECKING:
    import pandas as pd

app = command_group("Save trained networks as model folders.")

ModelFolder = Annotated[
    Path,
    typer.Argument(help="Model folder, or the name of a shipped model: base.", show_default=False),
]


def _from_here(target: str) -> str:
    if target:
        sys.path.insert(0, str(Path.cwd()))
    return target


TrustedNetwork = Annotated[
    str,
    typer.Option(
        "--trust-network",
        "--network",
        help="module:callable of the network, if it is your own code that you trust.",
        callback=_from_here,
    ),
]

Aliases = Annotated[
    Path | None, typer.Option(help="YAML file of scanner aliases, added to the built-in ones.")
]


@app.command()
def save(
    run: Annotated[
        Path, typer.Argument(help="Folder of a finished run, RESULTS/runs/RUN.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(help="New model folder.", show_default=False)],
    cache: CacheOption = STAGES,
) -> None:
    """Save the trained network of a finished run as weights (safetensors) and a model card."""
    from cl_seg.inference.training_features import FEATURES
    from cl_seg.suite.cache import StageCache
    from cl_seg.suite.run_model import save_run_model

    card = save_run_model(run, out, StageCache(cache))
    print_info(f"trained on {', '.join(card.scanners.values())}")
    if not (out / FEATURES).is_file():
        print_info(
            "note: saved without features of these scanners, which `cl-seg monitor` needs: the "
            "store or the plan of the run is gone or changed, or the network has no feature map"
        )
    print_output_path("model", out)


@app.command("show")
def show_card(model: ModelFolder) -> None:
    """Print the model card of a model folder."""
    from cl_seg.records.model_card import read_card

    print_answer(read_card(model).model_dump_json(indent=1))


@app.command()
def ship(
    model: ModelFolder,
    out: Annotated[Path, typer.Argument(help="New model folder.", show_default=False)],
    trained_on: Annotated[
        str, typer.Option(help="CT it was trained on, for its card.", show_default=False)
    ],
    tested_on: Annotated[
        str,
        typer.Option(
            help="CT it was tested on and how well it did, for its card.", show_default=False
        ),
    ],
    levels: Annotated[
        str, typer.Option(help='Levels of the body it was made for, such as "T9 to S1".')
    ] = "",
    trusted_network: TrustedNetwork = "",
) -> None:
    """Write a model folder to be given away: weights in float16, at most 15 MB."""
    from cl_seg.inference.ship import ship_model
    from cl_seg.records.model_card import WEIGHTS, About

    ship_model(
        model,
        out,
        About(trained_on=trained_on, tested_on=tested_on, levels=levels),
        trusted_network,
    )
    print_info(f"weights: {(out / WEIGHTS).stat().st_size / 1e6:.1f} MB")
    print_output_path("model", out)


@app.command()
def export(
    model: ModelFolder,
    out: Annotated[Path, typer.Argument(help="New folder for the bundle.", show_default=False)],
    trusted_network: TrustedNetwork = "",
) -> None:
    """Convert a model folder to a MONAI bundle."""
    from cl_seg.inference.bundle import export_bundle

    export_bundle(model, out, trusted_network)
    print_output_path("bundle", out)


def predict(
    model: ModelFolder,
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder of DICOM or NIfTI files, CSV manifest, or NIfTI file.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="New folder for masks and tables.")] = Path(
        "predictions"
    ),
    measure: Annotated[
        bool, typer.Option("--measure", help="Also write area (cm²) and HU of every slice.")
    ] = False,
    ensemble: Annotated[
        list[Path] | None, typer.Option(help="Another model folder to average with; repeat.")
    ] = None,
    variants: Annotated[
        int,
        typer.Option(
            min=0,
            help="Test-time augmentations per slice (rotated, rescaled), to measure agreement.",
        ),
    ] = 4,
    height_m: Annotated[
        float | None,
        typer.Option(
            min=0.4,
            max=2.6,
            help="Height of the patient in m, for the SMI; only for a single patient.",
        ),
    ] = None,
    trusted_network: TrustedNetwork = "",
    aliases: Aliases = None,
    allow_implausible_hu: AllowImplausibleHu = False,
    largest_piece: Annotated[
        list[str] | None,
        typer.Option(help="Organ of which only the largest connected piece is kept; repeat."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier prediction in --out.")
    ] = False,
    paths: Annotated[
        bool,
        typer.Option(
            "--paths",
            help="Also write the path of every series, of DICOM that of its first image, into "
            "the tables; a path may name the patient.",
        ),
    ] = False,
    sheet: Annotated[
        bool,
        typer.Option("--sheet", help="Also draw a few slices of every case with contours."),
    ] = False,
    salt: Annotated[
        str | None,
        typer.Option(envvar="CL_SEG_SALT", help="Secret that makes series hashes repeatable."),
    ] = None,
) -> None:
    """Segment new CT, and report scans from scanners the model was not trained on."""
    from cl_seg.api.models import load_model
    from cl_seg.inference.series import SHEET

    loaded = load_model(model, *(ensemble or []), trusted_network=trusted_network)
    with progress("Predicting") as on_progress:
        prediction = loaded.predict(
            source,
            out,
            variants=variants,
            height_m=height_m,
            aliases=aliases,
            salt=salt,
            allow_implausible_hu=allow_implausible_hu,
            largest_piece=largest_piece or (),
            measure=measure,
            overwrite=overwrite,
            paths=paths,
            sheet=sheet,
            on_progress=on_progress,
        )
    cases = prediction.cases
    table = Table("case", "scanner", "seen in training", "looks", "slices", "note", box=None)
    for row in cases.to_dict("records"):
        cells = ("case", "scanner", "seen", "verdict", "slices", "note")
        table.add_row(*(escape_for_terminal(str(row[name])) for name in cells))
    print_table(table)
    if measure:
        print_table(_measured(prediction.measure("case")))
    for item in prediction.left_out:
        files = f" ({item.files} files)" if item.files > 1 else ""
        print_info(f"left out {item.path}{files}: {item.reason}")
    for note in prediction.notes:
        print_info(f"note: {note}")
    if sheet:
        print_info(f"contours: {out / SHEET}")
    print_output_path("masks", out)


def _measured(cases: "pd.DataFrame") -> Table:
    """Measurements of every case, and on how many slices they need a look."""
    shown = Table("case", "class", "found on", "mean cm²", "HU", "agreement", "look at", box=None)
    for row in cases.to_dict("records"):
        numbers = (("area_cm2", ".1f"), ("mean_hu", ".0f"), ("agreement", ".2f"))
        area, hu, agreement = (
            "" if math.isnan(row[n]) else f"{row[n]:{how}}" for n, how in numbers
        )
        slices = counted(row["slices"], "slice")
        named = (escape_for_terminal(str(row[name])) for name in ("case", "class"))
        shown.add_row(
            *named, f"{row['found']} of {slices}", area, hu, agreement, str(row["low_agreement"])
        )
    return shown
