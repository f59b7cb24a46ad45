"""``cl-seg phantom``: simulate scanners, export and show their scans."""

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
    typer.Option("--scanner", help="Profile name or file; repeat; all by default."),
]
OwnBodies = Annotated[int, typer.Option(min=0, help="Bodies per scanner.")]
SharedBodies = Annotated[int, typer.Option(min=0, help="Bodies seen by every scanner.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of anatomy and noise.")]
SlicesOption = Annotated[int, typer.Option(min=1, max=1000, help="Neighbouring slices per level.")]
MuscleFat = Annotated[
    bool, typer.Option("--intramuscular-fat", help="Label the fat inside muscle as muscle.")
]


class Format(StrEnum):
    """Of exported images."""

    DICOM = "dicom"
    NIFTI = "nifti"


@app.command()
def simulate(
    store: Annotated[Path, typer.Argument(help="Store to make.", show_default=False)],
    scanners: Scanners = None,
    own_bodies: OwnBodies = 42,
    shared_bodies: SharedBodies = 14,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Pixels per side.")] = 320,
    spacing_mm: Annotated[float, typer.Option(help="Pixel size in mm.")] = 1.6,
    seed: Seed = 0,
    slices: SlicesOption = 1,
    intramuscular_fat: MuscleFat = False,
    workers: Workers = CORES,
) -> None:
    """Scan bodies on simulated scanners into a store."""
    from cl_seg.phantom.profiles import profile_names
    from cl_seg.phantom.simulate import simulate as simulate_store
    from cl_seg.scans.store import Grid

    check_spacing(spacing_mm)
    simulate_store(
        store,
        scanners=scanners or profile_names(),
        own_bodies=own_bodies,
        shared_bodies=shared_bodies,
        grid=Grid(size, spacing_mm),
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
    form: Annotated[Format, typer.Option("--format", help="Of the images.")] = Format.DICOM,
    seed: Seed = 0,
    slices: SlicesOption = 1,
    intramuscular_fat: MuscleFat = False,
    workers: Workers = CORES,
) -> None:
    """Write the same scans as DICOM series or NIfTI, with labels, tissue maps and a manifest."""
    from cl_seg.phantom.export import export as export_scans
    from cl_seg.phantom.profiles import profile_names
    from cl_seg.phantom.series import Acquisition
    from cl_seg.phantom.simulate import everybody, load_profiles

    if own_bodies + shared_bodies == 0:
        raise InputError("--own-bodies and --shared-bodies are both 0: ask for at least one body")
    profiles = load_profiles(scanners or profile_names())
    jobs = [
        Acquisition(body, scanner, profile, seed, slices, intramuscular_fat)
        for scanner, profile, body in everybody(profiles, own_bodies, shared_bodies)
    ]
    export_scans(folder, jobs, form.value, workers=workers)
    say(f"scans: {folder}, to be read with `cl-seg ingest {folder / 'manifest.csv'} STORE`")


@app.command()
def profiles() -> None:
    """List the built-in scanners."""
    from cl_seg.phantom.profiles import load_profile, profile_names

    table = Table("profile", "track", "scanner", "kV", "mAs", "slice", "phase")
    for name in profile_names():
        profile = load_profile(name)
        tube = str(profile.tube.kvp), f"{profile.tube.mas:g}"
        scan = f"{profile.detector.slice_mm:g} mm", profile.protocol.contrast.replace("_", " ")
        table.add_row(name, profile.track, profile.display_name, *tube, *scan)
    out.print(table)


@app.command()
def sheet(
    file: Annotated[
        Path, typer.Argument(help="Picture to make, .png or .jpg.", show_default=False)
    ],
    scanners: Scanners = None,
    bodies: Annotated[int, typer.Option(min=1, max=100, help="Bodies, a row per level.")] = 12,
    level: Annotated[str, typer.Option(help="L3, liver or both.")] = "both",
    seed: Seed = 0,
    workers: Workers = CORES,
) -> None:
    """Draw bodies (rows) on scanners (columns), to look at what is simulated."""
    from cl_seg.phantom.profiles import profile_names
    from cl_seg.phantom.sheet import chosen_levels, write_sheet
    from cl_seg.phantom.simulate import load_profiles

    write_sheet(
        file,
        load_profiles(scanners or profile_names()),
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
