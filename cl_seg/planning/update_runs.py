"""The runs of an update suite: strategies x labelled slices x seeds, from one saved model."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import pandas as pd

from cl_seg.messages.errors import InputError, refuse
from cl_seg.messages.plural import counted
from cl_seg.messages.suggest import did_you_mean
from cl_seg.planning.runs import Run, SeedImages
from cl_seg.planning.saved_model import starting_model, why_not_further
from cl_seg.spec.suite import Suite
from cl_seg.spec.update import MIN_PATIENTS, MIN_SEEDS, UpdateSuite


def update_runs(suite: UpdateSuite, scanners: list[str]) -> list[Run]:
    """Runs of an update suite. The model as it is needs none: it is the first stage of each.

    Args:
        suite: what to run.
        scanners: what the data offer.

    Raises:
        InputError: it names an unknown scanner, or strategies that cannot continue the model.
    """
    old = _old_scanners(suite, scanners)
    refuse([fault for choice in suite.strategies if (fault := why_not_further(choice, old))])
    (model,), started = suite.models, starting_model(suite)
    runs = []
    axes = (suite.strategies, suite.labelled, suite.seeds)
    for position in product(*(range(len(axis)) for axis in axes)):
        c, n, seed_at = position
        strategy = suite.strategies[c].for_network(model.label)
        count, seed = suite.labelled[n], suite.seeds[seed_at]
        # All are the same slices however they are chosen, so that nothing ranks them.
        images = None if count == "all" else SeedImages(count, suite.by, old, transfer=True)
        run_id = f"{model.label}-{strategy.label}-{count}-seed{seed}"
        order = (*old, suite.new)
        runs.append(Run(run_id, order, model, strategy, seed, (0, *position), images, started))
    return runs


def update_notes(suite: Suite, runs: Sequence[Run], cases: pd.DataFrame) -> Iterator[str]:
    """Old scanners that are unknown to the model or missing, and what leaves verdicts undecided.

    Args:
        suite: what is run.
        runs: of the suite.
        cases: see :func:`cl_seg.planning.digests.classes_of_cases`.
    """
    if not isinstance(suite, UpdateSuite):
        return
    run = runs[0]
    known = run.starting_model.scanners if run.starting_model else {}
    unknown = [name for name in run.order[:-1] if known and name not in known]
    if unknown:
        yield (
            f"old: the card of the model does not name {', '.join(unknown)} among the scanners it "
            "was trained on: name under `held_out` what it has not seen"
        )
    if len(run.order) == 1:
        yield (
            f"the model was trained on {', '.join(known.values()) or 'other scanners'}, and the "
            "data have none of them: losses there are not tested, so that no update is recommended"
        )
    if len(suite.seeds) < MIN_SEEDS:
        yield f"seeds: verdicts need at least {MIN_SEEDS}, the answer will be undecided"
    patients, tested = (
        Counter(part.index.get_level_values("scanner"))
        for part in (cases, cases.xs("test", level="part"))
    )
    yield from too_few(tested, patients if suite.split.by == "patient" else {})


def too_few(tested: Mapping[str, int], divided: Mapping[str, int]) -> Iterator[str]:
    """Scanners with too few test patients for a verdict, and what would help.

    Args:
        tested: cases per scanner that are tested.
        divided: cases per scanner that another split could test; empty if all are tested.
    """
    for scanner, count in tested.items():
        if count < MIN_PATIENTS:
            enough = divided.get(scanner, 0) >= 2 * MIN_PATIENTS
            remedy = "`split: {test: 0.5}` tests half of them" if enough else "add more patients"
            yield (
                f"{scanner} has {counted(count, 'test case')}, verdicts need at least "
                f"{MIN_PATIENTS} test patients: the answer will be undecided; {remedy}"
            )


def _old_scanners(suite: UpdateSuite, scanners: list[str]) -> tuple[str, ...]:
    """The scanners the model was trained on; by default all that are not new or held out."""
    for field, names in {"new": [suite.new], "old": suite.old, "held_out": suite.held_out}.items():
        for name in names:
            if name not in scanners:
                raise InputError(f"{field}: unknown scanner {name}{did_you_mean(name, scanners)}")
    others = [name for name in scanners if name not in {suite.new, *suite.held_out}]
    return tuple(suite.old or others)
