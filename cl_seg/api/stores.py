"""Stores of slices: read from CT scans, or simulated."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from cl_seg.api.display import html_page
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.runtime.workers import CORES
from cl_seg.scans.ingest_report import IngestReport
from cl_seg.scans.labels.label_map import Others, parse_label_map
from cl_seg.scans.scanner.identity import DEFAULT_BY, parse_scanner_by
from cl_seg.scans.store import Grid, SliceStore

AnyPath = str | os.PathLike[str]
Labels = Mapping[str, int | Sequence[int]] | Sequence[str]


class Store(SliceStore):
    """A store of CT slices on disk, opened for reading.

    Args:
        folder: folder of the store.

    Attributes:
        report: files that the ingest left out, and its notes; empty for a store opened later.

    Raises:
        InputError: ``folder`` is no store, or was written by another version.

    Examples:
        >>> import cl_seg
        >>> store = cl_seg.Store("tiny.store")
        >>> store.scanners
        ['alpha', 'beta', 'gamma']
        >>> store.hu("alpha").dtype
        dtype('int16')
    """

    def __init__(self, folder: AnyPath, report: IngestReport | None = None) -> None:
        super().__init__(Path(folder))
        self.report = report or IngestReport(self.folder)

    def summary(self) -> pd.DataFrame:
        """A row per scanner: its name, patients, slices, and labelled slices of every class."""
        rows = []
        for scanner, name in self.header.scanners.items():
            scanner_slices = self.slices[self.slices["scanner"] == scanner]
            labelled = scanner_slices["labelled"].str.split(",")
            counts = {
                c: int(labelled.map(lambda x, c=c: c in x).sum()) for c in self.header.classes
            }
            sizes = {"patients": scanner_slices["patient"].nunique(), "slices": len(scanner_slices)}
            rows.append({"scanner": scanner, "name": name, **sizes, **counts})
        return pd.DataFrame(rows)

    def paths(self) -> pd.DataFrame:
        """A row per series of a store that was just made from scans: case, series, path.

        The one way back from the names of cases, which are hashes: a store has no paths.
        """
        named = self.slices[["case", "series"]].drop_duplicates()
        places = {name: str(path.absolute()) for name, path in self.report.paths.items()}
        return named.assign(path=named["series"].map(places)).reset_index(drop=True)

    def write_contour_sheet(self, path: AnyPath) -> None:
        """Write a page with a few slices of every series and the contours of its labels."""
        from cl_seg.analysis.contour_sheet import ContourSheet, cases_of_store  # noqa: PLC0415

        sheet = ContourSheet(f"Labels of {self.folder.name}", self.header.classes)
        for case in cases_of_store(self):
            sheet.add(case)
        sheet.write(Path(path))

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        scanners = counted(len(self.scanners), "scanner")
        return f"Store({str(self.folder)!r}): {scanners}, {counted(len(self.slices), 'slice')}"

    def _repr_html_(self) -> str:
        return html_page(repr(self), self.summary())


def ingest(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    source: AnyPath,
    store: AnyPath,
    *,
    labels: Labels = (),
    others: Others = "error",
    aliases: AnyPath | None = None,
    size: int = 320,
    spacing_mm: float = 1.6,
    salt: str | bytes | None = None,
    scanner_by: str | Sequence[str] = DEFAULT_BY,
    derived: Literal["apart", "leave-out"] = "apart",
    months: bool = False,
    allow_implausible_hu: bool = False,
    workers: int = CORES,
    progress: bool = True,
) -> Store:
    """Read CT scans into a store, scanner by scanner as their headers name them.

    Args:
        source: folder of DICOM files, searched with its subfolders, or a CSV manifest.
        store: folder to make; it must not exist.
        labels: meaning of the values in label files, ``{"liver": 5, "muscle": [86, 87]}``, or as
            for ``cl-seg ingest --label``; by default 1 muscle, 2 liver, 255 unlabelled.
        others: meaning of values that ``labels`` does not name.
        aliases: YAML file of scanner aliases, merged over those of the package.
        size: height and width of a stored slice in pixels.
        spacing_mm: pixel size of a stored slice in mm.
        salt: secret that makes the hashes of patients and series repeatable; by default random and
            forgotten.
        scanner_by: header fields that tell scanners apart, of manufacturer, model, kernel, kv and
            station.
        derived: images that are no plain CT, but have HU: scanners of their own, or left out.
        months: keep the month of every scan, from its StudyDate or the column ``month`` of the
            manifest, as a rank within the store, for suites with ``experience: months``. No date is
            kept.
        allow_implausible_hu: take images whose values cannot be HU as they are.
        workers: processes that read side by side; the store is the same with any number.
        progress: show a progress bar on standard error.

    Returns:
        The store; ``store.report`` lists the files that were left out, with reasons.

    Raises:
        InputError: nothing usable, a wrong manifest or label file, or the store cannot be written.
            No store is left then.

    Examples:
        >>> import cl_seg
        >>> store = cl_seg.ingest("dicom/", "doctest.store", progress=False)
        >>> store.report.rejected
        []
        >>> store.scanners == [scanner.folder for scanner in store.report.scanners]
        True
    """
    from cl_seg.scans.ingest import write_store_from_scans  # noqa: PLC0415 - SimpleITK, slow

    report = write_store_from_scans(
        Path(source),
        Path(store),
        labels=parse_label_map(_label_options(labels), others),
        aliases=None if aliases is None else Path(aliases),
        grid=Grid(size, _checked(spacing_mm)),
        salt=os.fsencode(salt) if salt else None,
        allow_implausible_hu=allow_implausible_hu,
        scanner_by=parse_scanner_by(
            scanner_by if isinstance(scanner_by, str) else ",".join(scanner_by)
        ),
        derived=derived,
        months=months,
        workers=workers,
        show_progress=progress,
    )
    return Store(store, report)


def simulate(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    store: AnyPath,
    scanners: Sequence[str] | None = None,
    *,
    own_bodies: int = 42,
    shared_bodies: int = 14,
    size: int = 320,
    spacing_mm: float = 1.6,
    seed: int = 0,
    slices: int = 1,
    levels: Literal["trunk"] | None = None,
    intramuscular_fat: bool = False,
    workers: int = CORES,
    progress: bool = True,
) -> Store:
    """Scan simulated bodies, no patients, on simulated scanners into a store.

    Args:
        store: folder to make; it must not exist.
        scanners: names of built-in profiles or paths of profile files, or "randomised"; all
            built-in profiles by default, see ``cl-seg phantom profiles``.
        own_bodies: bodies per scanner that no other scanner sees.
        shared_bodies: bodies that every scanner sees.
        size: height and width of a stored slice in pixels.
        spacing_mm: pixel size of a stored slice in mm.
        seed: random seed of anatomy and noise.
        slices: neighbouring slices per level (third lumbar vertebra, liver); of the trunk, slices
            per body.
        levels: "trunk" for slices at random heights from the sacrum to above the liver, instead of
            the two levels.
        intramuscular_fat: whether the fat inside muscle is labelled as muscle.
        workers: processes that scan side by side; the store is the same with any number.
        progress: show a progress bar.

    Raises:
        InputError: a number is out of range, a profile is wrong, or ``store`` exists or cannot be
            written.

    Examples:
        >>> import cl_seg
        >>> cl_seg.simulate("one.store", ["ge_like"], own_bodies=1, shared_bodies=0,
        ...                 size=64, spacing_mm=8, workers=1, progress=False)
        Store('one.store'): 1 scanner, 2 slices
    """
    from cl_seg.phantom.simulate import write_simulated_store  # noqa: PLC0415 - scipy, slow

    write_simulated_store(
        Path(store),
        scanners,
        own_bodies=own_bodies,
        shared_bodies=shared_bodies,
        size=size,
        spacing_mm=_checked(spacing_mm),
        seed=seed,
        slices_per_level=slices,
        levels=levels,
        intramuscular_fat=intramuscular_fat,
        workers=workers,
        show_progress=progress,
    )
    return Store(store)


def simulate_scans(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    folder: AnyPath,
    scanners: Sequence[str] | None = None,
    *,
    file_format: Literal["dicom", "nifti"] = "dicom",
    own_bodies: int = 0,
    shared_bodies: int = 1,
    seed: int = 0,
    slices: int = 1,
    levels: Literal["trunk"] | None = None,
    intramuscular_fat: bool = False,
    workers: int = 1,
) -> Path:
    """Write simulated scans as files, with labels, tissue maps and a manifest for :func:`ingest`.

    Args:
        folder: folder to make, with ``images``, ``labels``, ``tissues`` and ``manifest.csv``.
        scanners: names of built-in profiles or paths of profile files, or "randomised"; all
            built-in profiles by default.
        file_format: file format of the images.
        own_bodies: bodies per scanner that no other scanner scans.
        shared_bodies: bodies that every scanner scans.
        seed: random seed of anatomy and noise.
        slices: neighbouring slices per level (third lumbar vertebra, liver); of the trunk, slices
            per body.
        levels: "trunk" for one series per body with slices at equal distances from the sacrum to
            above the liver, instead of the two levels.
        intramuscular_fat: whether the fat inside muscle is labelled as muscle.
        workers: processes that scan side by side.

    Returns:
        Path of the manifest.

    Raises:
        InputError: no body is asked for, or ``folder`` exists or cannot be written.
    """
    from cl_seg.phantom.export import export  # noqa: PLC0415
    from cl_seg.phantom.scanners import load_scanners  # noqa: PLC0415
    from cl_seg.phantom.simulated_scan import simulated_scans  # noqa: PLC0415 - scipy, slow

    if own_bodies + shared_bodies == 0:
        raise InputError(
            "`own_bodies` (--own-bodies) and `shared_bodies` (--shared-bodies) are both 0: ask for "
            "at least one body"
        )
    scans = simulated_scans(
        load_scanners(scanners), own_bodies, shared_bodies, seed, slices, intramuscular_fat
    )
    export(Path(folder), scans, file_format, levels=levels, workers=workers)
    return Path(folder) / "manifest.csv"


def _label_options(labels: Labels) -> list[str]:
    """Meanings of label values as ``--label`` takes them."""
    if not isinstance(labels, Mapping):
        return list(labels)
    values_of = {name: [v] if isinstance(v, int) else v for name, v in labels.items()}
    return [f"{name}={','.join(map(str, values))}" for name, values in values_of.items()]


def _checked(spacing_mm: float) -> float:
    if not 0.1 <= spacing_mm <= 20:
        raise InputError(
            f"`spacing_mm` (--spacing-mm {spacing_mm}): expected a pixel size of 0.1 to 20 mm"
        )
    return spacing_mm
