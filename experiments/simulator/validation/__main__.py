"""Measures the laws that simulated scanners and bodies must obey; exit code 1 if one fails.

From the root of a checkout::

    python -m experiments.simulator.validation
    python -m experiments.simulator.validation --out results/reference/simulator
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from cl_seg.messages.errors import InputError
from experiments.simulator.validation import report, run

COMMAND = "python -m experiments.simulator.validation"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write as the options say; 0 if every check passed, 1 if one failed."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="one scanner, few settings and no bodies"
    )
    parser.add_argument(
        "--all", action="store_true", help="list every check, not the worst of each law"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write a page, pictures, a text and JSON here"
    )
    options = parser.parse_args(arguments)
    folder: Path | None = options.out
    if folder is not None and folder.exists() and not folder.is_dir():
        parser.error(f"--out {folder} is a file: name a folder")
    checks = run.validate(options.quick)
    if folder is not None:
        command = COMMAND + (" --quick" if options.quick else "") + " --out FOLDER"
        try:
            report.write_report(checks, folder, command)
        except InputError as error:
            parser.error(str(error))
    if options.json:
        sys.stdout.write(run.as_json(checks) + "\n")
    else:
        out = Console(highlight=False)
        out.print(run.as_table(checks) if options.all else run.as_summary(checks))
        if folder is not None:
            out.print(f"page: {folder / 'validation.md'}", soft_wrap=True)
    return 0 if run.all_passed(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
