"""The plan: a suite fully resolved, once, for all that computes, reports, records or prunes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from pathlib import Path

import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.planning.checked_suite import CheckedSuite, SuiteSource, check_suite
from cl_seg.planning.checks import (
    check_classes,
    check_seed_images,
    device_notes,
    plan_notes,
    precision_notes,
)
from cl_seg.planning.context import StageContext
from cl_seg.planning.data import store_folder
from cl_seg.planning.digests import classes_of_cases, fingerprint, part_digests
from cl_seg.planning.environment import find_environment
from cl_seg.planning.months import month_notes, with_months
from cl_seg.planning.seed_curve_runs import seed_curve_notes
from cl_seg.planning.split import cases_by_part, rows_by_part, split_slices
from cl_seg.planning.stage_graph import plan_graph
from cl_seg.planning.stages import Graph, PlannedRun, Stage
from cl_seg.planning.update_runs import update_notes
from cl_seg.scans.splits import SPLIT_PARTS
from cl_seg.scans.store import Header, SliceStore

CACHE = Path("data/stages")


@dataclass(frozen=True)
class Plan:
    """Runs with all that determines them, and the stages they are made of.

    A stream suite, a seed curve and the training on SEED images are three ways to make one.

    Attributes:
        context: settings and data that all stages share.
        graph: stages by key, and the runs they serve.
        header: of the store, or of the one that is to be simulated.
        cases: scanner → part → cases, empty before they are simulated.
        notes: for the user, before the plan is run.
        checked: the suite it was resolved from, None where there is no suite.
    """

    context: StageContext
    graph: Graph
    header: Header
    cases: Mapping[str, Mapping[str, Sequence[str]]]
    notes: Sequence[str] = ()
    checked: CheckedSuite | None = None

    @property
    def name(self) -> str:
        """Name of the suite."""
        return self.context.name

    @property
    def runs(self) -> list[PlannedRun]:
        """Its runs, in their order."""
        return self.graph.runs

    @property
    def stages(self) -> dict[str, Stage]:
        """Stages by key, in dependency order."""
        return self.graph.stages

    @property
    def has_data(self) -> bool:
        """False where simulated data are still to be made: then its keys are stand-ins."""
        return bool(self.context.fingerprint)


def resolve(
    suite: SuiteSource, data: Path | None = None, cache: Path = CACHE, kernel_target: str = ""
) -> Plan:
    """Resolve a suite; nothing is simulated or trained, and torch is not imported.

    Args:
        suite: suite file, its content, or a suite.
        data: a store that replaces the suite's own data.
        cache: folder of finished stages, which also keeps hashes of slices.
        kernel_target: of the machine that will compute it, from
            :func:`cl_seg.planning.environment.kernel_target_of` there; "" for this machine's.

    Raises:
        InputError: the suite is wrong, or its data do not fit.
    """
    return resolve_checked(check_suite(suite, data, kernel_target), cache)


def resolve_checked(checked: CheckedSuite, cache: Path) -> Plan:
    """Resolve a suite that was read.

    Raises:
        InputError: another suite read since has modules of the same name, or the data lack what
            its runs need.
    """
    checked.check_modules()
    suite, scanners, folder = checked.suite, checked.scanners, store_folder(checked.suite.data)
    if suite.data.phantom is not None and not folder.exists():
        stand_ins = dict.fromkeys(product(scanners, SPLIT_PARTS), folder.name)
        context = _context(checked, {}, stand_ins, "")
        graph = plan_graph(context, checked.runs)
        notes = (*device_notes(suite), *precision_notes(context))
        return Plan(context, graph, checked.header, {}, notes, checked)
    store, times, hash_cache = SliceStore(folder), fingerprint(folder), cache / "digests"
    split = split_slices(store.slices, suite.classes, suite.split, scanners, checked.held_out)
    if checked.runs[0].months:
        split = with_months(split)
    for scanner in scanners:
        store.hu(scanner), store.labels(scanner)  # opened only, damaged files show here
    digests = part_digests(store, split, scanners, hash_cache)
    context = _context(checked, rows_by_part(split, scanners), digests, times)
    classes = classes_of_cases(store, split, suite.classes, hash_cache)
    notes = (
        *_check_data_and_collect_notes(checked, classes, context),
        *month_notes(checked.runs, store.slices, context),
    )
    graph = plan_graph(context, checked.runs)
    return Plan(context, graph, store.header, cases_by_part(split, scanners), notes, checked)


def merged_graph(plans: Sequence[Plan]) -> Graph:
    """Stages and runs of several plans; shared stages once."""
    return reduce(Graph.add, (plan.graph for plan in plans))


def notes_of(plans: Sequence[Plan]) -> list[str]:
    """Notes of several plans, each once."""
    return list(dict.fromkeys(note for plan in plans for note in plan.notes))


def _context(
    checked: CheckedSuite,
    rows: Mapping[str, Mapping[str, str]],
    digests: Mapping[tuple[str, str], str],
    times: str,
) -> StageContext:
    suite = checked.suite
    found = (suite.models, suite.strategies, suite.training, checked.kernel_target)
    return StageContext(
        name=suite.name,
        classes=suite.classes,
        image=suite.image,
        training=suite.training,
        models=suite.models,
        strategies=suite.strategies,
        store=store_folder(suite.data),
        scanners=checked.scanners,
        rows=rows,
        digests=digests,
        fingerprint=times,
        environment=find_environment(*found),
        split=suite.split,
        learned_dice=getattr(suite, "learned_dice", {}),
        evaluate=getattr(suite, "evaluate", "all"),
        held_out=checked.held_out,
        margins=getattr(suite, "margins", None),
    )


def _check_data_and_collect_notes(
    checked: CheckedSuite, classes: pd.DataFrame, context: StageContext
) -> tuple[str, ...]:
    try:
        check_classes(classes)
        check_seed_images(checked.runs, context.counts)
    except InputError as error:
        raise InputError(f"{checked.title}: {error}") from None
    suite = checked.suite
    return (
        *device_notes(suite),
        *precision_notes(context),
        *plan_notes(suite, classes, context.counts),
        *seed_curve_notes(checked.runs),
        *update_notes(suite, checked.runs, classes),
    )
