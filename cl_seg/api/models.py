"""Saved models, and what they predict of new CT."""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cl_seg.api.display import html_page
from cl_seg.api.stores import AnyPath
from cl_seg.files.write import new_folder
from cl_seg.inference.calibrate import calibrate_dice
from cl_seg.inference.dice_calibration import DiceCalibration
from cl_seg.inference.ensemble import Ensemble, load_ensemble
from cl_seg.inference.measure import measure_cases
from cl_seg.inference.monitor import UNLIKE, Monitor
from cl_seg.inference.monitor_table import monitor_table
from cl_seg.inference.observe import ObservedSeries, observe_source, observe_store
from cl_seg.inference.predicted_case import PredictionOptions
from cl_seg.inference.series import MEASUREMENTS, predict_source
from cl_seg.labelling.embed import check_fits
from cl_seg.labelling.unlike import unlike_slices, write_unlike_queues
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.records.model_card import ModelCard
from cl_seg.records.shipped import find_model_folder
from cl_seg.scans.series import RejectedFile
from cl_seg.scans.store import Labels, SliceStore, is_store

NO_MONITOR = "the model has no features of its training scanners"


class Prediction:
    """Labels of CT series on their own pixels, and what is measured in them.

    Attributes:
        cases: a row per series: case, scanner, whether the model has seen it, slices, note,
            agreement of the augmented predictions of each class, and the verdict of its monitor:
            like a training scanner, or unlike anything seen.
        left_out: files that could not be used, with reasons.
        folder: folder with label files and tables. It is temporary, and removed with the object,
            unless ``predict`` was given ``out``.
    """

    def __init__(
        self,
        folder: Path,
        cases: pd.DataFrame,
        left_out: Sequence[RejectedFile] = (),
        temporary_folder: "tempfile.TemporaryDirectory[str] | None" = None,
    ) -> None:
        self.folder, self.cases, self.left_out = folder, cases, list(left_out)
        self._temporary_folder = temporary_folder  # removed with the object

    @property
    def labels(self) -> dict[str, Labels]:
        """Case → labels (slices, H, W), uint8: 0 background, then the classes of the model.

        A case is named as its NIfTI file, or ``case-001`` and so on. A DICOM series with slices at
        unequal distances has several entries, ``case-001a`` and so on.
        """
        import SimpleITK as sitk  # noqa: PLC0415 - slow

        return {
            re.sub(r"\.nii(\.gz)?$", "", path.relative_to(self.folder).as_posix()): np.asarray(
                sitk.GetArrayFromImage(sitk.ReadImage(str(path))), np.uint8
            )
            for path in sorted(self.folder.rglob("*.nii*"))
        }

    @property
    def notes(self) -> list[str]:
        """Warnings: scanners that the model was not trained on, files that name no scanner."""
        notes = []
        if new := sorted(set(self.cases.loc[self.cases["seen"] == "no", "scanner"])):
            notes.append(f"the model never saw {', '.join(new)}: check its masks there")
        if (self.cases["seen"] == "unknown").any():
            notes.append("files that do not name their scanner may be of one the model never saw")
        verdicts = list(self.cases["verdict"])
        if unlike := [c for c, v in zip(self.cases["case"], verdicts, strict=True) if v == UNLIKE]:
            notes.append(f"{', '.join(unlike)}: {UNLIKE} the masks")
        if not any(verdicts):
            notes.append(f"{NO_MONITOR}, so nothing says whether this CT looks like theirs")
        return notes

    def measure(self, per: Literal["slice", "case"] = "slice") -> pd.DataFrame:
        """Area (cm²) and mean HU of every class, as ``cl-seg predict --measure`` gives them.

        Args:
            per: a row per slice and class, or per case and class with the mean over its slices.

        Returns:
            Columns case, scanner, class, ``area_cm2``, ``mean_hu``, ``low_attenuation_share`` and
            ``smi_cm2_m2`` (of muscle; the latter where a height was given), ``agreement`` of the
            augmented predictions, …; a slice without the class has no HU and does not count for its
            mean. The agreement of a case is that of the slices on which the class is found or may
            have been missed; ``slices``, ``found`` and ``low_agreement`` count its slices, those
            with the class, and those to look at.
        """
        # A name made of digits is a name.
        names = dict.fromkeys(["case", "scanner", "series", "file"], str)
        rows = pd.read_csv(self.folder / MEASUREMENTS, dtype=names)
        if per == "slice":
            return rows
        return measure_cases(rows)

    def save(self, folder: AnyPath) -> Path:
        """Write label files (NIfTI) and tables to a new folder.

        Raises:
            InputError: ``folder`` exists or cannot be written.
        """
        with new_folder(Path(folder)) as building:
            shutil.copytree(self.folder, building, dirs_exist_ok=True)
        return Path(folder)

    def __repr__(self) -> str:
        slices = counted(int(self.cases["slices"].sum()), "slice")
        return f"Prediction: {slices} of {counted(len(self.cases), 'series', 'series')}"

    def _repr_html_(self) -> str:
        return html_page(
            repr(self), self.cases.drop(columns="file"), self.measure("case"), *self.notes
        )


class Model:
    """A trained network, or several whose probabilities are averaged.

    Attributes:
        card: classes, scanners it was trained on, scores and intended use.
    """

    def __init__(self, folder: Path, ensemble: Ensemble) -> None:
        self.folder, self._ensemble = folder, ensemble

    @property
    def card(self) -> ModelCard:
        """Card of the model; of the first one where there are several."""
        return self._ensemble.cards[0]

    def predict(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
        self,
        source: AnyPath,
        out: AnyPath | None = None,
        *,
        variants: int = 4,
        height_m: float | None = None,
        aliases: AnyPath | None = None,
        salt: str | bytes | None = None,
        allow_implausible_hu: bool = False,
        largest_piece: Sequence[str] = (),
        measure: bool = True,
        overwrite: bool = False,
        paths: bool = False,
        sheet: bool = False,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Prediction:
        """Label CT, and say which of it is from a scanner the model never saw.

        Args:
            source: folder of DICOM or NIfTI files, CSV manifest, or one NIfTI file.
            out: folder to make for label files and tables; by default the prediction keeps them
                until it is saved.
            variants: test-time augmentations per slice (rotated, rescaled copies); their agreement
                shows how certain the result is.
            height_m: height of the one patient in m, for the skeletal muscle index.
            aliases: YAML file of scanner aliases, merged over those of the package.
            salt: secret that makes hashes of series repeatable; random by default.
            allow_implausible_hu: take images whose values cannot be HU as they are.
            largest_piece: organs of which only the largest connected piece (3-D) is kept.
            measure: also measure areas and HU.
            overwrite: replace an earlier prediction in ``out``.
            paths: add the path of every series to the tables, of DICOM that of its first image. A
                path may name the patient.
            sheet: also draw a few slices of every case with contours, ``contours.html``.
            on_progress: called with the number of slices done and of all.

        Raises:
            InputError: nothing usable, a height given for several patients, a largest piece of
                muscle or of a class that the model does not know, or ``out`` exists.

        Examples:
            >>> import cl_seg
            >>> model = cl_seg.load_model("model/")
            >>> prediction = model.predict("ct.nii.gz", variants=0)
            >>> prediction
            Prediction: 1 slice of 1 series
            >>> prediction.labels["ct"].dtype
            dtype('uint8')
            >>> prediction.measure()["class"].tolist()
            ['muscle', 'liver']
        """
        secret = os.fsencode(salt) if salt else secrets.token_bytes(16)
        options = PredictionOptions(
            variants,
            measure,
            height_m,
            None if aliases is None else Path(aliases),
            secret,
            allow_implausible_hu,
            tuple(largest_piece),
            overwrite,
            paths,
            sheet,
        )
        temporary_folder = None
        if out is None:
            temporary_folder = tempfile.TemporaryDirectory(prefix="cl_seg-")
            out = Path(temporary_folder.name, "prediction")
        cases, left_out = predict_source(
            self._ensemble, Path(source), Path(out), options, on_progress
        )
        return Prediction(Path(out), cases, left_out, temporary_folder)

    def monitor(
        self,
        source: AnyPath,
        queue: AnyPath | None = None,
        *,
        slices: int = 10,
        aliases: AnyPath | None = None,
        salt: str | bytes | None = None,
        allow_implausible_hu: bool = False,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> pd.DataFrame:
        """Say of every scanner and series whether it looks like a training scanner.

        Args:
            source: folder of a store, or a source of CT as :meth:`predict` takes it.
            queue: folder to make for a labelling queue of every scanner with series that are
                unlike; only of a store.
            slices: how many each queue holds at most.
            aliases: YAML file of scanner aliases, merged over those of the package.
            salt: secret that makes hashes of series repeatable; random by default.
            allow_implausible_hu: take images whose values cannot be HU as they are.
            on_progress: called with the number of slices done and of all.

        Returns:
            A row per scanner and per series, see
            :func:`cl_seg.inference.monitor_table.monitor_table`.

        Raises:
            InputError: the model has no features of its training scanners, nothing usable, or a
                queue of CT that is not in a store, or of nothing.

        Examples:
            >>> import cl_seg
            >>> model = cl_seg.load_model("model/")
            >>> model.monitor("tiny.store")["scanner"].unique().tolist()
            ['Alpha', 'Beta', 'Gamma']
        """
        monitor = self._monitor
        augmentations = monitor.calibration.augmentations if monitor.calibration else 0
        if is_store(Path(source)):
            observed = self._observed_store(source, augmentations, on_progress)
            if queue is not None:
                unlike = unlike_slices(monitor, observed)
                write_unlike_queues(self._fitting(source), unlike, Path(queue), slices)
        elif queue is not None:
            raise InputError(
                f"a queue is of slices of a store, and {source} is none: `cl-seg ingest` makes one"
            )
        else:
            options = PredictionOptions(
                augmentations,
                aliases=None if aliases is None else Path(aliases),
                salt=os.fsencode(salt) if salt else secrets.token_bytes(16),
                allow_implausible_hu=allow_implausible_hu,
            )
            observed = list(observe_source(self._ensemble, Path(source), options, on_progress))
        return monitor_table(monitor, observed, augmentations)

    def _observed_store(
        self, source: AnyPath, augmentations: int, on_progress: Callable[[int, int], None]
    ) -> list[ObservedSeries]:
        # Without labels: those of a whole store are more than memory holds.
        return [
            replace(series, labels=None)
            for series in observe_store(
                self._ensemble, self._fitting(source), augmentations, on_progress
            )
        ]

    def calibrate(
        self,
        store: AnyPath,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> DiceCalibration:
        """Fit how Dice follows from agreement on labelled CT, and keep it with the model.

        Afterwards :meth:`predict` and :meth:`monitor` estimate Dice, with 90 % intervals.

        Args:
            store: folder of a store with labels, of patients the model was not trained on.
            on_progress: called with the number of slices done and of all.

        Raises:
            InputError: the store does not fit, fewer than two patients of it have labels, or the
                model is shipped with the package.
        """
        monitor, shipped = self._monitor, find_model_folder(self.folder)
        if shipped != self.folder:
            raise InputError(
                f"{self.folder} is part of cl_seg and is not changed: copy {shipped} and calibrate "
                "the copy"
            )
        calibration = calibrate_dice(self._ensemble, self._fitting(store), on_progress)
        calibration.save(self.folder)
        monitor = replace(monitor, calibration=calibration)
        self._ensemble = replace(self._ensemble, monitor=monitor)
        return calibration

    @property
    def _monitor(self) -> Monitor:
        if len(self._ensemble.models) > 1:
            raise InputError("the monitor is of one model: give one folder")
        if self._ensemble.monitor is None:
            raise InputError(
                f"{self.folder}: {NO_MONITOR}: save it again from its run (`cl-seg model save`), "
                "with the store it was trained on in place"
            )
        return self._ensemble.monitor

    def _fitting(self, store: AnyPath) -> SliceStore:
        opened = SliceStore(Path(store))
        check_fits(opened, self.card, self.folder)
        return opened

    def __repr__(self) -> str:
        card = self.card
        seen = ", ".join(card.scanners.values())
        return f"Model({str(self.folder)!r}): {card.network.name} of {seen}"

    def _repr_html_(self) -> str:
        scores = pd.DataFrame(self.card.scores).T.rename_axis("Dice on").reset_index()
        return html_page(repr(self), scores, self.card.intended_use)


def load_model(folder: AnyPath, *more_folders: AnyPath, trusted_network: str = "") -> Model:
    """A model from a folder that ``cl-seg model save`` or :meth:`Results.save_model` has made.

    Args:
        folder: folder of the model, or the name of a model that is shipped with the package,
            ``base``.
        more_folders: folders of further models of the same task; probabilities are averaged.
        trusted_network: ``module:callable`` of a network outside cl_seg that may be imported, if
            the card names it.

    Raises:
        InputError: no model folder, or a damaged one. Nothing is ever unpickled.

    Examples:
        >>> import cl_seg
        >>> cl_seg.load_model("model/")
        Model('model'): vnet of Alpha, Beta
        >>> cl_seg.load_model("nowhere/")
        Traceback (most recent call last):
        ...
        cl_seg.messages.errors.InputError: nowhere is no model folder ...
    """
    folders = [Path(path) for path in (folder, *more_folders)]
    return Model(folders[0], load_ensemble(folders, trusted_network))
