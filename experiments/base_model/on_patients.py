"""A model on labelled CT series of patients, on the pixels of the series.

    python experiments/base_model/on_patients.py base scans.csv out --largest-piece liver

The table lists a series per line: its `name`, the `image` (NIfTI file or folder of one DICOM
series) and the `labels` (NIfTI on the same pixels), relative to the table. Every other column is a
structure with its values in the label file, as in `86,87`; empty where it is not labelled. A
structure is scored by the class of the same name. One that is called `part of CLASS` holds some of
the class, as the muscles of the back do: of it only the share that is found is known.

Nothing is chosen or trained here. A model that was measured on a series and changed afterwards
needs other series.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from cl_seg.files.write import new_folder, write_text
from cl_seg.inference.ensemble import Ensemble, load_ensemble
from cl_seg.inference.measure import pixel_mm
from cl_seg.inference.predicted_case import PredictedCase, PredictionOptions
from cl_seg.inference.series import predict_cases
from cl_seg.messages.errors import InputError
from cl_seg.metrics.body_composition import area_cm2
from cl_seg.metrics.segmentation import dice, hd95
from cl_seg.scans.labels.label_map import parse_label_map
from cl_seg.scans.labels.read import read_labels

Mask = npt.NDArray[np.bool_]
ABOUT_THE_FILE = ("name", "image", "labels")
PART = "part of "


def main() -> None:
    """Write scores of every slice and series, and pictures of the worst and a typical slice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path, help="new folder")
    parser.add_argument("--largest-piece", nargs="*", default=[], metavar="CLASS")
    options = parser.parse_args()
    ensemble = load_ensemble([options.model])
    table = pd.read_csv(options.table, dtype=str, keep_default_na=False)
    with new_folder(options.out) as folder:
        slices = pd.DataFrame(scored(ensemble, table, options, folder))
        write_text(folder / "slices.csv", slices.to_csv(index=False, float_format="%.4f"))
        series = by_series(slices)
        write_text(folder / "series.csv", series.to_csv(index=False, float_format="%.4f"))
    print(series.round(3).to_string(index=False, na_rep=""))


def scored(
    ensemble: Ensemble, table: pd.DataFrame, options: argparse.Namespace, folder: Path
) -> Iterator[dict[str, Any]]:
    """A row per slice and structure of every series; draws each series."""
    chosen = PredictionOptions(largest_piece=tuple(options.largest_piece))
    for row in table.to_dict("records"):
        where = options.table.parent
        (case,) = predict_cases(ensemble, where / row["image"], chosen)
        if case.volume is None:
            raise InputError(f"{row['name']}: {'; '.join(case.notes)}")
        structures = {k: v for k, v in row.items() if k not in ABOUT_THE_FILE and v}
        if not structures:
            continue
        for name, values in structures.items():
            label_map = parse_label_map([f"structure={values}"], "background")
            truth = read_labels(where / row["labels"], case.volume, label_map, row["name"]) == 1
            number = ensemble.classes.index(name.removeprefix(PART)) + 1
            rows = list(slice_rows(row["name"], name, case, case.labels == number, truth))
            yield from rows
            draw(folder / f"{row['name']}-{name}.png".replace(" ", "-"), case, number, truth, rows)


def slice_rows(
    series: str, structure: str, case: PredictedCase, found: Mask, truth: Mask
) -> Iterator[dict[str, Any]]:
    """Areas, overlap and distance of every slice; distances need square pixels."""
    assert case.volume is not None
    side = pixel_mm(case.volume)
    for k, (own, true) in enumerate(zip(found, truth, strict=True)):
        yield {
            "series": series,
            "structure": structure,
            "slice": k,
            "z_mm": case.volume.z_mm[k],
            "true_cm2": area_cm2(true.sum(), side),
            "found_cm2": area_cm2(own.sum(), side),
            "both_cm2": area_cm2((own & true).sum(), side),
            "dice": dice(own, true),
            "hd95_mm": hd95(own, true, side) if true.any() else np.nan,
        }


def by_series(slices: pd.DataFrame) -> pd.DataFrame:
    """A row per series and structure.

    ``volume dice`` is of all slices together, those without the structure among them; ``false`` is
    what is found on these, in % of the true volume. Areas are those of a slice with the structure.
    """
    rows = []
    for (series, structure), own in slices.groupby(["series", "structure"], sort=False):
        inside, outside = own[own["true_cm2"] > 0], own[own["true_cm2"] == 0]
        true, both = inside["true_cm2"].sum(), own["both_cm2"].sum()
        row: dict[str, Any] = {"series": series, "structure": structure, "slices": len(own)}
        row |= {"with it": len(inside), "found": both / true}
        error = inside["found_cm2"] - inside["true_cm2"]
        if not str(structure).startswith(PART):
            row |= {
                "volume dice": 2 * both / (true + own["found_cm2"].sum()),
                "median slice dice": inside["dice"].median(),
                "worst slice dice": inside["dice"].min(),
                "area error, cm²": error.mean(),
                "area error, %": 100 * (error / inside["true_cm2"]).abs().median(),
                "median HD95, mm": inside["hd95_mm"].median(),
                "false, %": 100 * outside["found_cm2"].sum() / true,
            }
        else:
            row |= {
                "true cm²": inside["true_cm2"].mean(),
                "found cm²": inside["found_cm2"].mean(),
                "correlation of areas": inside["true_cm2"].corr(inside["found_cm2"]),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def draw(
    path: Path, case: PredictedCase, number: int, truth: Mask, rows: list[dict[str, Any]]
) -> None:
    """Three slices with the structure: the worst, a typical and the best one by Dice."""
    assert case.volume is not None
    ranked = sorted((row for row in rows if row["true_cm2"]), key=lambda row: row["dice"])
    shown = {"worst": ranked[0], "typical": ranked[len(ranked) // 2], "best": ranked[-1]}
    figure = Figure((9.6, 3.4), dpi=110, layout="constrained")
    height, width = case.volume.spacing_mm
    for axes, (name, row) in zip(figure.subplots(1, 3), shown.items(), strict=True):
        k = row["slice"]
        axes.imshow(np.clip(case.volume.hu[k], -160, 240), cmap="gray", aspect=height / width)
        axes.contourf(truth[k], [0.5, 1.5], colors=["#ffd166"], alpha=0.35)
        if (case.labels[k] == number).any():
            axes.contour(case.labels[k] == number, [0.5], colors=["#f72585"], linewidths=1)
        axes.set_title(f"{name}: slice {k}, Dice {row['dice']:.2f}", fontsize=9)
        axes.set_axis_off()
    figure.suptitle("filled: label file; line: found", fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    main()
