"""``cl-seg phantom``: simulate CT scanners, export their scans, list them, draw a contact sheet."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from cl_seg.cli.command_group import command_group
from cl_seg.cli.console import Workers, out, print_info, print_output_path
from cl_seg.runtime.workers import CORES

if TYPE_CHECKING:
    from cl_seg.phantom.profiles import Profile

app = command_group("Simulated CT scanners and bodies (no patients).")

Scanners = Annotated[
    list[str] | None,
    typer.Option("--scanner", help="Scanner name or file; repeat; default: all with a profile."),
]
OwnBodies = Annotated[
    int, typer.Option(min=0, help="Bodies per scanner that no other scanner scans.")
]
SharedBodies = Annotated[int, typer.Option(min=0, help="Bodies that every scanner scans.")]
Seed = Annotated[int, typer.Option(min=0, help="Random seed of anatomy and noise.")]
Slices = Annotated[int, typer.Option(min=1, max=1000, help="Neighbouring slices per level.")]
MuscleFat = Annotated[
    bool, typer.Option("--intramuscular-fat", help="Label the fat inside muscle as muscle.")
]


class Level(StrEnum):
    """Levels of the body in a contact sheet."""

    L3 = "L3"
    LIVER = "liver"
    BOTH = "both"
    TRUNK = "trunk"


class Levels(StrEnum):
    """Where a body is scanned, if not at L3 and the liver."""

    TRUNK = "trunk"


TrunkOnly = Annotated[
    Levels | None,
    typer.Option("--levels", help="trunk: slices from the sacrum to above the liver."),
]


class Format(StrEnum):
    """File formats of exported images."""

    DICOM = "dicom"
    NIFTI = "nifti"


@app.command()
def simulate(
    store: Annotated[Path, typer.Argument(help="New folder for the store.", show_default=False)],
    scanners: Scanners = None,
    own_bodies: OwnBodies = 42,
    shared_bodies: SharedBodies = 14,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Pixels per side.")] = 320,
    spacing_mm: Annotated[float, typer.Option(min=0.1, max=20, help="Pixel size in mm.")] = 1.6,
    seed: Seed = 0,
    slices: Slices = 1,
    levels: TrunkOnly = None,
    intramuscular_fat: MuscleFat = False,
    workers: Workers = CORES,
) -> None:
    """Scan simulated bodies on simulated scanners into a store."""
    from cl_seg.api.stores import simulate as simulate_store

    simulate_store(
        store,
        scanners or None,
        own_bodies=own_bodies,
        shared_bodies=shared_bodies,
        size=size,
        spacing_mm=spacing_mm,
        seed=seed,
        slices=slices,
        levels="trunk" if levels else None,
        intramuscular_fat=intramuscular_fat,
        workers=workers,
    )
    print_output_path("store", store)


@app.command()
def export(
    out_folder: Annotated[
        Path, typer.Argument(metavar="OUT", help="New folder for the scans.", show_default=False)
    ],
    scanners: Scanners = None,
    own_bodies: OwnBodies = 0,
    shared_bodies: SharedBodies = 1,
    file_format: Annotated[
        Format, typer.Option("--format", help="File format of the images.")
    ] = Format.DICOM,
    seed: Seed = 0,
    slices: Slices = 1,
    levels: TrunkOnly = None,
    intramuscular_fat: MuscleFat = False,
    workers: Workers = CORES,
) -> None:
    """Write simulated scans as DICOM or NIfTI, with labels, tissue maps and a manifest."""
    from cl_seg.api.stores import simulate_scans

    manifest = simulate_scans(
        out_folder,
        scanners or None,
        file_format=file_format.value,
        own_bodies=own_bodies,
        shared_bodies=shared_bodies,
        seed=seed,
        slices=slices,
        levels="trunk" if levels else None,
        intramuscular_fat=intramuscular_fat,
        workers=workers,
    )
    print_info(f"read them with `cl-seg ingest {manifest} STORE`")
    print_output_path("scans", out_folder)


@app.command()
def profiles() -> None:
    """List the built-in scanners."""
    from cl_seg.phantom.profiles import Profile, scanner_names
    from cl_seg.phantom.scanners import load_scanners

    table = Table(
        *(Column(name, no_wrap=True) for name in ("profile", "track")),
        *("scanner", "kV", "mAs", "slice", "phase"),
        box=None,
    )
    for name, scanner in load_scanners(scanner_names()).items():
        settings = _settings(scanner) if isinstance(scanner, Profile) else ("drawn",) * 4
        shown = scanner.display_name.removesuffix(" (simulated)")
        table.add_row(name, scanner.track, shown, *settings)
    out.print(table)


def _settings(profile: "Profile") -> tuple[str, ...]:
    tube, thickness = profile.tube, f"{profile.detector.slice_mm:g} mm"
    phase = profile.protocol.contrast.replace("_", " ")
    return str(tube.kvp), f"{tube.mas:g}", thickness, phase


@app.command()
def sheet(
    file: Annotated[Path, typer.Argument(help="New image file, .png or .jpg.", show_default=False)],
    scanners: Scanners = None,
    bodies: Annotated[
        int, typer.Option(min=1, max=100, help="Number of bodies; each gets one row per level.")
    ] = 12,
    level: Annotated[Level, typer.Option(help="Level of the body to draw.")] = Level.BOTH,
    seed: Seed = 0,
    workers: Workers = CORES,
) -> None:
    """Draw a contact sheet: the same bodies (rows) on every scanner (columns)."""
    from cl_seg.phantom.anatomy.slices import LEVELS
    from cl_seg.phantom.scanners import load_scanners
    from cl_seg.phantom.sheet import TRUNK_LEVELS, write_sheet

    several = {Level.BOTH: LEVELS, Level.TRUNK: tuple(TRUNK_LEVELS)}
    write_sheet(
        file,
        load_scanners(scanners or None),
        bodies=bodies,
        levels=several.get(level, (level.value,)),
        seed=seed,
        workers=workers,
    )
    print_output_path("sheet", file)
