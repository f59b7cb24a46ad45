"""May a saved model be updated with a new scanner? A suite of kind ``update``, and its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from cl_seg.analysis.update.dossier import PAGE
from cl_seg.analysis.update.recommend import Recommendation, Status, recommendation
from cl_seg.analysis.update.sentences import answer, candidate_lines
from cl_seg.api.plan import STAGES, Plan
from cl_seg.api.processes import Processes
from cl_seg.api.results import Results
from cl_seg.api.run import run_planned_suite
from cl_seg.api.stores import AnyPath
from cl_seg.api.suite import Suite
from cl_seg.files.write import write_text
from cl_seg.messages.errors import InputError
from cl_seg.messages.suggest import did_you_mean
from cl_seg.scans.store import read_header

SUITE_FILE = "update.yaml"
HEADER = "# Written by `cl-seg update`, which writes it again: copy it before you edit it.\n"
STRATEGIES = ("naive", "weight_averaging")
STRATEGIES_WITH_OLD_SLICES = ("naive", "replay")


@dataclass(frozen=True)
class Candidates:
    """The candidates of an update: strategies x numbers of labelled slices, each with some seeds.

    Attributes:
        strategies: names; by default two, since every further one costs power: naive, and where
            there are old scanners replay, else weight_averaging.
        labelled: numbers of labelled slices of the new scanner, ``all`` for all that
            are for training.
        by: how they are chosen.
        seeds: random seeds.
        steps: optimiser steps.
        batch_size: slices per step.
        rate_factor: multiple of the learning rate that the model was trained with.
        device: ``auto`` takes a GPU where there is one.
    """

    strategies: Sequence[str] = ()
    labelled: Sequence[int | Literal["all"]] = ("all",)
    by: str = "random"
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    steps: int = 300
    batch_size: int = 4
    rate_factor: float = 0.1
    device: str = "auto"


class Update:
    """The answer whether a saved model may be updated with a new scanner.

    Attributes:
        results: of the suite, whose ``summary()`` has Dice on every scanner before and after.
        recommendation: the verdict on every candidate.
        model: folder of the updated network where an update is recommended, else None.
    """

    def __init__(self, results: Results, found: Recommendation, model: Path | None) -> None:
        self.results, self.recommendation, self.model = results, found, model

    @property
    def verdict(self) -> Status:
        """``recommended``, ``not recommended`` or ``undecided``."""
        return self.recommendation.status

    @property
    def text(self) -> str:
        """The verdict in one or two sentences."""
        return answer(self.recommendation)

    @property
    def lines(self) -> list[str]:
        """A line for each candidate: its change of Dice on the new scanner, and its verdict."""
        return candidate_lines(self.recommendation)

    @property
    def dossier(self) -> Path:
        """Page with the verdicts on every scanner; ``update.json`` beside it is for machines."""
        return self.results.folder / PAGE

    def __repr__(self) -> str:
        return f"Update({str(self.results.folder)!r}): {self.verdict}"


def update(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    model: AnyPath,
    store: AnyPath,
    scanner: str,
    *,
    candidates: Candidates = Candidates(),
    old: Sequence[str] = (),
    held_out: Sequence[str] = (),
    margin_dice: float = 0.01,
    margin_area: float = 0.02,
    test_share: float = 0.25,
    within_case: bool = False,
    trusted_network: str = "",
    results: AnyPath | None = None,
    cache: AnyPath = STAGES,
    workers: int | None = None,
    log: Callable[[str], object] = print,
) -> Update:
    """Train a saved model further on a new scanner in several ways, and say which one to take.

    The model is scored as it is and after every update, on all scanners of the store. Finished
    stages are not repeated: interrupt it and call it again, it goes on where it was.

    Args:
        model: folder of the model. It is not changed.
        store: slices of the new scanner and, where you have them, of others.
        scanner: the new scanner, by its key or its display name.
        candidates: ways to update.
        old: likewise, scanners the model was trained on; all others of the store by default.
        held_out: scanners that are tested only.
        margin_dice: Dice that a scanner may lose and still count as not worse.
        margin_area: share of the true area by which its error may grow likewise.
        test_share: share of each scanner's patients that is tested.
        within_case: divide every case into training and test slices, for stores of too few
            patients; no generalisation result.
        trusted_network: ``module:callable`` of the model's network, if it is your own code that
            you trust.
        results: folder for results; ``results/update-SCANNER`` by default. ``update.yaml`` there is
            the suite, and ``model-KEY`` the updated network where one is recommended.
        cache: folder of finished stages.
        workers: processes on the CPU side by side, 0 for this process alone.
        log: called with every line for the user.

    Raises:
        InputError: model, scanners or strategies do not fit the store, or each other.
        RuntimeError: every run failed.
    """
    scanners = read_header(Path(store)).scanners
    new, *others = (_key(name, scanners) for name in (scanner, *old, *held_out))
    known = set(scanners) - {new, *others[len(old) :]}
    given = {
        "model": str(model),
        "trusted_network": trusted_network,
        "data": {"store": str(store)},
        "new": new,
        "old": others[: len(old)],
        "held_out": others[len(old) :],
        "split": {"by": "within_case" if within_case else "patient", "test": test_share},
        "margins": {"dice": margin_dice, "area": margin_area},
    }
    content = _suite_content(given, candidates, has_old_slices=bool(known))
    planned = Plan([Suite(content)], results, cache)
    (folder,) = planned.folders
    write_text(folder / SUITE_FILE, HEADER + yaml.safe_dump(content, sort_keys=False))
    ran = run_planned_suite(planned, Processes(workers), log=log)
    found = recommendation(ran.runs)
    saved = _save_recommended(found, folder, Path(cache))
    for older in sorted(folder.glob("model-*")):
        if older != saved:
            log(f"note: {older} is of an earlier answer, it is not recommended now")
    return Update(ran, found, saved)


def _key(scanner: str, scanners: Mapping[str, str]) -> str:
    """The key of a scanner of a store that is named by its key or its display name.

    Raises:
        InputError: the store has no such scanner, or several of that display name.
    """
    if scanner in scanners:
        return scanner
    keys = [key for key, name in scanners.items() if name == scanner]
    if not keys:
        raise InputError(f"unknown scanner {scanner}{did_you_mean(scanner, list(scanners))}")
    if len(keys) > 1:
        raise InputError(f"several scanners are called {scanner}: name one of {', '.join(keys)}")
    return keys[0]


def _suite_content(
    given: Mapping[str, Any], candidates: Candidates, *, has_old_slices: bool
) -> dict[str, Any]:
    """What the file of the suite holds."""
    default = STRATEGIES_WITH_OLD_SLICES if has_old_slices else STRATEGIES
    return {
        "kind": "update",
        "name": f"update-{given['new']}",
        **given,
        "labelled": list(candidates.labelled),
        "by": candidates.by,
        "strategies": list(candidates.strategies or default),
        "seeds": list(candidates.seeds),
        "rate_factor": candidates.rate_factor,
        "training": {
            "steps": candidates.steps,
            "batch_size": candidates.batch_size,
            "device": candidates.device,
        },
    }


def _save_recommended(found: Recommendation, folder: Path, cache: Path) -> Path | None:
    """Save the network of the first seed: the best of several is best by chance in part.

    The folder is named by the key of its run, so that one there is the same model.
    """
    if found.best is None:
        return None
    from cl_seg.suite.cache import StageCache  # noqa: PLC0415
    from cl_seg.suite.run_model import save_run_model  # noqa: PLC0415 - torch, slow

    record = found.best.runs[0].record
    model = folder / f"model-{record.key[:8]}"
    if not model.exists():
        save_run_model(folder / "runs" / record.run_id, model, StageCache(cache))
    return model
