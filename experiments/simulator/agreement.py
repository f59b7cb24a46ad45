"""How well agreement identifies slices on which a network fails, on simulated development bodies.

A saved network predicts bodies that no benchmark tests, on scanners that were or were not in its
training. Over all slices and classes, this prints how well agreement ranks those with a Dice below
0.8 behind the others (AUC), and the hits and false alarms of several thresholds::

    python experiments/simulator/agreement.py MODEL --bodies 8
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from cl_seg.inference.measure import agreement_and_area, areas_cm2, pixel_mm, variation
from cl_seg.inference.predict import SlicePrediction, predict_slices
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.metrics.segmentation import dice
from cl_seg.phantom.anatomy.slices import CLASSES, LEVELS
from cl_seg.phantom.profiles import load_profile
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan
from cl_seg.planning.data import body_seed
from cl_seg.scans.series import Volume
from cl_seg.spec.settings import PhantomData

SCANNERS = ["siemens_like", "ge_like", "stress_native", "stress_sharp", "stress_arterial"]
BAD, N_AUGMENTATIONS = 0.8, 4
THRESHOLDS = (0.7, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    """Print AUC and a row per threshold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--scanners", nargs="+", default=SCANNERS)
    parser.add_argument("--bodies", type=int, default=8)
    options = parser.parse_args()
    sure, scores = (np.array(each) for each in zip(*pairs(options), strict=True))
    bad = scores < BAD
    print(f"{len(scores)} slices and classes, Dice below {BAD:g} on {bad.sum()}")
    print(f"AUC of agreement {area_under_curve(sure, bad):.3f}")
    for threshold in THRESHOLDS:
        alarm = sure < threshold
        found, false = alarm[bad].mean(), alarm[~bad].mean()
        print(
            f"below {threshold:<4}: {found:4.0%} of the bad found, {false:4.0%} of the good alarmed"
        )


def pairs(options: argparse.Namespace) -> list[tuple[float, float]]:
    """Agreement and Dice of every slice and class that is there or is found."""
    model, card = read_model_folder(options.model)
    seed = body_seed(
        PhantomData(scanners=options.scanners, own_bodies=1, shared_bodies=1, pool="development")
    )
    found = []
    for scanner in options.scanners:
        for number in range(options.bodies):
            body = f"agreement-body-{number:04d}"
            for level in LEVELS:
                series = simulate_series(
                    SimulatedScan(body, scanner, load_profile(scanner), seed), level
                )
                predicted = predict_slices([model], card.input, series.volume, N_AUGMENTATIONS)
                sure, labels = agreement_of_series(list(predicted), series.volume)
                for index, truth in enumerate(series.labels):
                    for k in range(len(CLASSES)):
                        score = dice(labels[index] == k + 1, truth == k + 1)
                        if np.isfinite(score):
                            found.append((sure[index, k], score))
    return found


def agreement_of_series(
    predicted: list[SlicePrediction], volume: Volume
) -> tuple[np.ndarray, np.ndarray]:
    """Agreement of every slice and class of a series, and its labels."""
    mm, classes = pixel_mm(volume), len(CLASSES)
    labels = np.stack([prediction.labels for prediction in predicted])
    variations = [variation(prediction, classes, mm) for prediction in predicted]
    sure, _ = agreement_and_area(variations, areas_cm2(labels, classes, mm), volume.z_mm)
    return sure, labels


def area_under_curve(sure: np.ndarray, bad: np.ndarray) -> float:
    """Chance that a bad slice agrees less than another (Mann & Whitney 1947); ties count half."""
    ranks, count = rankdata(-sure), bad.sum()
    above = ranks[bad].sum() - count * (count + 1) / 2
    return float(above / (count * (~bad).sum()))


if __name__ == "__main__":
    main()
