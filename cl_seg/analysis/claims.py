"""Claims of a study as contrasts between runs, each with an effect, an interval and a verdict.

A claim is true of these runs as far as its interval says; nothing else is read into it. Several
contrasts of one claim must all hold for it to be supported, which needs no correction
(intersection–union test, Berger 1982); one that fails contradicts it, for which the level is
divided by their number (Bonferroni).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, ValidationError, field_validator

from cl_seg.analysis.claims_faults import describe_fault
from cl_seg.analysis.intervals import (
    LEVEL,
    Groups,
    alike_patients,
    crossed_margin,
    paired_values,
    projected_margin,
    same_design,
    simulated_coverage,
)
from cl_seg.analysis.not_learned import missed_bounds
from cl_seg.analysis.results import PACKED, RunResult, load_results
from cl_seg.analysis.seed_curve import on_target
from cl_seg.analysis.tables import DEFINED, SCORES, cells
from cl_seg.analysis.tools_table import load_tools, tool_runs
from cl_seg.files import InputError
from cl_seg.spec.faults import require_distinct
from cl_seg.spec.settings import Spec
from cl_seg.yaml_file import YamlFile

Values = npt.NDArray[np.float64]
Members = list[list[RunResult]]
Verdict = Literal["supported", "contradicted", "undecided", "not evaluable", "no result"]
MOST = 1000  # seeds or patients beyond which "more" is no advice
FEW = "more test patients: a scanner or structure has but one, and there is no interval"


class Side(Spec):
    """What stands on one side of a contrast; several are averaged.

    Attributes:
        networks: names as tables show them.
        strategy: likewise.
        tools: names of tools, as suites name them.
        seed_images: number of SEED images, in a seed curve.
        by: how they were chosen, where the suite has several ways.
    """

    networks: list[str] = Field(default=[])
    strategy: str = ""
    tools: list[str] = Field(default=[])
    seed_images: int | None = None
    by: str = ""


class Contrast(Spec):
    """Two sides, one score.

    Attributes:
        suite: folder of results below the one that is looked at.
        score: of ``ours`` minus that of ``theirs``.
        structure: class the score is of, "" for the mean over classes.
        ours: what the claim says is better.
        theirs: what it is better than.
        at_least: what the difference must be more than.
    """

    suite: str
    score: Literal["ACC", "BWT", "plasticity"]
    structure: str = ""
    ours: Side
    theirs: Side
    at_least: float = 0.0

    @property
    def sides(self) -> tuple[Side, Side]:
        """Ours and theirs."""
        return self.ours, self.theirs


class Claim(Spec):
    """What somebody claims.

    Attributes:
        name: short.
        says: in words.
        source: who says so.
        contrasts: all of which must hold.
        beside: shown with it, without a say in the verdict.
    """

    name: str
    says: str
    source: str
    contrasts: list[Contrast] = Field(min_length=1)
    beside: list[Contrast] = Field(default=[])


class Claims(Spec):
    """A file of claims."""

    claims: list[Claim] = Field(min_length=1)

    @field_validator("claims")
    @classmethod
    def _names_differ(cls, value: list[Claim]) -> list[Claim]:
        return require_distinct(value, [one.name for one in value], "each needs a name of its own")


@dataclass(frozen=True)
class Evidence:
    """What the runs say of a contrast.

    Attributes:
        contrast: which.
        effect: difference of the means.
        margin: half the width of the 95 % interval for other patients and other seeds.
        coverage: how often such an interval covers the truth, simulated with these variances.
        superiority: share of patients of whom ours is better, seeds and orders averaged; ties
            count half.
        patients: how many.
        seeds: how many.
        verdict: of this contrast alone.
        need: what would decide an undecided one.
        reason: why there is none.
    """

    contrast: Contrast
    verdict: Verdict
    effect: float = float("nan")
    margin: float = float("nan")
    coverage: float = float("nan")
    superiority: float = float("nan")
    patients: int = 0
    seeds: int = 0
    need: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim and what the runs say of it."""

    claim: Claim
    verdict: Verdict
    evidence: list[Evidence]
    beside: list[Evidence]


def read_claims(path: Path) -> list[Claim]:
    """Read a file of claims.

    Raises:
        InputError: it is no such file, naming the line.
    """
    tree = YamlFile.parse(path)
    try:
        return Claims.model_validate(tree.value).claims
    except ValidationError as error:
        lines = [describe_fault(tree, e, _fields_at(e["loc"])) for e in error.errors()]
        raise InputError("\n".join(dict.fromkeys(lines))) from None


PARTS: dict[str, type[Spec]] = {
    "claims": Claim,
    "contrasts": Contrast,
    "beside": Contrast,
    "ours": Side,
    "theirs": Side,
}


def _fields_at(loc: tuple[Any, ...]) -> list[str]:
    within = [PARTS[part] for part in loc[:-1] if part in PARTS]
    return list((within[-1] if within else Claims).model_fields)


def judge(claims: Sequence[Claim], folder: Path) -> list[Judged]:
    """Hold claims to the results of suites below a folder.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} does not exist: give a folder with a folder of results per suite"
        )
    loaded: dict[str, list[RunResult]] = {}

    def runs_of(suite: str) -> list[RunResult]:
        if suite not in loaded:
            _require_suite(suite, folder)
            runs = load_results(folder / suite)
            of_seeds = runs[0].schedule == "seed_curve"
            loaded[suite] = [on_target(run) for run in runs] if of_seeds else runs
        return loaded[suite]

    judged = []
    for claim in claims:
        level = 1 - (1 - LEVEL) / len(claim.contrasts)
        evidence = [_evidence(contrast, folder, runs_of, level) for contrast in claim.contrasts]
        beside = [_evidence(contrast, folder, runs_of, LEVEL) for contrast in claim.beside]
        judged.append(Judged(claim, _verdict_of_all(evidence), evidence, beside))
    return judged


def _require_suite(suite: str, folder: Path) -> None:
    there = sorted(path.parent.name for path in folder.glob(f"*/{PACKED}"))
    there += sorted(path.parent.name for path in folder.glob("*/runs"))
    # Where there is nothing at all, reading it says what to do.
    if there and not (folder / suite).is_dir():
        raise InputError(f"no suite {suite}; {_there(there)}")


def _verdict_of_all(evidence: Sequence[Evidence]) -> Verdict:
    each = [one.verdict for one in evidence]
    # What is contradicted stays so, whatever the other contrasts lack.
    for decisive in ("contradicted", "no result", "not evaluable"):
        if decisive in each:
            return decisive
    return "supported" if all(verdict == "supported" for verdict in each) else "undecided"


def _evidence(contrast: Contrast, folder: Path, runs_of: Any, level: float) -> Evidence:
    try:
        sides = _members_of(contrast, folder, runs_of)
        every = [one for members in sides for one in members]
        if lost := dict.fromkeys(filter(None, map(_lost, every))):
            reason = f"not learned: {'; '.join(lost)}"
            return Evidence(contrast, "not evaluable", reason=reason)
        values = _difference(contrast, sides)
    except InputError as error:
        return Evidence(contrast, "no result", reason=str(error))
    superiority = _superiority(contrast, sides)
    if not np.isfinite(values).all():
        return Evidence(
            contrast, "undecided", _effect(contrast, sides), superiority=superiority,
            patients=len(values), seeds=values.shape[1], need=FEW,
        )  # fmt: skip
    return _judged(
        contrast, values, superiority, level, alike_patients([run for one in every for run in one])
    )


def _members_of(contrast: Contrast, folder: Path, runs_of: Any) -> tuple[Members, Members]:
    """The runs of every network and tool of both sides, of the structure the score is of.

    Raises:
        InputError: there are none, or they cannot be compared.
    """
    runs, name = runs_of(contrast.suite), contrast.structure
    for side in contrast.sides:
        _require_names(side, runs)
    networks = [[_fitting(runs, n, side) for n in side.networks] for side in contrast.sides]
    beside = [one for members in networks for one in members if one]
    sides = []
    for side, members in zip(contrast.sides, networks, strict=True):
        tools = load_tools(folder / contrast.suite) if side.tools else pd.DataFrame()
        for tool in side.tools:
            _require("tool", tool, tools["name"] if len(tools) else [])
        # A tool has no order and no seed: it takes those of the network it is compared with.
        like = beside[0] if beside else next(iter(cells(runs).values()))
        members += [tool_runs(tools, tool, like) for tool in side.tools]
        if not members:
            raise InputError("a side names neither networks nor tools")
        if not all(members):
            raise InputError(f"{contrast.suite} lacks {_text(side)}")
        sides.append(members)
    for run in (run for members in sides for one in members for run in one):
        if name:
            _require("structure", name, run.classes)
        if contrast.score not in DEFINED.get(run.schedule, {contrast.score}):
            raise InputError(f"{contrast.score} of {run.model} {run.strategy} is not defined")
    first, second = (
        [[run.of_class(name) if name else run for run in one] for one in members]
        for members in sides
    )
    if len({tuple(one[0].classes) for one in (*first, *second)}) > 1:
        raise InputError("the sides are of several structures and of one: say `structure`")
    return first, second


def _require_names(side: Side, runs: Sequence[RunResult]) -> None:
    """Refuse what no run is called; a side without networks names none."""
    for network in side.networks:
        _require("network", network, [run.model for run in runs])
    if side.networks:
        specs = [run.record["spec"] for run in runs]
        _require("strategy", side.strategy, [run.strategy for run in runs])
        _require("seed_images", side.seed_images, [spec.get("seed_images") for spec in specs])
        _require("by", side.by, ["", *(spec.get("by") for spec in specs)])


def _require(what: str, name: str | int | None, known: Iterable[Any]) -> None:
    if name not in (there := list(dict.fromkeys(known))):
        missing = f"no {what} {name}" if name else f"`{what}` is missing"
        raise InputError(f"{missing}; {_there([str(one) for one in there if one])}")


def _there(names: Sequence[str]) -> str:
    return f"there {'are' if len(names) > 1 else 'is'} {', '.join(names) or 'none'}"


def _fitting(runs: Sequence[RunResult], network: str, side: Side) -> list[RunResult]:
    found = []
    for run in runs:
        spec = run.record["spec"]
        same = (run.model, run.strategy) == (network, side.strategy)
        if same and spec.get("seed_images") == side.seed_images and side.by in {"", spec.get("by")}:
            found.append(run)
    if len({run.record["spec"].get("by") for run in found}) > 1:
        raise InputError(f"{_text(side)} were chosen in several ways: say `by`")
    return found


def _difference(contrast: Contrast, sides: tuple[Members, Members]) -> Values:
    every = [one for members in sides for one in members]
    if not all(same_design(every[0], one) for one in every):
        raise InputError("the runs differ in patients, seeds or orders")
    score = SCORES[contrast.score]
    means = [np.mean([paired_values(one, score) for one in members], axis=0) for members in sides]
    values: Values = means[0] - means[1]
    if not values.size:
        raise InputError("not all seeds have all orders: let `cl-seg run` finish the suite")
    if not np.isfinite(_effect(contrast, sides)):
        raise InputError(f"{contrast.score} is not defined for these runs")
    return values


def _effect(contrast: Contrast, sides: tuple[Members, Members]) -> float:
    score = SCORES[contrast.score]
    ours, theirs = (
        np.mean([score(run.matrix()) for one in members for run in one]) for members in sides
    )
    return float(ours - theirs)


def _superiority(contrast: Contrast, sides: tuple[Members, Members]) -> float:
    """Share of patients of whom ours is better, on the scanners each was seen on."""
    means = [
        pd.concat([_of_patients(contrast, run) for one in members for run in one])
        .groupby(level=0)
        .mean()
        for members in sides
    ]
    gain = (means[0] - means[1]).dropna()
    return float((gain > 0).mean() + 0.5 * (gain == 0).mean())


def _of_patients(contrast: Contrast, run: RunResult) -> "pd.Series[float]":
    """The score of every patient alone."""
    chosen = (run.cases["true"] > 0) & run.cases["class"].isin(run.classes)
    cases = run.cases[chosen & run.cases["scanner"].isin(run.order)]
    dice = cases.groupby(["patient", "scanner", "stage"])["dice"].mean().unstack("stage")
    last = int(dice.columns.max())
    positions = [run.order.index(scanner) + 1 for scanner in dice.index.get_level_values("scanner")]
    after = np.minimum(positions, last)
    learned = pd.Series(dice.to_numpy(float)[np.arange(len(dice)), after], index=dice.index)
    scores = {
        "ACC": dice[last],
        "plasticity": learned,
        "BWT": (dice[last] - learned)[np.array(positions) < last],
    }
    return scores[contrast.score].groupby("patient").mean()


def _judged(
    contrast: Contrast, values: Values, superiority: float, level: float, alike: Groups
) -> Evidence:
    """What finite values say; ``level`` is that at which they contradict."""
    effect, margin = float(values.mean()), crossed_margin(values, alike=alike)
    patients, seeds = values.shape
    verdict: Verdict = "undecided"
    if effect - margin > contrast.at_least:
        verdict = "supported"
    elif effect + crossed_margin(values, level, alike) < contrast.at_least:
        verdict = "contradicted"
    need = needed(values, contrast.at_least, level, alike) if verdict == "undecided" else ""
    coverage = simulated_coverage(values, alike=alike)
    return Evidence(
        *(contrast, verdict, effect, margin, coverage, superiority, patients, seeds, need)
    )


def needed(
    values: Values, at_least: float = 0.0, level: float = LEVEL, alike: Groups | None = None
) -> str:
    """How many seeds, or patients, would decide if effect and spread stayed as they are.

    Args:
        values: (P, S).
        at_least: what the effect is held against.
        level: at which an effect that is smaller contradicts; one that is larger supports at 95 %.
        alike: as for :func:`cl_seg.analysis.intervals.crossed_margin`.
    """
    patients, seeds = values.shape
    if min(patients, seeds) < 2:
        return "more seeds and patients: there is no interval yet"
    effect = float(values.mean()) - at_least
    level = LEVEL if effect > 0 else level
    for what, have in (("seeds", seeds), ("patients", patients)):
        more = np.arange(have + 1, MOST + 1)
        of_patients, of_seeds = (patients, more) if what == "seeds" else (more, seeds)
        margins = projected_margin(values, of_patients, of_seeds, level, alike)
        if (margins < abs(effect)).any():
            return f"about {more[np.argmax(margins < abs(effect))]} {what} (now {have})"
    return "an effect this small is not decided by more seeds or more patients alone"


def _lost(runs: Sequence[RunResult]) -> str:
    """What a network of one side did not learn; empty of a tool, which learns nothing."""
    missed = missed_bounds(runs) if runs[0].record["spec"].get("learned_dice") else ""
    return f"{runs[0].model} {runs[0].strategy}: {missed}" if missed else ""


def contrast_text(contrast: Contrast) -> str:
    """Suite, score and the two sides of a contrast in a line."""
    score = f"{contrast.suite}, {contrast.score} {contrast.structure}".strip()
    return f"{score}: {_text(contrast.ours)} − {_text(contrast.theirs)}"


def _text(side: Side) -> str:
    parts = [*(f"{n} {side.strategy}" for n in side.networks), *side.tools]
    images = f" with {side.seed_images} SEED images" if side.seed_images else ""
    return (parts[0] if len(parts) == 1 else f"mean({', '.join(parts)})") + images
