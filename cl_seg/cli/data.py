"""``cl-seg ingest`` and ``dataset``: CT scans into a store, public CT sets into a manifest."""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cl_seg.cli.console import (
    AllowImplausibleHu,
    Others,
    OthersOption,
    Workers,
    escape_for_terminal,
    print_detail,
    print_info,
    print_output_path,
    print_table,
    progress,
)
from cl_seg.datasets.registry import DATASETS
from cl_seg.files.write import check_new, write_text
from cl_seg.runtime.workers import CORES


class Derived(StrEnum):
    """Handling of monoenergetic, virtual non-contrast and other derived images."""

    APART = "apart"
    LEAVE_OUT = "leave-out"


def ingest(
    source: Annotated[
        Path, typer.Argument(help="Folder of DICOM files, or a CSV manifest.", show_default=False)
    ],
    store: Annotated[Path, typer.Argument(help="New folder for the store.", show_default=False)],
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Label values of a class, background or ignore, e.g. liver=5, muscle=86,87 or "
            "background=1-4,7; repeat."
        ),
    ] = None,
    others: OthersOption = Others.ERROR,
    aliases: Annotated[
        Path | None, typer.Option(help="YAML file of scanner aliases, added to the built-in ones.")
    ] = None,
    size: Annotated[
        int, typer.Option(min=16, max=2048, help="Pixels per side of a stored slice.")
    ] = 320,
    spacing_mm: Annotated[
        float, typer.Option(min=0.1, max=20, help="Pixel size of a stored slice in mm.")
    ] = 1.6,
    salt: Annotated[
        str | None,
        typer.Option(
            envvar="CL_SEG_SALT",
            help="Secret that makes patient hashes repeatable; default: random, not stored.",
        ),
    ] = None,
    allow_implausible_hu: AllowImplausibleHu = False,
    scanner_by: Annotated[
        str,
        typer.Option(
            help="Header fields that distinguish scanners, separated by commas: manufacturer, "
            "model, kernel, kv, station (as a hash).",
            show_default="all but station",
        ),
    ] = "manufacturer,model,kernel,kv",
    derived: Annotated[
        Derived,
        typer.Option(
            help="Derived images (monoenergetic etc.): a scanner of their own, or left out."
        ),
    ] = Derived.APART,
    months: Annotated[
        bool,
        typer.Option(
            "--months",
            help="Keep the order of the months of the study dates, for suites with "
            "`experience: months`; no date is stored.",
        ),
    ] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(help="New HTML file: a few slices of every series with label contours."),
    ] = None,
    paths: Annotated[
        Path | None,
        typer.Option(
            help="New CSV file that leads from the cases of the store, named by hashes, to the "
            "files; a path may name the patient."
        ),
    ] = None,
    workers: Workers = CORES,
) -> None:
    """Read CT scans into a store, grouped by scanner from their headers."""
    from cl_seg.api.stores import ingest as ingest_scans

    for file in filter(None, (sheet, paths)):
        check_new(file)
    made = ingest_scans(
        source,
        store,
        labels=label or [],
        others=others.value,
        aliases=aliases,
        size=size,
        spacing_mm=spacing_mm,
        salt=salt,
        scanner_by=scanner_by,
        derived=derived.value,
        months=months,
        allow_implausible_hu=allow_implausible_hu,
        workers=workers,
    )
    report = made.report
    table = Table("scanner", "cases", "slices", "labelled slices", box=None)
    for scanner in report.scanners:
        labelled = ", ".join(f"{name} {count}" for name, count in scanner.labelled.items())
        counts = str(scanner.cases), str(scanner.slices), labelled or "none"
        table.add_row(escape_for_terminal(scanner.name), *counts)
    print_table(table)
    print_info("scanners in `orders` of a suite: " + ", ".join(s.folder for s in report.scanners))
    for item in report.rejected:
        files = f" ({item.files} files)" if item.files > 1 else ""
        print_info(f"rejected {item.path}{files}: {item.reason}")
    for note in report.notes:
        print_info(f"note: {note}")
    if sheet is not None:
        made.write_contour_sheet(sheet)
        print_info(f"contours: {sheet}")
    if paths is not None:
        write_text(paths, made.paths().to_csv(index=False))
        print_info(f"paths: {paths}")
    print_output_path("store", store)


def dataset(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(DATASETS)}.", show_default=False)],
    folder: Annotated[
        Path, typer.Argument(help="Folder of the unpacked data set.", show_default=False)
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="New folder for manifest and labels.", show_default=False
        ),
    ],
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", help="Structures that form a class, e.g. kidney=Kidney,Mass; repeat."
        ),
    ] = None,
    slices_of: Annotated[
        str, typer.Option(help="Label only slices that show this structure, e.g. vertebrae_L3.")
    ] = "",
    scanners: Annotated[
        Path | None,
        typer.Option(help="CSV table case,scanner[,patient], for sets without scanner names."),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(help="YAML file of scanner aliases, added to the built-in ones.")
    ] = None,
) -> None:
    """Write the manifest of a public CT data set, and label files if it has one per structure."""
    from cl_seg.datasets.dataset import DatasetOptions, parse_classes
    from cl_seg.datasets.write import write_dataset

    options = DatasetOptions(parse_classes(classes or []), slices_of, scanners, aliases)
    with progress("Reading") as on_progress:
        written = write_dataset(name, folder, target, options, on_progress)
    table = Table("scanner", "images", box=None)
    for scanner, images in sorted(written.scanners.items()):
        table.add_row(escape_for_terminal(scanner or "from the headers"), str(images))
    print_table(table)
    first = {item.reason: item.path for item in reversed(written.left_out)}
    counts: Counter[str] = Counter()
    for item in written.left_out:
        counts[item.reason] += item.files
    for reason, files in counts.most_common():
        print_info(f"left out, {files}: {reason} (first {first[reason]})")
    for item in written.left_out:
        print_detail(f"left out {item.path}: {item.reason}")
    for note in written.notes:
        print_info(f"note: {note}")
    print_output_path("manifest", written.manifest)
    print_info("read it into a store with")
    print_info(f"  {written.command}")
