"""How often the intervals of replicates cover the truth, with the variances observed in results.

A replicate has a seed, a stream of scanners and training bodies of its own; every replicate is
scored on the same test patients. A difference of two networks is simulated as a mean over both,

    difference of patient p in replicate r = patient p + stream r + seed r + rest,

whose truth is nothing. Patients are skewed as observed. Streams are drawn three times: normal; as
skewed as pairs of scanners are, where a few pairs lose very much; and as streams of four scanners
would be, a mean over three such changes. A claim is wrongly supported where the whole interval
lies above nothing, wrongly contradicted where it lies below.

    python experiments/intervals_of_replicates.py
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.analysis.intervals import ci_half_width
from cl_seg.analysis.tables import markdown

Values = npt.NDArray[np.float64]
REPLICATES, PATIENTS, TRIALS = (5, 10, 20), (14, 30, 60), 2000
PATIENT_SD, PATIENT_SKEWNESS, REST_SD = 0.022, -1.8, 0.018
"""Of BWT, VNet − UNet, in results/reference/paper/forgetting (contrast C3)."""
CHANGES = 3
"""Changes of scanner in a stream of four."""


@dataclass(frozen=True)
class Track:
    """What differs between replicates of a track, of BWT, VNet − UNet.

    Attributes:
        stream_sd: between pairs of scanners, without what seeds add.
        stream_skewness: of pairs.
        seed_sd: between seeds of a pair.
    """

    stream_sd: float
    stream_skewness: float
    seed_sd: float


TRACKS = {"realistic": Track(0.019, -3.9, 0.022), "stress": Track(0.065, -2.4, 0.050)}
"""From results/reference/tracks: 42 and 18 pairs of scanners, three seeds."""


def main() -> None:
    """Print shares of trials for every track, shape of streams and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    rows = []
    for (name, track), replicates in product(TRACKS.items(), REPLICATES):
        shapes = {
            "normal": 0.0,
            "as pairs": track.stream_skewness,
            f"mean of {CHANGES}": track.stream_skewness / CHANGES**0.5,
        }
        for shape, skewness in shapes.items():
            row = {"track": name, "replicates": replicates, "streams": shape}
            for patients in PATIENTS:
                drawn = simulated(track, skewness, (patients, replicates), trials)
                row[f"{patients} patients"] = "{:.1f} ({:.1f}, {:.1f})".format(*shares(drawn))
            rows.append(row)
    print("Covered (wrongly supported, wrongly contradicted), %\n")
    print(markdown(pd.DataFrame(rows)))


def simulated(
    track: Track, skewness: float, shape: tuple[int, int], trials: int, seed: int = 0
) -> Values:
    """(trials, patients, replicates) differences whose truth is nothing."""
    patients, replicates = shape
    random = np.random.default_rng(seed)
    of_patients = skewed(random, PATIENT_SKEWNESS, (trials, patients, 1))
    of_streams = skewed(random, skewness, (trials, 1, replicates))
    return (
        PATIENT_SD * of_patients
        + track.stream_sd * of_streams
        + track.seed_sd * random.normal(size=(trials, 1, replicates))
        + REST_SD * random.normal(size=(trials, patients, replicates))
    )


def skewed(random: np.random.Generator, skewness: float, size: Sequence[int]) -> Values:
    """Numbers of mean 0, SD 1 and some skewness: shifted gamma ones, normal ones for none."""
    if not skewness:
        return random.normal(size=size)
    shape = 4 / skewness**2
    return np.sign(skewness) * (random.gamma(shape, size=size) - shape) / np.sqrt(shape)


def shares(drawn: Values) -> tuple[float, float, float]:
    """Percent of intervals that hold nothing, lie above it, and lie below it."""
    means = drawn.mean(axis=(1, 2))
    widths = np.array([ci_half_width(values) for values in drawn])
    above, below = 100 * (means > widths).mean(), 100 * (means < -widths).mean()
    return 100 - above - below, above, below


if __name__ == "__main__":
    main()
