"""Takes the labels of a queue back: checked, with the provenance of every slice, into a store."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from cl_seg.files import InputError, write_text
from cl_seg.labelling.cases import CaseVolume, case_volumes
from cl_seg.labelling.queue import DONE, QUEUE, SKIP, Entry, Origin, read_queue
from cl_seg.labelling.segmentation_file import read_segmentation
from cl_seg.scans.store import UNLABELLED, Labels, Slice, SliceStore, create_store

LABELLING = "labelling.csv"
COLUMNS = ["slice_id", "origin", "classes", "minutes", "chosen_by", "proposed_by"]
PINHOLE = 4  # pixels, the largest hole that is taken for a slip of the brush (engineering value)


@dataclass(frozen=True)
class Collected:
    """What was taken from a queue.

    Attributes:
        origins: manual, proposed (left as it was) or corrected → number of slices.
        skipped: slices left out on purpose.
        minutes: noted in the queue, in all.
        notes: what the user should look at.
    """

    origins: dict[str, int]
    skipped: int
    minutes: float
    notes: list[str]


@dataclass(frozen=True)
class _Drawn:
    entry: Entry
    labels: Labels
    origin: str


def import_queue(folder: Path, store: SliceStore, out: Path) -> Collected:
    """Write a store of the queue's scanner with the labels drawn in the queue.

    Labels the store had keep their place unless the queue has newer ones; so does what was noted of
    them.

    Args:
        folder: the queue.
        store: the one the queue was made from.
        out: store to make.

    Raises:
        InputError: the queue is of another store, labels lie on another grid or hold unknown
            values, or slices are not labelled yet. Nothing is written then.
    """
    origin, entries = read_queue(folder)
    if origin.content != store.header.content:
        raise InputError(
            f"{folder} was made from another store than {store.folder}: give the one it was made "
            "from"
        )
    work = [entry for entry in entries if entry.status != SKIP]
    drawn = list(_drawn(folder, store, origin, work))
    missing = [one.entry for one in drawn if one.entry.status != DONE and not one.labels.any()]
    if missing:
        listed = ", ".join(f"{e.labels} slice {e.slice}" for e in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InputError(
            f"{folder / QUEUE}: nothing is drawn on {listed}{more}: label them, or write {DONE!r} "
            f"in the column status where there is nothing to draw, or {SKIP!r} to leave them out"
        )
    if not drawn:
        raise InputError(f"{folder / QUEUE}: no slice is left to import")
    _write(store, out, origin, drawn)
    minutes = sum(float(entry.minutes or 0) for entry in work)
    origins = dict(Counter(one.origin for one in drawn))
    return Collected(origins, len(entries) - len(work), minutes, list(_notes(drawn, origin)))


def provenance(store: SliceStore) -> pd.DataFrame:
    """How the slices of a store came by their labels; empty where nobody noted it."""
    path = store.folder / LABELLING
    if not path.is_file():
        return pd.DataFrame({name: pd.Series(dtype=str) for name in COLUMNS})
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _drawn(
    folder: Path, store: SliceStore, origin: Origin, entries: Sequence[Entry]
) -> Iterator[_Drawn]:
    by_slice = {entry.slice_id: entry for entry in entries}
    for case in case_volumes(store, origin.scanner, list(by_slice)):
        own = [e for e in map(by_slice.get, case.rows["slice_id"]) if e is not None]
        labels = _labels(folder, own[0], case, origin)
        proposals = None
        if origin.proposed_by:
            file = folder / "proposals" / f"{case.name}.nii.gz"
            proposals = read_segmentation(file, case.volume, origin.classes, str(folder))
        for index, slice_id in enumerate(case.rows["slice_id"]):
            entry = by_slice.get(slice_id)
            if entry is None:
                continue
            how = "manual"
            if proposals is not None:
                same = np.array_equal(proposals[index], labels[index])
                how = "proposed" if same else "corrected"
            yield _Drawn(entry, _of_classes(labels[index], entry, origin), how)


def _labels(folder: Path, entry: Entry, case: CaseVolume, origin: Origin) -> Labels:
    path = folder / entry.labels
    segmentation = path.with_name(path.name.removesuffix(".nii.gz") + ".seg.nrrd")
    # Whoever saved a segmentation beside the prepared file has drawn in it.
    file = segmentation if segmentation.is_file() else path
    if not file.is_file():
        raise InputError(f"{file} is missing: save the labels of {entry.image} there")
    return read_segmentation(file, case.volume, origin.classes, str(folder / QUEUE))


def _of_classes(labels: Labels, entry: Entry, origin: Origin) -> Labels:
    """Labels of classes that the person has not labelled must not be there."""
    named = {name.strip() for name in entry.classes.split(",")}
    for label, name in enumerate(origin.classes, start=1):
        if name not in named and (labels == label).any():
            raise InputError(
                f"{entry.labels}, slice {entry.slice}: {name} is drawn but not among its classes "
                f"in {QUEUE}: add it there or remove it from the labels"
            )
    return labels


def _write(store: SliceStore, out: Path, origin: Origin, drawn: Sequence[_Drawn]) -> None:
    scanner, header = origin.scanner, store.header
    of_slice = {one.entry.slice_id: one for one in drawn}
    own = store.slices[store.slices["scanner"] == scanner].sort_values("row")
    labels = np.array(store.labels(scanner))
    rows: list[Slice] = []
    for row in own.drop(columns="row").to_dict("records"):
        one = of_slice.get(row["slice_id"])
        if one is not None:
            row["labelled"] = one.entry.classes
            labels[len(rows)] = one.labels
        rows.append(Slice(**{str(name): value for name, value in row.items()}))
    older = provenance(store)
    older = older[~older["slice_id"].isin(list(of_slice))]
    newer = pd.DataFrame([_noted(one, origin) for one in drawn], columns=COLUMNS)
    text = io.StringIO()
    pd.concat([older, newer]).to_csv(text, index=False)
    with create_store(out, header.classes, header.grid, header.provenance) as writer:
        writer.add_scanner(scanner, header.scanners[scanner], rows, store.hu(scanner), labels)
        write_text(writer.folder / LABELLING, text.getvalue())


def _noted(one: _Drawn, origin: Origin) -> list[str]:
    entry = asdict(one.entry)
    return [
        *(entry["slice_id"], one.origin, entry["classes"], entry["minutes"]),
        *(origin.chosen_by, origin.proposed_by),
    ]


def _notes(drawn: Sequence[_Drawn], origin: Origin) -> Iterator[str]:
    for label, name in enumerate(origin.classes, start=1):
        meant = [one for one in drawn if name in one.entry.classes.split(",")]
        without = [one for one in meant if not (one.labels == label).any()]
        if without:
            first = without[0].entry
            yield (
                f"no {name} on {len(without)} of {len(meant)} slices (first {first.labels} slice "
                f"{first.slice}): right where there is none; where it was not labelled, delete it "
                f"from the column classes of {QUEUE}"
            )
        holed = [one for one in meant if _pinholes(one.labels == label)]
        if holed:
            first = holed[0].entry
            yield (
                f"{name} has holes of up to {PINHOLE} pixels on {len(holed)} slices (first "
                f"{first.labels} slice {first.slice}), kept as drawn"
            )
    partly = [one for one in drawn if (one.labels == UNLABELLED).any()]
    if partly:
        yield f"{len(partly)} slices are labelled in part: what is {UNLABELLED} counts nowhere"


def _pinholes(mask: np.ndarray) -> bool:
    holes, _ = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    return bool(np.any(np.bincount(holes.ravel())[1:] <= PINHOLE))
