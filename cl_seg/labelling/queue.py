"""The queue: a folder of slices to label or to correct, for a person with a viewer.

Layout::

    queue.csv               a row per slice, the first to label on top, see COLUMNS
    queue.json              what the slices are of, see Origin
    images/case-001.nii.gz  HU of all slices of the case
    labels/case-001.nii.gz  what is to be drawn on or corrected: 0, then the classes in order
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from rich.progress import track

from cl_seg.files.csv_file import Row, read_table, write_table
from cl_seg.files.json_file import parse_as, read_json, to_json
from cl_seg.files.write import new_folder, write_json
from cl_seg.labelling.cases import case_volumes, stored_labels
from cl_seg.messages.errors import InputError
from cl_seg.messages.progress import progress_console
from cl_seg.scans import nifti
from cl_seg.scans.store import Labels, SliceStore

QUEUE, ORIGIN = "queue.csv", "queue.json"
TO_DO, DONE, SKIP = "to do", "done", "skip"
FORMAT = 1


@dataclass(frozen=True)
class QueueRow:
    """A slice of the queue; every field is a column of ``queue.csv``.

    Attributes:
        rank: from 1, the first to look at.
        image: volume the slice is in.
        labels: file its labels are drawn in.
        slice: index of the slice in the volume, from 0, as viewers count.
        z_mm: its position.
        confidence: of a proposal, 0 to 1; "" without one.
        classes: what is labelled on it, joined by ","; a class not labelled is to be deleted here.
        status: "to do"; "done" where there is nothing to draw, or a proposal is right as it is;
            "skip" to leave it out.
        minutes: the work on it took, for the record; may stay empty.
        slice_id: in the store.
    """

    rank: int
    image: str
    labels: str
    slice: int
    z_mm: float
    confidence: str
    classes: str
    status: str
    minutes: str
    slice_id: str


COLUMNS = tuple(field.name for field in fields(QueueRow))


@dataclass(frozen=True)
class Origin:
    """Origin of a queue: store, scanner, classes, and how its slices were chosen.

    Attributes:
        content_sha256: of the store; ``content`` in the file.
        scanner: folder name in the store.
        classes: names of labels 1, 2, ….
        chosen_by: method of the choice.
        slices: how many the queue had when it was made.
        proposed_by: checksum of the model whose proposals are to be corrected, "" for none.
        format: version of the layout.
    """

    content_sha256: Annotated[str, Field(alias="content")]
    scanner: str
    classes: list[str]
    chosen_by: str
    slices: int
    proposed_by: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class SliceToLabel:
    """A slice to be labelled or corrected by a person.

    Attributes:
        slice_id: in the store.
        confidence: of its proposal, NaN without one.
        proposal: (S, S) uint8, None without one.
    """

    slice_id: str
    confidence: float = float("nan")
    proposal: Labels | None = None


def write_queue(
    folder: Path, store: SliceStore, origin: Origin, slices: Sequence[SliceToLabel]
) -> None:
    """Write a queue, whole or not at all.

    Args:
        folder: to make; must not exist.
        store: with the slices.
        origin: what they are of.
        slices: in the order in which they are to be looked at.

    Raises:
        InputError: ``folder`` exists or cannot be written.
    """
    rank_of = {item.slice_id: rank for rank, item in enumerate(slices, start=1)}
    of_slice = {item.slice_id: item for item in slices}
    entries = []
    with new_folder(folder) as building:
        for part in ("images", "labels"):
            (building / part).mkdir()
        volumes = case_volumes(store, origin.scanner, list(rank_of))
        for case in track(volumes, "Writing cases", console=progress_console(), transient=True):
            image, labels = f"images/{case.name}.nii.gz", f"labels/{case.name}.nii.gz"
            drawn = np.zeros(case.volume.hu.shape, np.uint8)
            for index, row in enumerate(case.rows.to_dict("records")):
                slice_id = row["slice_id"]
                if slice_id not in rank_of:
                    continue
                item = of_slice[slice_id]
                drawn[index] = _to_draw_on(store, row, item.proposal)
                entries.append(
                    QueueRow(
                        rank=rank_of[slice_id],
                        image=image,
                        labels=labels,
                        slice=index,
                        z_mm=round(float(case.volume.z_mm[index]), 3),
                        confidence="" if np.isnan(item.confidence) else f"{item.confidence:.3f}",
                        classes=",".join(origin.classes),
                        status=TO_DO,
                        minutes="",
                        slice_id=slice_id,
                    )
                )
            nifti.save(building / image, case.volume.hu, case.volume)
            nifti.save(building / labels, drawn, case.volume)
            if origin.proposed_by:
                (building / "proposals").mkdir(exist_ok=True)
                nifti.save(building / "proposals" / f"{case.name}.nii.gz", drawn, case.volume)
        write_json(building / ORIGIN, to_json(origin))
        write_entries(building / QUEUE, sorted(entries, key=lambda entry: entry.rank))


def _to_draw_on(store: SliceStore, row: Mapping[Any, Any], proposal: Labels | None) -> Labels:
    """Labels the store has of a slice, with a proposal for the classes it has none of."""
    labels, classes = stored_labels(store, row)
    if proposal is not None:
        known = [store.header.classes.index(name) + 1 for name in classes]
        new = (labels == 0) & ~np.isin(proposal, known)
        labels[new] = proposal[new]
    return labels


def write_entries(path: Path, entries: Sequence[QueueRow]) -> None:
    """Write ``queue.csv``."""
    write_table(path, COLUMNS, [astuple(entry) for entry in entries])


def read_queue(folder: Path) -> tuple[Origin, list[QueueRow]]:
    """Read a queue back, after a person has worked on it.

    Raises:
        InputError: no queue, or a damaged one, naming file and line.
    """
    path = folder / ORIGIN
    if not path.is_file():
        raise InputError(f"{folder} is no queue (no {ORIGIN}): make one with `cl-seg seed select`")
    try:
        origin = parse_as(read_json(path), Origin)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): make the queue again") from error
    if origin.format != FORMAT:
        raise InputError(f"{path}: format {origin.format}, expected {FORMAT}: make the queue again")
    return origin, _entries(folder / QUEUE, origin.classes)


def _entries(path: Path, classes: Sequence[str]) -> list[QueueRow]:
    entries: dict[str, QueueRow] = {}
    for row in read_table(path, COLUMNS, delimiters=",;", hint="keep all columns of the queue"):
        entry = _entry(row, classes)
        if entry.slice_id in entries:
            raise row.error("slice_id", f"slice {entry.slice_id} is listed twice")
        entries[entry.slice_id] = entry
    return list(entries.values())


def _entry(row: Row, classes: Sequence[str]) -> QueueRow:
    if row["status"] not in {TO_DO, DONE, SKIP}:
        wanted = f"expected {TO_DO!r}, {DONE!r} or {SKIP!r}"
        raise row.error("status", f"{wanted}, not {row['status']!r}")
    for name in ("image", "labels"):
        if Path(row[name]).is_absolute() or ".." in Path(row[name]).parts:
            raise row.error(name, f"must stay inside the queue, not {row[name]}")
    named = [name.strip() for name in row["classes"].split(",") if name.strip()]
    if unknown := [name for name in named if name not in classes]:
        raise row.error(
            "classes", f"expected {' and '.join(classes)}, or some of them, not {unknown[0]}"
        )
    minutes = _number(row, "minutes", float) if row["minutes"] else 0
    return QueueRow(
        rank=int(_number(row, "rank", int)) if row["rank"].isdecimal() else 0,
        image=row["image"],
        labels=row["labels"],
        slice=int(_number(row, "slice", int)),
        z_mm=0.0,
        confidence=row["confidence"],
        classes=",".join(name for name in classes if name in named),
        status=row["status"],
        minutes=f"{minutes:g}" if minutes else "",
        slice_id=row["slice_id"],
    )


def _number(row: Row, column: str, kind: type[int] | type[float]) -> float:
    """An entry as a number; a comma may stand for the point."""
    try:
        number = kind(row[column].replace(",", "."))
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise row.error(column, f"expected a number from 0 on, not {row[column][:20]!r}")
    return number
