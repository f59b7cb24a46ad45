"""CPU time of a case on the randomised scanner: what drawing a new profile for every case costs.

Every case is simulated twice in one process. The first time, tables and plans of
its profile are made, as in a store; the second time they are there, as on a scanner with one
profile. In between, the same body is scanned on scanners with one profile, for comparison:

    OMP_NUM_THREADS=1 python experiments/performance/randomised.py [--cases 20]
"""

import argparse
import statistics
import time

from cl_seg.phantom.anatomy.slices import LEVELS
from cl_seg.phantom.profiles import RANDOMISED
from cl_seg.phantom.scanners import load_scanners
from cl_seg.phantom.series import simulate_series
from cl_seg.phantom.simulated_scan import SimulatedScan, scan_of_body

FIXED = ("siemens_like", "stress_native", "ge_like")  # of the quick suite


def main() -> None:
    """Print seconds per case and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20)
    options = parser.parse_args()
    scanners = load_scanners([RANDOMISED, *FIXED])
    first, again, fixed = [], [], []
    for number in range(-1, options.cases):
        scans = {
            name: scan_of_body(f"timed-body-{number + 1:04d}", name, scanner, 0)
            for name, scanner in scanners.items()
        }
        drawn = [seconds(scans[RANDOMISED]), seconds(scans[RANDOMISED])]
        others = statistics.mean(seconds(scans[name]) for name in FIXED)
        if number >= 0:  # the first case makes what all have in common
            first.append(drawn[0])
            again.append(drawn[1])
            fixed.append(others)
    means = [statistics.mean(each) for each in (first, again, fixed)]
    print("s a case: drawn {:.3f}, again {:.3f}, one profile {:.3f}".format(*means))
    low, middle, high = statistics.quantiles(
        [a / b for a, b in zip(first, again, strict=True)], n=4
    )
    print(f"drawn / again {middle:.3f} ({low:.3f} to {high:.3f})")
    print(f"drawn / one profile {means[0] / means[2]:.3f}")


def seconds(scan: SimulatedScan) -> float:
    """CPU seconds of a case, without resampling to the grid of a store."""
    started = time.process_time()
    for level in LEVELS:
        simulate_series(scan, level)
    return time.process_time() - started


if __name__ == "__main__":
    main()
