"""Options a reader of a public data set takes, and the cases it returns."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cl_seg.datasets.overlap import ClassOverlapAreas
from cl_seg.messages.errors import InputError
from cl_seg.scans.series import RejectedFile

LabelWriter = Callable[[Path], ClassOverlapAreas]
"""Writes the label file of one case to a path, and returns what of its masks overlaps; raises
UnusableError where that cannot be done."""


@dataclass(frozen=True)
class DatasetOptions:
    """Options of the user for a set.

    Attributes:
        classes: class → names of the structures that make it; empty for what the set says.
        slices_of: structure whose slices are the labelled ones; "" for all slices.
        scanners: CSV table of cases and scanners, for sets that do not name their scanners.
        aliases: scanner aliases merged over those of the package.
    """

    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slices_of: str = ""
    scanners: Path | None = None
    aliases: Path | None = None


@dataclass(frozen=True)
class Case:
    """One image of a set.

    Attributes:
        image: NIfTI file or folder of one DICOM series.
        labels: its label file, or what writes one where the set has none that ingest could read.
        patient: tells patients apart; "" where ingest takes it from the DICOM header.
        scanner: name of the scanner; "" where ingest takes it from the DICOM header.
        covered: classes the labels cover; empty for all.
    """

    image: Path
    labels: Path | LabelWriter
    patient: str = ""
    scanner: str = ""
    covered: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataSet:
    """A set as it was found.

    Attributes:
        cases: its images, in a fixed order.
        values: class → values in the label files.
        ignored: values of pixels nobody has labelled.
        background: values besides 0 that are background for these classes.
        sparse: whether most slices are unlabelled, so that they are better left out of a store.
        left_out: images that cannot be used, with the reason.
        notes: what the user should know.
    """

    cases: list[Case]
    values: Mapping[str, tuple[int, ...]]
    ignored: tuple[int, ...] = ()
    background: tuple[int, ...] = ()
    sparse: bool = False
    left_out: list[RejectedFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parse_classes(options: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``--class`` options such as ``muscle=iliopsoas_left,iliopsoas_right``.

    Raises:
        InputError: an option is malformed, or a class or structure occurs twice.
    """
    classes: dict[str, tuple[str, ...]] = {}
    for option in options:
        match = re.fullmatch(r"\s*([A-Za-z][\w-]*)\s*=(.+)", option, re.ASCII)
        structures = [part.strip() for part in match[2].split(",")] if match else []
        if match is None or not all(structures):
            raise InputError(
                f"--class {option}: expected NAME=STRUCTURE[,STRUCTURE…], e.g. --class liver=liver"
            )
        name = match[1]
        taken = {s for named in classes.values() for s in named}
        if (
            name in classes
            or name in {"ignore", "background"}
            or len(taken.union(structures)) < len(taken) + len(structures)
        ):
            raise InputError(
                f"--class {option}: the class or a structure of it is given twice, or it is named "
                "ignore or background"
            )
        classes[name] = tuple(structures)
    return classes
