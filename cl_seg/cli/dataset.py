"""``cl-seg dataset``: a public CT set as it was downloaded, into a manifest for ingest."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cl_seg.cli.console import out, progress, say
from cl_seg.datasets.declared import DATASETS


def dataset(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(DATASETS)}.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="The set, unpacked.", show_default=False)],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder to make.", show_default=False)
    ],
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", help="Structures that make a class, e.g. kidney=Kidney,Mass; repeat."
        ),
    ] = None,
    slices_of: Annotated[
        str, typer.Option(help="Label only the slices a structure is on, e.g. vertebrae_L3.")
    ] = "",
    scanners: Annotated[
        Path | None,
        typer.Option(help="Table case,scanner[,patient] for sets that do not name scanners."),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(help="Scanner aliases (YAML) merged over the package's own.")
    ] = None,
) -> None:
    """Write the manifest of a public CT set, with label files where it has one per structure."""
    from cl_seg.datasets.dataset import Options, parse_classes
    from cl_seg.datasets.write import write_dataset

    options = Options(parse_classes(classes or []), slices_of, scanners, aliases)
    with progress("Reading") as count:
        written = write_dataset(name, folder, target, options, count)
    table = Table("scanner", "images", box=None)
    for scanner, images in sorted(written.scanners.items()):
        table.add_row(escape(scanner or "as the headers say"), str(images))
    out.print(table)
    first = {item.reason: item.path for item in reversed(written.left_out)}
    counts: Counter[str] = Counter()
    for item in written.left_out:
        counts[item.reason] += item.files
    for reason, files in counts.most_common():
        say(f"left out, {files}: {reason} (first {first[reason]})")
    for note in written.notes:
        say(f"note: {note}")
    say(f"manifest: {written.manifest}, to be read with")
    say(f"  {written.command}")
