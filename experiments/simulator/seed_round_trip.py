"""The SEED procedure on a labelled series: the gain of a saved network from a few slices.

Slices are chosen and labelled by a script that reads the label file, and a saved network is trained
further on them. It is then scored on the other slices of the series that contain liver, and the
liver that it finds on slices without liver is measured. All slices are from one patient: this shows
how the steps work and says nothing about other patients.

    cl-seg run experiments/simulator/liver.yaml
    cl-seg model save results/liver/runs/unet-joint-order1-seed0 liver-model
    python experiments/simulator/seed_round_trip.py series labels.nii.gz liver-model out --label 5
"""

import argparse
import csv
import json
from pathlib import Path

import matplotlib as mpl
import nibabel
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cl_seg.analysis.figures.style import COLOURS, STYLE
from cl_seg.cli import app
from cl_seg.files.write import check_new
from cl_seg.labelling.queue import DONE, QUEUE
from cl_seg.messages.errors import InputError
from cl_seg.metrics.body_composition import area_cm2
from cl_seg.metrics.segmentation import dice
from cl_seg.records.model_card import read_card
from cl_seg.scans.store import SliceStore


def main() -> None:
    """Go the round trip by files alone, print Dice before and after, draw three slices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("series", type=Path, help="folder of one DICOM series")
    parser.add_argument("labels", type=Path, help="NIfTI on the same grid")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--label", default="1", help="value of the liver in the label file")
    parser.add_argument("--scanner", default="new scanner", help="name of it, whatever headers say")
    parser.add_argument("--n", type=int, default=3)
    parser.add_argument("--steps", type=int, default=150)
    try:
        round_trip(parser.parse_args())
    except InputError as error:
        raise SystemExit(f"seed_round_trip: {error}") from None


def round_trip(options: argparse.Namespace) -> None:
    """Ingest, choose, label, import, train, propose; then score and draw."""
    out = options.out
    check_new(out)
    out.mkdir(parents=True)
    # Named in a manifest, so that anonymised headers will do.
    for name, labels in (("new", ""), ("truth", options.labels.resolve())):
        row = f"{options.series.resolve()},{labels},one,{options.scanner}\n"
        (out / f"{name}.csv").write_text(f"image,labels,patient,scanner\n{row}", encoding="utf-8")
    seen = read_card(options.model).input
    grid = ["--size", seen.grid_size, "--spacing-mm", seen.spacing_mm]
    command("ingest", out / "new.csv", out / "new.store", "--label", "liver=1", *grid)
    named = ["--label", f"liver={options.label}", "--others", "background"]
    command("ingest", out / "truth.csv", out / "truth.store", *named, *grid)
    new, truth = SliceStore(out / "new.store"), SliceStore(out / "truth.store")
    (scanner,) = new.scanners
    which = ["--scanner", scanner]
    by_z = dict(zip(truth.slices["z_mm"].round(2), truth.labels(scanner) == 1, strict=True))

    command("seed", "propose", out / "new.store", options.model, out / "before", *which)
    command("seed", "select", out / "new.store", out / "queue", *which, "--n", options.n)
    drawn = label(out / "queue", by_z)
    command("seed", "import", out / "queue", out / "new.store", out / "labelled.store")
    command(
        *("seed", "train", out / "labelled.store", out / "model", "--base", options.model, *which),
        *("--steps", options.steps, "--cache", out / "stages"),
    )
    command("seed", "propose", out / "labelled.store", out / "model", out / "after", *which)
    masks = {name: proposals(out / name) for name in ("before", "after")}
    left = sorted(z for z in by_z if z not in drawn and by_z[z].any())
    empty = [z for z in by_z if z not in drawn and not by_z[z].any()]
    if not left:
        raise InputError(
            f"{options.labels}: no slice with liver is left to score: choose a smaller --n"
        )
    scores = {name: [dice(own[z], by_z[z]) for z in left] for name, own in masks.items()}
    mm = new.header.grid.spacing_mm
    false = {name: sum(area_cm2(own[z].sum(), mm) for z in empty) for name, own in masks.items()}
    found = {
        "slices labelled": len(drawn),
        "slices with liver scored": len(left),
        "slices without": len(empty),
        **{f"dice {name}": round(float(np.mean(values)), 3) for name, values in scores.items()},
        **{f"cm2 of no liver {name}": round(area, 1) for name, area in false.items()},
    }
    print(json.dumps(found))
    (out / "scores.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
    images = dict(zip(new.slices["z_mm"].round(2), new.hu(scanner), strict=True))
    ranked = sorted(left, key=lambda z: scores["before"][left.index(z)])
    shown = [ranked[0], ranked[len(ranked) // 2], ranked[-1]]
    draw(out / "round_trip.png", shown, images, by_z, masks, scores, left)


def command(*arguments: object) -> None:
    """What a person would type after ``cl-seg``."""
    print("cl-seg", *arguments, flush=True)
    app([str(a) for a in arguments], standalone_mode=False)


def label(queue: Path, truth: dict[float, np.ndarray]) -> set[float]:
    """Draw the truth into the label files of a queue; returns the positions drawn on."""
    drawn = set()
    entries = rows(queue)
    for entry in entries:
        image = nibabel.load(queue / entry["labels"])
        values = np.asarray(image.dataobj).copy()
        z = round(float(entry["z_mm"]), 2)
        values[:, :, int(entry["slice"])] = truth[z].T
        nibabel.save(nibabel.Nifti1Image(values, image.affine), queue / entry["labels"])
        drawn.add(z)
        if not truth[z].any():
            entry["status"] = DONE  # there is nothing to draw
    with (queue / QUEUE).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(entries[0]))
        table.writeheader()
        table.writerows(entries)
    return drawn


def proposals(queue: Path) -> dict[float, np.ndarray]:
    """Position → proposed mask."""
    found = {}
    for entry in rows(queue):
        values = np.asarray(nibabel.load(queue / entry["labels"]).dataobj)
        found[round(float(entry["z_mm"]), 2)] = values[:, :, int(entry["slice"])].T == 1
    return found


def rows(queue: Path) -> list[dict[str, str]]:
    """The lines of ``queue.csv``."""
    with (queue / QUEUE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw(path, shown, images, truth, masks, scores, left) -> None:
    """Truth filled, the network before dashed and after as a line."""
    with mpl.rc_context(STYLE):
        figure = Figure((3.2 * len(shown), 3.05), dpi=95, layout="constrained")
        for axes, z in zip(figure.subplots(1, len(shown)), shown, strict=True):
            axes.imshow(np.clip(images[z], -160, 240), cmap="gray")
            axes.contourf(truth[z], [0.5, 1.5], colors=["#ffd166"], alpha=0.25)
            axes.contour(
                masks["before"][z], [0.5], colors=COLOURS[1], linestyles="--", linewidths=1
            )
            axes.contour(masks["after"][z], [0.5], colors=COLOURS[0], linewidths=1.3)
            before, after = (scores[name][left.index(z)] for name in ("before", "after"))
            axes.set_title(f"Dice {before:.2f} → {after:.2f}", loc="left")
            inside = np.argwhere(images[z] > -300)
            (top, first), (bottom, last) = inside.min(0), inside.max(0)
            axes.set_xlim(first - 4, last + 4)
            axes.set_ylim(bottom + 4, top - 4)
            axes.set_axis_off()
        lines = [
            Patch(color="#ffd166", alpha=0.5, label="label file"),
            Line2D([], [], color=COLOURS[1], ls="--", lw=1.2, label="simulated slices alone"),
            Line2D([], [], color=COLOURS[0], lw=1.2, label="and SEED slices"),
        ]
        figure.legend(handles=lines, loc="outside lower center", ncols=3, frameon=False)
        figure.savefig(path)


if __name__ == "__main__":
    main()
