"""Writes the manifest of a public set, and label files where the set has none ingest could read."""

import os
import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from cl_seg.datasets.dataset import Case, DataSet, DatasetOptions
from cl_seg.datasets.overlap import ClassOverlapAreas, overlap_notes
from cl_seg.datasets.registry import ALIASES, CLASS, DATASETS, SCANNERS, SLICES_OF
from cl_seg.files.csv_file import write_table
from cl_seg.files.write import check_new, new_folder
from cl_seg.messages.errors import InputError
from cl_seg.scans.labels.label_map import format_label_values
from cl_seg.scans.series import RejectedFile, UnusableError
from cl_seg.scans.sources.manifest import LABELLED, REQUIRED

MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class WrittenManifest:
    """Outcome of writing a set.

    Attributes:
        manifest: the CSV file.
        command: the ingest that reads it.
        scanners: scanner → images; "" where ingest takes it from the header.
        left_out: images left out, with the reason.
        notes: what the user should know.
    """

    manifest: Path
    command: str
    scanners: dict[str, int]
    left_out: list[RejectedFile]
    notes: list[str]


def write_dataset(
    name: str,
    folder: Path,
    out: Path,
    options: DatasetOptions,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> WrittenManifest:
    """Turn a downloaded set into a folder with ``manifest.csv``, whole or not at all.

    Args:
        name: one of ``DATASETS``.
        folder: the set as it was downloaded and unpacked; it is only read.
        out: folder to make.
        options: what the user says of the set.
        on_progress: called with the number of images done and of all.

    Raises:
        InputError: unknown name, an option that means nothing for this set, a folder that is not
            this set, no image that can be used, or ``out`` cannot be written.
    """
    _check(name, folder, options)
    check_new(out)
    found: DataSet = import_module(DATASETS[name].module).read(folder, options)
    left_out = list(found.left_out)
    written: list[tuple[Case, str]] = []
    overlaps: list[tuple[Path, ClassOverlapAreas]] = []
    with new_folder(out) as building:
        if not all(isinstance(case.labels, Path) for case in found.cases):
            (building / "labels").mkdir()
        for number, case in enumerate(found.cases, start=1):
            on_progress(number, len(found.cases))
            try:
                labels, overlap = _labels(case, building, out, number)
            except UnusableError as error:
                left_out.append(RejectedFile(case.image, str(error)))
                continue
            written.append((case, labels))
            overlaps.append((case.image, overlap))
        if not written:
            raise _nothing(folder, left_out)
        _write_manifest(building / MANIFEST, out, written, LABELLED if found.sparse else "")
    scanners = Counter(case.scanner for case, _ in written)
    command = _command(found, out)
    notes = [*found.notes, *overlap_notes(overlaps)]
    return WrittenManifest(out / MANIFEST, command, dict(scanners), left_out, notes)


def _check(name: str, folder: Path, options: DatasetOptions) -> None:
    if name not in DATASETS:
        raise InputError(f"there is no set named {name}: expected one of {', '.join(DATASETS)}")
    given = {
        CLASS: bool(options.classes),
        SLICES_OF: bool(options.slices_of),
        SCANNERS: options.scanners is not None,
        ALIASES: options.aliases is not None,
    }
    for option, is_given in given.items():
        if is_given and option not in DATASETS[name].takes:
            raise InputError(f"{option} means nothing for {DATASETS[name].title}: leave it out")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: download and unpack {DATASETS[name].title}")


def _labels(case: Case, building: Path, out: Path, number: int) -> tuple[str, ClassOverlapAreas]:
    """The label file of a case as the manifest names it; made where the set has none."""
    if isinstance(case.labels, Path):
        return _relative(case.labels, out), {}
    made = f"labels/{number:04d}.nii.gz"  # not named after the case, which may be an identifier
    return made, case.labels(building / made)


def _relative(path: Path, out: Path) -> str:
    # The file itself may be a link to one without the ending that says what it is.
    place = path.parent.resolve() / path.name
    return Path(os.path.relpath(place, out.resolve())).as_posix()


def _write_manifest(path: Path, out: Path, written: list[tuple[Case, str]], slices: str) -> None:
    write_table(
        path,
        [*REQUIRED, "classes", "slices"],
        [
            (
                *(_relative(case.image, out), labels, case.patient, case.scanner),
                *(" ".join(case.covered), slices),
            )
            for case, labels in written
        ],
    )


def _nothing(folder: Path, left_out: list[RejectedFile]) -> InputError:
    counts = Counter(item.reason for item in left_out)
    reasons = "; ".join(f"{count} × {reason}" for reason, count in counts.most_common(3))
    first = f", first {left_out[0].path}" if left_out else ""
    return InputError(f"{folder} holds no image that can be used ({reasons or 'none'}{first})")


def _command(found: DataSet, out: Path) -> str:
    labels = [f"{name}={','.join(map(str, values))}" for name, values in found.values.items()]
    for name, values in (("background", found.background), ("ignore", found.ignored)):
        labels += [f"{name}={format_label_values(values)}"] if values else []
    words = ["cl-seg", "ingest", str(out / MANIFEST), f"{out}.store"]
    for label in labels:
        words += ["--label", label]
    return shlex.join(words)
