"""What the monitor of a model promises, measured on simulated scanners it has never seen.

A network learns three simulated scanners and is calibrated on labelled bodies of these and of three
more. On other bodies of all thirteen scanners, the estimated Dice is compared with the true one,
and verdicts are counted, for single series and for ten series of a scanner judged together: false
alarms on the three training scanners, detections on the others. Writes a table and a figure::

    python experiments/update/monitor_coverage.py --out results/reference/update/monitor
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from cl_seg.runtime import torch_setup  # isort: skip
import matplotlib as mpl
import numpy as np
import pandas as pd
import SimpleITK as sitk
from matplotlib.figure import Figure

import cl_seg
from cl_seg.analysis.figures.style import COLOURS, MARKERS, STYLE
from cl_seg.analysis.tables import markdown
from cl_seg.files.write import new_folder
from cl_seg.inference.calibrate import calibrate_dice, observed_dice
from cl_seg.inference.dice_calibration import DiceCalibration
from cl_seg.inference.ensemble import Ensemble, load_ensemble
from cl_seg.inference.monitor import judge
from cl_seg.inference.observe import by_scanner, observe_store
from cl_seg.phantom.profiles import load_profile, profile_names
from cl_seg.phantom.simulate import write_simulated_store
from cl_seg.scans.store import SliceStore

TRAINED = ["siemens_like", "ge_like", "canon_like"]
CALIBRATED = ["philips_like", "stress_native", "stress_quarter_dose"]
SIZE, SPACING_MM = 128, 3.2  # of stored slices; the network sees 64²
GROUP = 10  # series judged together


@dataclass(frozen=True)
class Sizes:
    """Bodies per scanner, and optimiser steps per training scanner."""

    trained: int
    calibrated: int
    tested: int
    steps: int


def main() -> None:
    """Compute what is missing in ``--work``, and write table and figure to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--work", type=Path, default=Path("data/monitor-coverage"))
    parser.add_argument("--trained", type=int, default=60, help="bodies per scanner")
    parser.add_argument("--calibrated", type=int, default=20, help="bodies per scanner")
    parser.add_argument("--tested", type=int, default=30, help="bodies per scanner")
    parser.add_argument("--steps", type=int, default=500, help="per training scanner")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    sizes = Sizes(options.trained, options.calibrated, options.tested, options.steps)
    torch_setup.make_deterministic(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    model = trained_model(options.work, sizes, options.workers)
    seen = simulated(options.work, [*TRAINED, *CALIBRATED], sizes.calibrated, 1, options.workers)
    others = simulated(options.work, profile_names(), sizes.tested, 2, options.workers)
    ensemble = load_ensemble([model])
    calibration = calibrate_dice(ensemble, seen, lambda done, total: None)
    dice = estimated_and_true(ensemble, calibration, others)
    verdicts = counted_verdicts(ensemble, others)
    write(options.out, dice, verdicts, sizes)


def trained_model(work: Path, sizes: Sizes, workers: int) -> Path:
    """Folder of the network, trained on three scanners together."""
    folder = work / f"model-{sizes.trained}-{sizes.steps}"
    if folder.exists():
        return folder
    suite = {
        "kind": "stream",
        "name": "monitor",
        "data": {"store": str(simulated(work, TRAINED, sizes.trained, 0, workers).folder)},
        "classes": ["muscle", "liver"],
        "image": {"size": 64, "window_hu": [-160, 240]},
        "split": {"by": "patient", "test": 0.3, "validation": 0.1},
        "models": ["unet"],
        "strategies": ["joint"],
        "orders": [TRAINED],
        "training": {"steps": sizes.steps, "batch_size": 8, "curve_every": 0, "device": "cpu"},
    }
    results = cl_seg.run(suite, results=work / "results", cache=work / "stages", workers=workers)
    record = results.runs[0].record
    results.save_model(record.model, record.strategy, folder, cache=work / "stages")
    return folder


def simulated(work: Path, scanners: list[str], bodies: int, seed: int, workers: int) -> SliceStore:
    """Store of bodies that no other store holds."""
    folder = work / f"seed-{seed}-{bodies}.store"
    if folder.exists():
        return SliceStore(folder)
    return write_simulated_store(
        folder,
        scanners,
        own_bodies=bodies,
        shared_bodies=0,
        size=SIZE,
        spacing_mm=SPACING_MM,
        seed=seed,
        workers=workers,
    )


def estimated_and_true(
    ensemble: Ensemble, calibration: DiceCalibration, store: SliceStore
) -> pd.DataFrame:
    """Estimated and true Dice of every series and class."""
    table = observed_dice(ensemble, store, lambda done, total: None).dropna(subset=["dice"])
    intervals = [
        calibration.lines[name].interval(agreement)
        for name, agreement in zip(table["class"], table["agreement"], strict=True)
    ]
    table[["estimate", "low", "high"]] = np.array(intervals)
    table["covered"] = table["dice"].between(table["low"], table["high"])
    return table


def counted_verdicts(ensemble: Ensemble, store: SliceStore) -> pd.DataFrame:
    """Shares of single series, and of groups of them, that are called unlike, per scanner."""
    assert ensemble.monitor is not None
    rows = []
    for own in by_scanner(observe_store(ensemble, store, 0, lambda done, total: None)):
        values = np.stack([series.observation.features for series in own])
        groups = np.split(values, range(GROUP, len(values), GROUP))
        whole = [group for group in groups if len(group) == GROUP] or [values]
        single = [judge(ensemble.monitor.features, one[None]).unlike for one in values]
        together = [judge(ensemble.monitor.features, group).unlike for group in whole]
        rows.append({
            "scanner": own[0].where["scanner"],
            "series": len(values),
            "unlike": np.mean(single),
            "groups": len(whole),
            "groups unlike": np.mean(together),
        })  # fmt: skip
    return pd.DataFrame(rows)


def role(scanner: str) -> str:
    """What the monitor knows of a scanner, from its display name."""
    for names, known in ((TRAINED, "trained on"), (CALIBRATED, "calibrated on")):
        if scanner in {load_profile(name).display_name for name in names}:
            return known
    return "never seen"


def write(out: Path, dice: pd.DataFrame, verdicts: pd.DataFrame, sizes: Sizes) -> None:
    """Write ``monitor.md``, ``monitor.csv`` and ``monitor.svg``."""
    of_scanner = dice.groupby("scanner", sort=False).agg(
        true=("dice", "mean"), estimated=("estimate", "mean"), coverage=("covered", "mean")
    )
    table = verdicts.join(of_scanner, on="scanner")
    table.insert(1, "role", table["scanner"].map(role))
    table = table.sort_values("role", key=lambda column: column.map(ROLES.index), kind="stable")
    numbers = ["series", "unlike", "groups", "groups unlike", "true", "estimated", "coverage"]
    means = table.groupby("role", sort=False)[numbers].mean().reset_index()
    sums = table.groupby("role", sort=False)[["series", "groups"]].sum().reset_index(drop=True)
    means[["series", "groups"]] = sums
    whole = pd.concat([table, means.assign(scanner="all of them")], ignore_index=True)
    error = (dice["estimate"] - dice["dice"]).abs().groupby(dice["class"]).mean()
    width = (dice["high"] - dice["low"]).groupby(dice["class"]).mean()
    lines = [
        "# The monitor on simulated scanners",
        "",
        f"Made by `experiments/update/monitor_coverage.py --trained {sizes.trained} --calibrated "
        f"{sizes.calibrated} --tested {sizes.tested} --steps {sizes.steps}`. `unlike`: share of "
        f"series, and of groups of {GROUP} series of a scanner, that are called unlike (of the "
        "training scanners: false alarms). `coverage`: share of series and classes whose true Dice "
        "lies in the 90 % interval.",
        "",
        markdown(whole.round(3)),
        "",
        *(
            f"{name}: mean absolute error of the estimate {error[name]:.3f}, mean width of the "
            f"interval {width[name]:.3f}."
            for name in error.index
        ),
    ]
    with new_folder(out) as building:
        (building / "monitor.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        dice.drop(columns=["case", "series", "patient"]).to_csv(
            building / "monitor.csv", index=False, float_format="%.4f"
        )
        with mpl.rc_context(STYLE):
            figure(dice).savefig(building / "monitor.svg", metadata={"Date": None})


ROLES = ["trained on", "calibrated on", "never seen"]


def figure(dice: pd.DataFrame) -> Figure:
    """True against estimated Dice of every series, a panel per class, with the interval."""
    classes = list(dict.fromkeys(dice["class"]))
    drawn = Figure((3.2 * len(classes), 3.4), layout="constrained")
    panels = drawn.subplots(1, len(classes), squeeze=False, sharex=True, sharey=True)[0]
    for axes, name in zip(panels, classes, strict=True):
        own = dice[dice["class"] == name].sort_values("estimate")
        axes.fill_between(own["estimate"], own["low"], own["high"], color="#e5e7eb", lw=0)
        axes.axline((0.5, 0.5), slope=1, color="#6b7280", lw=0.8)
        roles = own["scanner"].map(role)
        for look, known in enumerate(ROLES):
            here = own[roles == known]
            axes.plot(
                here["estimate"], here["dice"], MARKERS[look], color=COLOURS[look], ms=2.5,
                alpha=0.7, mew=0, label=known,
            )  # fmt: skip
        covered = f"{100 * own['covered'].mean():.0f} %"
        axes.set_title(f"{name}: {covered} in the 90 % interval", loc="left")
        axes.set_xlim(max(0.0, dice["estimate"].min() - 0.05), 1)
        axes.set_ylim(max(0.0, dice["dice"].min() - 0.05), 1)
    panels[0].legend(frameon=False, fontsize=8)
    drawn.supxlabel("Dice estimated without labels", fontsize=9)
    drawn.supylabel("true Dice", fontsize=9)
    return drawn


if __name__ == "__main__":
    main()
