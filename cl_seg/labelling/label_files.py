"""Label files of a queue: those a person drew in, and those that are not read."""

from collections.abc import Sequence
from pathlib import Path

from cl_seg.labelling.cases import CaseVolume
from cl_seg.labelling.queue import QUEUE, QueueRow
from cl_seg.labelling.segmentation_file import read_segmentation
from cl_seg.messages.errors import InputError
from cl_seg.scans.labels.label_map import Others
from cl_seg.scans.sources.files import similar_file
from cl_seg.scans.store import UNLABELLED, Labels

SEGMENTATION = ".seg.nrrd"
_LABEL_FILES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def drawn_labels(
    folder: Path, entry: QueueRow, case: CaseVolume, classes: Sequence[str], others: Others
) -> Labels:
    """Labels of a case, (N, S, S) uint8.

    Args:
        folder: the queue.
        entry: a slice of the case.
        case: its volume.
        classes: names of labels 1, 2, ….
        others: what values and segments are that are no class.

    Raises:
        InputError: the file is missing, on another grid, or holds what means nothing.
    """
    path = folder / entry.labels
    # Whoever saved a segmentation beside the prepared file has drawn in it.
    files = [file for file in (_segmentation(path), path) if file.is_file()]
    if not files:
        raise InputError(
            f"{path} is missing{similar_file(path)}: save the labels of {entry.image} there"
        )
    where = str(folder / QUEUE)
    labels, *prepared = (
        read_segmentation(file, case.volume, classes, where, others) for file in files
    )
    for other in prepared:  # a segmentation cannot say what nobody has labelled
        labels[(other == UNLABELLED) & (labels == 0)] = UNLABELLED
    return labels


def unread_files(folder: Path, entries: Sequence[QueueRow]) -> list[str]:
    """Notes of label files in a queue that are not where labels are read from.

    Args:
        folder: the queue.
        entries: its table.
    """
    known = {folder / entry.image for entry in entries}
    for entry in entries:
        known |= {folder / entry.labels, _segmentation(folder / entry.labels)}
    there = [*folder.glob("*"), *folder.glob("labels/*"), *folder.glob("images/*")]
    return [
        f"{file} is not read: labels are taken from files named like the images, as "
        f"{entries[0].labels} or {_segmentation(Path(entries[0].labels))}"
        for file in sorted(set(there) - known)
        if file.name.lower().endswith(_LABEL_FILES) and not file.name.startswith(".")
    ]


def _segmentation(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + SEGMENTATION)
