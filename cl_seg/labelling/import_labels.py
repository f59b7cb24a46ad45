"""Imports the labels of a queue into a store, checked, with the provenance of every slice."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from cl_seg.files.csv_file import read_frame
from cl_seg.files.write import check_new, write_text
from cl_seg.labelling.cases import case_volumes, stored_labels
from cl_seg.labelling.label_files import drawn_labels, unread_files
from cl_seg.labelling.queue import DONE, QUEUE, SKIP, Origin, QueueRow, read_queue
from cl_seg.labelling.segmentation_file import read_segmentation
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.scans.labels.label_map import Others
from cl_seg.scans.store import UNLABELLED, Labels, SliceRow, SliceStore, create_store

LABELLING = "labelling.csv"
COLUMNS = ["slice_id", "origin", "classes", "minutes", "chosen_by", "proposed_by"]
PINHOLE = 4  # pixels, the largest hole that is taken for a slip of the brush (engineering value)


@dataclass(frozen=True)
class ImportResult:
    """Labels taken from a queue, in numbers.

    Attributes:
        origins: manual, proposed (right as it was) or corrected → number of slices.
        left_out: slices to be skipped, and proposals nobody has looked at.
        minutes: noted in the queue, in all.
        notes: what the user should look at.
    """

    origins: dict[str, int]
    left_out: int
    minutes: float
    notes: list[str]


@dataclass(frozen=True)
class AnnotatedSlice:
    """A slice as it will be in the store, and the classes it is labelled for."""

    entry: QueueRow
    labels: Labels
    classes: list[str]
    new: list[str]
    origin: str


def import_queue(
    folder: Path, store: SliceStore, out: Path, others: Others = "error"
) -> ImportResult:
    """Write a store of the queue's scanner with the labels drawn in the queue.

    Labels the store has of other slices, and of classes that are not named in the table, stay;
    so does what was noted of them. A proposal that was left as it was counts when its status says
    ``done``; else nobody has looked at it, and it is left out.

    Args:
        folder: the queue.
        store: the one the queue was made from.
        out: store to make.
        others: what values and segments are that are no class.

    Raises:
        InputError: the queue is of another store, its table does not fit its files, labels lie on
            another grid or hold unknown values, or slices are not labelled yet. Nothing is written
            then.
    """
    check_new(out)
    origin, entries = read_queue(folder)
    same = (store.header.content_sha256, store.header.classes)
    if (origin.content_sha256, origin.classes) != same or origin.scanner not in store.scanners:
        raise InputError(
            f"{folder} was made from another store than {store.folder}: give the one it was made "
            "from"
        )
    work = [entry for entry in entries if entry.status != SKIP]
    unread = unread_files(folder, entries)
    elsewhere: list[str] = []
    drawn = list(_annotated(folder, store, origin, entries, others, elsewhere))
    _check_complete(folder, drawn, origin, unread)
    if not drawn:
        raise InputError(
            f"{folder / QUEUE}: no slice is left to import; a proposal that is right as it is has "
            f"{DONE!r} in the column status"
        )
    _write(store, out, origin, drawn)
    minutes = sum(float(entry.minutes or 0) for entry in work)
    origins = dict(Counter(one.origin for one in drawn))
    notes = [*_notes(drawn, origin), *unread]
    if elsewhere:
        notes.append(
            f"what is drawn on {counted(len(elsewhere), 'slice')} besides is left out (first "
            f"{elsewhere[0]}): only slices of {QUEUE} are taken"
        )
    if len(entries) < origin.slices:
        notes.append(f"{origin.slices - len(entries)} lines of {folder / QUEUE} are gone")
    return ImportResult(origins, len(entries) - len(drawn), minutes, notes)


def _check_complete(
    folder: Path, drawn: Sequence[AnnotatedSlice], origin: Origin, unread: Sequence[str]
) -> None:
    missing = [
        one.entry
        for one in drawn
        if one.entry.status != DONE and one.new and not _any_of(one, origin)
    ]
    if missing:
        listed = ", ".join(f"{e.labels} slice {e.slice}" for e in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InputError(
            f"{folder / QUEUE}: nothing is drawn on {listed}{more}: label them, or write {DONE!r} "
            f"in the column status where there is nothing to draw, or {SKIP!r} to leave them out"
            + "".join(f"; {note}" for note in unread)
        )


def _any_of(annotated: AnnotatedSlice, origin: Origin) -> bool:
    """Whether any newly labelled class is drawn on the slice."""
    return bool(
        np.isin(annotated.labels, [origin.classes.index(name) + 1 for name in annotated.new]).any()
    )


def provenance(store: SliceStore) -> pd.DataFrame:
    """Provenance of the labels of a store, a row per slice; empty where none was recorded.

    Raises:
        InputError: the table is damaged.
    """
    path = store.folder / LABELLING
    if not path.is_file():
        return pd.DataFrame({name: pd.Series(dtype=str) for name in COLUMNS})
    return read_frame(path, COLUMNS, str, "restore it from the store it was imported into")


def _annotated(
    folder: Path,
    store: SliceStore,
    origin: Origin,
    entries: Sequence[QueueRow],
    others: Others,
    elsewhere: list[str],
) -> Iterator[AnnotatedSlice]:
    """The slices to import; names slices that are drawn on but not listed in ``elsewhere``."""
    listed = {entry.slice_id for entry in entries}
    by_slice = {entry.slice_id: entry for entry in entries if entry.status != SKIP}
    for case in case_volumes(store, origin.scanner, list(by_slice)):
        rows = case.rows.to_dict("records")
        case_rows = [by_slice[row["slice_id"]] for row in rows if row["slice_id"] in by_slice]
        labels = drawn_labels(folder, case_rows[0], case, origin.classes, others)
        proposals = None
        if origin.proposed_by:
            file = folder / "proposals" / f"{case.name}.nii.gz"
            proposals = read_segmentation(file, case.volume, origin.classes, str(folder))
        for index, row in enumerate(rows):
            entry = by_slice.pop(row["slice_id"], None)
            if entry is None:
                drawn_on = np.isin(labels[index], [0, UNLABELLED], invert=True).any()
                if drawn_on and row["slice_id"] not in listed:
                    elsewhere.append(f"labels/{case.name} slice {index}")
                continue
            if (entry.slice, entry.labels) != (index, f"labels/{case.name}.nii.gz"):
                raise InputError(
                    f"{folder / QUEUE}: {entry.slice_id} is slice {index} of labels/{case.name}"
                    f".nii.gz, not slice {entry.slice} of {entry.labels}: keep these columns"
                )
            label_origin = "manual"
            if proposals is not None:
                label_origin = "corrected"
                if np.array_equal(proposals[index], labels[index]):
                    label_origin = "proposed"
                    if entry.status != DONE:
                        continue
            yield _merged(labels[index], entry, store, row, label_origin)
    if by_slice:
        raise InputError(
            f"{folder / QUEUE}: {origin.scanner} has no slice {next(iter(by_slice))}: keep the "
            "column slice_id as it is (a spreadsheet may have changed it)"
        )


def _merged(
    drawn: Labels, entry: QueueRow, store: SliceStore, row: Mapping[Any, Any], how: str
) -> AnnotatedSlice:
    """Classes named in the table are as drawn, others stay as the store has them."""
    stored, known = stored_labels(store, row)
    named = entry.classes.split(",") if entry.classes else []
    labels = drawn.copy()
    for label, name in enumerate(store.header.classes, start=1):
        if name in named:
            continue
        kept = (stored == label) if name in known else np.zeros(stored.shape, bool)
        if ((drawn == label) & ~kept).any():
            raise InputError(
                f"{entry.labels}, slice {entry.slice}: {name} is drawn but not among its classes "
                f"in {QUEUE}: add it there or remove it from the labels"
            )
        labels[kept & (labels == 0)] = label
    classes = [name for name in store.header.classes if name in named or name in known]
    new = [name for name in named if name not in known]
    return AnnotatedSlice(entry, labels, classes, new, how)


def _write(
    store: SliceStore, out: Path, origin: Origin, annotated_slices: Sequence[AnnotatedSlice]
) -> None:
    scanner, header = origin.scanner, store.header
    of_slice = {annotated.entry.slice_id: annotated for annotated in annotated_slices}
    scanner_slices = store.slices[store.slices["scanner"] == scanner].sort_values("row")
    labels = np.array(store.labels(scanner))
    rows: list[SliceRow] = []
    for row in scanner_slices.drop(columns="row").to_dict("records"):
        annotated = of_slice.get(row["slice_id"])
        if annotated is not None:
            row["labelled"] = ",".join(annotated.classes)
            labels[len(rows)] = annotated.labels
        rows.append(SliceRow(**{str(name): value for name, value in row.items()}))
    older = provenance(store)
    older = older[~older["slice_id"].isin(list(of_slice))]
    newer = pd.DataFrame(
        [_noted(annotated, origin) for annotated in annotated_slices], columns=COLUMNS
    )
    text = io.StringIO()
    pd.concat([older, newer]).to_csv(text, index=False)
    with create_store(out, header.classes, header.grid, header.provenance) as writer:
        writer.add_scanner(scanner, header.scanners[scanner], rows, store.hu(scanner), labels)
        write_text(writer.folder / LABELLING, text.getvalue())


def _noted(annotated: AnnotatedSlice, origin: Origin) -> list[str]:
    entry = asdict(annotated.entry)
    return [
        *(entry["slice_id"], annotated.origin, entry["classes"], entry["minutes"]),
        *(origin.chosen_by, origin.proposed_by),
    ]


def _notes(drawn: Sequence[AnnotatedSlice], origin: Origin) -> Iterator[str]:
    for label, name in enumerate(origin.classes, start=1):
        meant = [one for one in drawn if name in one.new]
        without = [one for one in meant if not (one.labels == label).any()]
        if without:
            first = without[0].entry
            yield (
                f"no {name} on {len(without)} of {counted(len(meant), 'slice')} (first "
                f"{first.labels} slice {first.slice}): right where there is none; where it "
                f"was not labelled, delete it from the column classes of {QUEUE}"
            )
        holed = [one for one in meant if _pinholes(one.labels == label)]
        if holed:
            first = holed[0].entry
            yield (
                f"{name} has holes of up to {PINHOLE} pixels on {counted(len(holed), 'slice')} "
                f"(first {first.labels} slice {first.slice}), kept as drawn"
            )
    partly = [one for one in drawn if (one.labels == UNLABELLED).any()]
    if partly:
        told = counted(len(partly), "slice is", "slices are")
        yield f"{told} labelled in part: what is {UNLABELLED} counts nowhere"


def _pinholes(mask: np.ndarray) -> bool:
    holes, _ = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    return bool(np.any(np.bincount(holes.ravel())[1:] <= PINHOLE))
