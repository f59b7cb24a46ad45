"""``cl-seg monitor`` and ``cl-seg calibrate``: does new CT look like that of training?"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cl_seg.cli.console import (
    AllowImplausibleHu,
    escape_for_terminal,
    print_info,
    print_output_path,
    print_table,
    progress,
)
from cl_seg.cli.model import Aliases, ModelFolder, TrustedNetwork
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted

if TYPE_CHECKING:
    import pandas as pd


def monitor(
    model: ModelFolder,
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Store, or folder of DICOM or NIfTI files, CSV manifest, NIfTI file; repeat.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="New folder for monitor.csv and monitor.json.")] = Path(
        "monitor"
    ),
    queue: Annotated[
        Path | None,
        typer.Option(help="New folder for labelling queues of what is unlike; needs a store."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Slices per queue at most.")] = 10,
    trusted_network: TrustedNetwork = "",
    aliases: Aliases = None,
    allow_implausible_hu: AllowImplausibleHu = False,
) -> None:
    """Say whether new CT looks like a training scanner, and estimate Dice where calibrated."""
    import pandas as pd

    from cl_seg.api.models import load_model
    from cl_seg.files.write import check_new, new_folder, write_text

    check_new(out)
    if queue is not None and len(sources) > 1:
        raise InputError("--queue is of one store: name it alone")
    loaded, tables = load_model(model, trusted_network=trusted_network), []
    for source in sources:
        with progress(f"Reading {source.name}") as on_progress:
            found = loaded.monitor(
                source,
                queue,
                slices=n,
                aliases=aliases,
                allow_implausible_hu=allow_implausible_hu,
                on_progress=on_progress,
            )
        tables.append(found.assign(source=str(source)))
    table = pd.concat(tables, ignore_index=True)
    with new_folder(out) as building:
        write_text(building / "monitor.csv", table.to_csv(index=False))
        write_text(building / "monitor.json", table.to_json(orient="records", indent=1) + "\n")
    print_table(_shown(table))
    if queue is not None:
        print_output_path("queue", queue)
    print_output_path("table", out / "monitor.csv")


def calibrate(
    model: ModelFolder,
    store: Annotated[
        Path,
        typer.Argument(help="Store with labels of patients not trained on.", show_default=False),
    ],
    trusted_network: TrustedNetwork = "",
) -> None:
    """Fit how Dice follows from agreement on labelled CT, and keep it in the model folder."""
    from cl_seg.api.models import load_model

    loaded = load_model(model, trusted_network=trusted_network)
    with progress("Predicting") as on_progress:
        found = loaded.calibrate(store, on_progress)
    margins = ", ".join(f"{name} ± {line.margin:.3f}" for name, line in found.lines.items())
    print_info(
        f"{counted(found.series, 'series', 'series')} of {counted(found.patients, 'patient')}: "
        f"Dice of {margins} ({found.level:.0%} intervals)"
    )
    print_output_path("model", model)


def _shown(table: "pd.DataFrame") -> Table:
    low = [name for name in map(str, table.columns) if name.endswith("_low")]
    classes = [name.removesuffix("_low").removeprefix("dice_") for name in low]
    shown = Table("scanner", "case", "slices", "looks", "distance", "limit", *classes, box=None)
    for row in table.to_dict("records"):
        named = (str(row[name]) for name in ("scanner", "case", "slices", "verdict"))
        numbers = (f"{row[name]:.2f}" for name in ("distance", "limit"))
        estimates = (_estimate(row, name) for name in classes)
        shown.add_row(*map(escape_for_terminal, (*named, *numbers, *estimates)))
    return shown


def _estimate(row: dict[Any, Any], name: str) -> str:
    estimate, low, high = (row[f"dice_{name}{end}"] for end in ("", "_low", "_high"))
    if math.isnan(estimate):
        return ""
    return f"{estimate:.2f}" + ("" if math.isnan(low) else f" ({low:.2f} to {high:.2f})")
