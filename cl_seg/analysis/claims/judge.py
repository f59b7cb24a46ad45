"""Judges claims by the results of suites.

A claim is true of these runs as far as its interval says; nothing else is read into it. Several
contrasts of one claim must all hold for it to be supported, which needs no correction
(intersection–union test, Berger 1982); one that fails contradicts it, for which the level is
divided by their number (Bonferroni).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cl_seg.analysis.claims.claim import Claim
from cl_seg.analysis.claims.evidence import Evidence, Verdict, evidence_on
from cl_seg.analysis.claims.find_runs import RunFinder, suites_below
from cl_seg.analysis.intervals import LEVEL
from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.records.tables import PACKED


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim, its verdict, and the evidence on its contrasts."""

    claim: Claim
    verdict: Verdict
    evidence: list[Evidence]
    descriptive: list[Evidence]


def judge(claims: Sequence[Claim], folder: Path) -> list[ClaimVerdict]:
    """Hold claims to the results of suites below a folder.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder.absolute()} does not exist: give a folder with a folder of results per suite"
        )
    if (folder / PACKED).is_file() or (folder / "runs").is_dir():
        raise InputError(f"{folder} is the results of one suite: give the folder that holds it")
    if not suites_below(folder):
        raise InputError(f"{folder} holds no results of a suite: `cl-seg run` makes them")
    finder = RunFinder(folder)
    judged = []
    for claim in claims:
        level = 1 - (1 - LEVEL) / len(claim.contrasts)
        evidence = [evidence_on(contrast, finder, level) for contrast in claim.contrasts]
        descriptive = [evidence_on(contrast, finder, LEVEL) for contrast in claim.descriptive]
        judged.append(ClaimVerdict(claim, _verdict_on_all(evidence), evidence, descriptive))
    return judged


def results_of(judged: Sequence[ClaimVerdict], folder: Path) -> dict[str, list[RunResult]]:
    """Runs of every suite that the claims are about and that has any."""
    found: dict[str, list[RunResult]] = {}
    for claim_verdict in judged:
        for evidence in (*claim_verdict.evidence, *claim_verdict.descriptive):
            with suppress(InputError):
                suite = evidence.contrast.suite
                found[suite] = found.get(suite) or load_results(folder / suite)
    return found


def _verdict_on_all(evidence: Sequence[Evidence]) -> Verdict:
    verdicts = [one.verdict for one in evidence]
    # A contradicted contrast decides, whatever the others lack.
    for decisive in ("contradicted", "no result", "not evaluable"):
        if decisive in verdicts:
            return decisive
    return "supported" if all(verdict == "supported" for verdict in verdicts) else "undecided"
