"""Time and memory of `cl-seg report` over many runs, and the size of its page.

python experiments/performance/reporting.py [--runs 1000]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from synthetic_runs import MODELS, STRATEGIES, SyntheticSuite, write_runs

ORDERS = 10


def main() -> None:
    """Print runs, seconds and megabytes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    per_seed = len(MODELS) * len(STRATEGIES)
    orders = min(ORDERS, -(-options.runs // per_seed))
    seeds = -(-options.runs // (per_seed * orders))
    with tempfile.TemporaryDirectory() as name:
        results = Path(name)
        runs = write_runs(results, SyntheticSuite(orders, seeds))
        command = [str(Path(sys.executable).with_name("cl-seg")), "report", name]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=sys.stderr)
        seconds = time.perf_counter() - started
        page = (results / "report.html").stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    print(f"{runs} runs: {seconds:.1f} s, peak memory {peak:.0f} MB, page {page:.1f} MB")


if __name__ == "__main__":
    main()
