"""The answer of an update suite in plain sentences."""

from cl_seg.analysis.update.outcomes import AREA_CLASS, roles, scores_of, update_of
from cl_seg.analysis.update.recommend import Candidate, Recommendation
from cl_seg.analysis.update.tables import number, shown_change
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult


def answer(found: Recommendation) -> str:
    """The recommendation in one or two sentences."""
    if found.best is not None:
        return _recommended(found.best)
    if found.status == "not recommended":
        return (
            "Not recommended: keep the model as it is. "
            f"{_of_all(found)} worse on a scanner, or gains too little on the new one."
        )
    if found.accepted:
        return _without_old(found.accepted[0])
    return (
        "Undecided: keep the model as it is until more is known. "
        "No candidate is shown to be safe, but some may be; the table says what would decide."
    )


def candidate_lines(found: Recommendation) -> list[str]:
    """A line for each candidate: what it gains on the new scanner, where it is worse, verdict."""
    return [
        f"{one.title}: Dice on the new scanner {shown_change(one.gain)}, worse in "
        f"{len(one.losses)} of {counted(len(one.decisive), 'score')}: {found.status_of(one)}"
        for one in found.candidates
    ]


def _of_all(found: Recommendation) -> str:
    count = len(found.candidates)
    return "The only candidate is" if count == 1 else f"Each of {count} candidates is"


def _without_old(candidate: Candidate) -> str:
    run = candidate.runs[0]
    known = ", ".join(update_of(run).parent_scanners.values()) or "other scanners"
    return (
        f"Undecided: the model was trained on {known}, and none of them was tested, so that losses "
        f"there are not known. On {run.short_names[update_of(run).new]} alone, {_update(candidate)}"
        f" is accepted: {_gain(candidate)}. If that scanner is all that matters, save this model "
        "with `cl-seg model save`."
    )


def _update(candidate: Candidate) -> str:
    return (
        f"{candidate.network} by {candidate.strategy} with "
        f"{counted(candidate.budget, 'labelled slice')}"
    )


def _gain(candidate: Candidate) -> str:
    gain = candidate.gain.outcome
    before, after = (number(gain, float(v.mean()), False) for v in (gain.before, gain.after))
    return f"Dice there goes from {before} to {after}, {shown_change(candidate.gain)}"


def _recommended(candidate: Candidate) -> str:
    run = candidate.runs[0]
    sentence = (
        f"Recommended: update {_update(candidate)} of {run.short_names[update_of(run).new]}. "
        f"{_gain(candidate)}; nothing is worse than the margins allow"
    )
    others = [one for one in candidate.decisive if one.outcome.role != "new"]
    least = min(others, key=lambda one: one.change.lower / one.margin)
    return (
        f"{sentence}. The score on another scanner that comes closest to its margin is "
        f"{least.outcome.name} on {run.short_names[least.outcome.scanner]}: {shown_change(least)}."
    )


def notes(found: Recommendation) -> list[str]:
    """What has to be known to read the answer."""
    run = found.candidates[0].runs[0]
    margins, candidates = update_of(run).margins, len(found.candidates)
    area = f", and {100 * margins.area:g} % of the true {AREA_CLASS} area"
    said = [
        f"Margins: {margins.dice:g} Dice{area if AREA_CLASS in run.classes else ''}. "
        "In brackets are one-sided 95 % bounds of a change, for other patients and other seeds.",
        "A candidate is accepted where all scores on all scanners are shown not to be worse and "
        "Dice on the new scanner is shown to rise; that all must hold needs no correction.",
    ]
    if candidates > 1:
        said.append(
            f"There are {candidates} candidates to choose from: acceptance is corrected for that "
            f"after Holm, to an error rate of {100 * found.alpha:.2g} % for those that are not "
            "accepted. The verdicts on single scores are not corrected."
        )
    said.append(
        "The verdict is on the method, with any seed. Put the network of the first seed into "
        "use: the best of several seeds is best by chance in part."
    )
    return said + _untested(run, found.candidates[0])


def _untested(run: RunResult, candidate: Candidate) -> list[str]:
    """Scores that no test case of a scanner has."""
    judged = {(one.outcome.scanner, one.outcome.name) for one in candidate.outcomes}
    lacking = [
        f"{score.name} on {run.short_names[scanner]}"
        for scanner in roles(run)
        for score in scores_of(run)
        if (scanner, score.name) not in judged
    ]
    return [f"Not judged, because no test case has it: {', '.join(lacking)}."] if lacking else []
