"""``cl-seg phantom``: simulate CT scanners, export their scans, list them, draw a contact sheet."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cl_seg.cli.console import CORES, Workers, out, say
from cl_seg.messages.errors import InputError

app = typer.Typer(help="Simulated CT scanners and bodies (no patients).", no_args_is_help=True)

Scanners = Annotated[
    list[str] | None,
    typer.Option("--scanner", help="Profile by name or file; repeat for more; default all."),
]
OwnBodies = Annotated[int, typer.Option(min=0, help="Bodies per scanner that no other scans.")]
SharedBodies = Annotated[int, typer.Option(min=0, help="Bodies that every scanner scans.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of anatomy and noise.")]
Slices = Annotated[int, typer.Option(min=1, max=1000, help="Neighbouring slices per level.")]
MuscleFat = Annotated[
    bool, typer.Option("--intramuscular-fat", help="Label the fat inside muscle as muscle.")
]


class Format(StrEnum):
    """File formats of exported images."""

    DICOM = "dicom"
    NIFTI = "nifti"


@app.command()
def simulate(
    store: Annotated[Path, typer.Argument(help="Folder of the new store.", show_default=False)],
    scanners: Scanners = None,
    own_bodies: OwnBodies = 42,
    shared_bodies: SharedBodies = 14,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Pixels per side.")] = 320,
    spacing_mm: Annotated[float, typer.Option(help="Pixel size in mm.")] = 1.6,
    seed: Seed = 0,
    slices: Slices = 1,
    intramuscular_fat: MuscleFat = False,
    workers: Workers = CORES,
) -> None:
    """Scan bodies on simulated scanners into a store."""
    from cl_seg.phantom.simulate import simulate as simulate_store

    check_spacing(spacing_mm)
    simulate_store(
        store,
        scanners or None,
        own_bodies=own_bodies,
        shared_bodies=shared_bodies,
        size=size,
        spacing_mm=spacing_mm,
        seed=seed,
        slices=slices,
        intramuscular_fat=intramuscular_fat,
        workers=workers,
    )
    say(f"store: {store}")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    scanners: Scanners = None,
    own_bodies: OwnBodies = 0,
    shared_bodies: SharedBodies = 1,
    form: Annotated[
        Format, typer.Option("--format", help="File format of the images.")
    ] = Format.DICOM,
    seed: Seed = 0,
    slices: Slices = 1,
    intramuscular_fat: MuscleFat = False,
    workers: Workers = CORES,
) -> None:
    """Write such scans as DICOM series or NIfTI, with labels, tissue maps and a manifest."""
    from cl_seg.phantom.export import export as export_scans
    from cl_seg.phantom.profiles import load_profiles
    from cl_seg.phantom.series import acquisitions

    if own_bodies + shared_bodies == 0:
        raise InputError("--own-bodies and --shared-bodies are both 0: ask for at least one body")
    profiles = load_profiles(scanners or None)
    scans = acquisitions(profiles, own_bodies, shared_bodies, seed, slices, intramuscular_fat)
    export_scans(folder, scans, form.value, workers=workers)
    say(f"scans: {folder}, to be read with `cl-seg ingest {folder / 'manifest.csv'} STORE`")


@app.command()
def profiles() -> None:
    """List the built-in scanners."""
    from cl_seg.phantom.profiles import load_profiles

    table = Table("profile", "track", "scanner", "kV", "mAs", "slice", "phase")
    for name, profile in load_profiles().items():
        tube = str(profile.tube.kvp), f"{profile.tube.mas:g}"
        scan = f"{profile.detector.slice_mm:g} mm", profile.protocol.contrast.replace("_", " ")
        table.add_row(name, profile.track, profile.display_name, *tube, *scan)
    out.print(table)


@app.command()
def sheet(
    file: Annotated[
        Path, typer.Argument(help="Picture to draw, .png or .jpg.", show_default=False)
    ],
    scanners: Scanners = None,
    bodies: Annotated[int, typer.Option(min=1, max=100, help="Bodies, a row per level.")] = 12,
    level: Annotated[str, typer.Option(help="L3, liver or both.")] = "both",
    seed: Seed = 0,
    workers: Workers = CORES,
) -> None:
    """Draw a contact sheet: the same bodies (rows) on every scanner (columns)."""
    from cl_seg.phantom.profiles import load_profiles
    from cl_seg.phantom.sheet import chosen_levels, write_sheet

    write_sheet(
        file,
        load_profiles(scanners or None),
        bodies=bodies,
        levels=chosen_levels(level),
        seed=seed,
        workers=workers,
    )
    say(f"sheet: {file}")


def check_spacing(spacing_mm: float) -> None:
    """Refuse pixel sizes no CT image has.

    Raises:
        InputError: below 0.1 or above 20 mm.
    """
    if not 0.1 <= spacing_mm <= 20:
        raise InputError(f"--spacing-mm {spacing_mm}: expected a pixel size of 0.1 to 20 mm")
