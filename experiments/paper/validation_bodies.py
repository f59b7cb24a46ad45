"""Verdicts on the claims without the test bodies that were also used to choose settings.

The learning rates and strategy settings in use were chosen by validation Dice on simulated bodies
of the pool that the suites test on, so some validation bodies there are test bodies here. The
claims are judged once with all test bodies and once without these, on every scanner. Suites that
choose settings now draw from a separate pool (`pool: development`): other bodies with the same
names. Settings chosen by them need no such comparison.

    python experiments/paper/validation_bodies.py results/reference/paper
"""

import argparse
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from cl_seg.analysis.claims.evidence import Evidence
from cl_seg.analysis.claims.judge import judge
from cl_seg.analysis.claims.read import read_claims
from cl_seg.analysis.tables import markdown, rounded
from cl_seg.phantom.scanners import load_scanners
from cl_seg.phantom.simulated_scan import simulated_scans
from cl_seg.planning.checked_suite import parse_suite
from cl_seg.records.load import load_results
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.record import matrix_rows
from cl_seg.records.tables import PACKED
from cl_seg.scans.splits import Fractions, split_by_patient

EXPERIMENTS = Path(__file__).parents[1]
CHOICES = (EXPERIMENTS / "learning_rates.yaml", EXPERIMENTS / "paper" / "development.yaml")


def main() -> None:
    """Print a table: every contrast, its effect and verdict with and without these bodies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="packed results, a folder per suite")
    parser.add_argument("--claims", type=Path, default=EXPERIMENTS / "paper" / "claims.yaml")
    options = parser.parse_args()
    claims = read_claims(options.claims)
    seen = set().union(*map(validation_bodies, CHOICES))
    with TemporaryDirectory() as name:
        for packed in options.results.glob(f"*/{PACKED}"):
            leave_out(seen, packed.parent, Path(name) / packed.parent.name)
        with_them, without = judge(claims, options.results), judge(claims, Path(name))
    rows = [
        {
            "claim": f"{one.claim.name}: {one.verdict}, {other.verdict}",
            "contrast": str(evidence.contrast),
            "all test bodies": told(evidence),
            "without": told(less),
            "bodies": f"{evidence.patients}, {less.patients}",
        }
        for one, other in zip(with_them, without, strict=True)
        for evidence, less in zip(one.evidence, other.evidence, strict=True)
    ]
    print(markdown(pd.DataFrame(rows)))


def validation_bodies(suite: Path) -> set[str]:
    """Bodies of a simulated suite whose Dice chose its settings, by name."""
    spec = parse_suite(suite)
    phantom = spec.data.phantom
    assert phantom is not None
    scanners = load_scanners(phantom.all_scanners)
    scans = [
        {"scanner": scan.scanner, "patient": scan.body}
        for scan in simulated_scans(scanners, phantom.own_bodies, phantom.shared_bodies)
    ]
    fractions = Fractions(test=spec.split.test, validation=spec.split.validation)
    parts = split_by_patient(pd.DataFrame(scans), fractions, spec.split.seed)
    return set(parts["patient"][parts["part"] == "validation"])


def leave_out(bodies: set[str], packed: Path, out: Path) -> None:
    """Packed results as if ``bodies`` had not been tested."""
    out.mkdir()
    cases = pd.read_parquet(packed / "cases.parquet")
    cases = cases[~cases["patient"].isin(bodies)]
    cases.to_parquet(out / "cases.parquet")
    shutil.copy(packed / "curve.parquet", out)
    of_run = dict(iter(cases.groupby("run")))
    with (out / PACKED).open("w", encoding="utf-8") as lines:
        for run in load_results(packed):
            table = of_run[run.run_id]
            matrices = accuracy_matrices(table, run.scanners, run.classes)
            r = {name: matrix_rows(matrix) for name, matrix in matrices.items()}
            record = run.record.model_copy(update={"R": r})
            lines.write(json.dumps(record.as_json()) + "\n")
    for tool in packed.glob("tools/*.csv"):
        (out / "tools").mkdir(exist_ok=True)
        table = pd.read_csv(tool)
        table[~table["patient"].isin(bodies)].to_csv(out / "tools" / tool.name, index=False)


def told(found: Evidence) -> str:
    """Verdict and effect with its interval."""
    return f"{found.verdict}, {rounded(found.effect, True, found.ci_half_width)}"


if __name__ == "__main__":
    main()
