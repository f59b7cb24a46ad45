"""``python -m tests.fuzz.run TARGET SECONDS``: fuzz a target with atheris for some seconds.

An input that breaks it is left as ``crash-…`` in the current folder: put it among the seeds.
"""

import sys
from pathlib import Path

import atheris

SEEDS = Path(__file__).parent / "seeds"


def main() -> None:
    """Fuzz the target named on the command line."""
    name, seconds = sys.argv[1:3]
    with atheris.instrument_imports(include=["cl_seg", "pydicom", "yaml", "csv"]):
        from .targets import TARGETS
    corpus = Path(".fuzz") / name
    corpus.mkdir(parents=True, exist_ok=True)
    arguments = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *arguments, str(corpus), str(SEEDS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
