"""A checked suite and its runs, before its data are read."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.checks import check_batches, check_tools
from cl_seg.planning.data import data_header, store_folder
from cl_seg.planning.grid import plan_runs
from cl_seg.planning.months import scanners_of_months
from cl_seg.planning.runs import Run
from cl_seg.planning.saved_model import fields_of_model
from cl_seg.planning.source import callable_files
from cl_seg.records.model_card import check_grid, read_card
from cl_seg.runtime.static_import import check_target, module_file
from cl_seg.scans.store import Header, check_offers
from cl_seg.spec.from_model import FromModelSuite
from cl_seg.spec.read import AnySuite, read_suite, suite_from
from cl_seg.spec.seed_curve import SeedCurveSuite
from cl_seg.spec.settings import Data
from cl_seg.spec.suite import StreamSuite, Suite
from cl_seg.strategies.registry import STRATEGIES

SuiteSource = Path | str | Mapping[str, Any] | AnySuite
"""A suite file, its content, or a suite."""


@dataclass(frozen=True)
class CheckedSuite:
    """A checked suite and its runs.

    Attributes:
        suite: with defaults filled in.
        file: it was read from, or None.
        header: of its data, whether they are simulated already or not.
        runs: the suite asks for.
        modules: files of the modules it names and those they import from beside them.
        kernel_target: of the machine that will compute it, "" for this machine's.
    """

    suite: AnySuite
    file: Path | None
    header: Header
    runs: list[Run]
    modules: Mapping[str, Path]
    kernel_target: str = ""

    @property
    def title(self) -> str:
        """Prefix of error messages: file or name."""
        return str(self.file or self.suite.name)

    @property
    def held_out(self) -> list[str]:
        """The scanners that its runs are tested on and never trained on."""
        return [] if isinstance(self.suite, SeedCurveSuite) else self.suite.held_out

    @property
    def scanners(self) -> list[str]:
        """The scanners its runs use."""
        used = {scanner for run in self.runs for scanner in (*run.order, *self.held_out)}
        return sorted(
            used.union(*(run.seed_images.base_scanners for run in self.runs if run.seed_images))
        )

    def check_modules(self) -> None:
        """Refuse modules that another suite, read since, has too under the same names.

        Raises:
            InputError: naming the module.
        """
        for name, path in self.modules.items():
            if module_file(name) != path:
                raise InputError(
                    f"{self.title}: the module {name} is {path}, but {module_file(name)} for "
                    "another suite given with it: run them one by one, or rename one"
                )


def check_suite(
    given: SuiteSource, data: Path | None = None, kernel_target: str = ""
) -> CheckedSuite:
    """Read a suite and list its runs.

    Args:
        given: suite file, its content, or a suite. ``module:callable`` is looked for beside the
            file, without one in the current folder.
        data: a store that replaces the suite's own data.
        kernel_target: of the machine that will compute it, from
            :func:`cl_seg.planning.environment.kernel_target_of` there; "" for this machine's.

    Raises:
        InputError: the suite is wrong, or its data do not fit.
    """
    file = Path(given) if isinstance(given, Path | str) else None
    suite = parse_suite(given, data)
    title = file or Path(suite.name)
    _add_to_path(file.resolve().parent if file else Path.cwd())
    modules: dict[str, Path] = {}
    for target in _targets(suite):
        check_target(target, title)
        modules |= callable_files(target)
    if kernel_target and suite.training.device == "auto":
        raise InputError(
            f"{title}: training.device is auto, which looks at this machine: say cpu or cuda where "
            "another processor computes"
        )
    header = data_header(suite.data)
    try:
        scanners = list(header.scanners)
        months = scanners_of_months(suite, scanners) if isinstance(suite, StreamSuite) else ()
        runs = plan_runs(suite, scanners, months)
        check_tools(suite)
        check_batches(suite, runs)
    except InputError as error:
        raise InputError(f"{title}: {error}") from None
    location = Path("data.phantom") if suite.data.phantom else store_folder(suite.data)
    check_offers(header, location, suite.classes, suite.image.size)
    if isinstance(suite, FromModelSuite) and suite.model:
        check_grid(location, header.grid, read_card(Path(suite.model)), Path(suite.model))
    return CheckedSuite(suite, file, header, runs, modules, kernel_target)


def _targets(suite: Suite) -> list[str]:
    """Every ``module:callable`` of a suite."""
    models = [name for model in suite.models for name in (model.name, model.loader)]
    return [name for name in [*models, *(s.name for s in suite.strategies)] if ":" in name]


def parse_suite(given: SuiteSource, data: Path | None = None) -> AnySuite:
    """Read and check a suite against the registered networks and strategies.

    Args:
        given: suite file, its content, or a suite.
        data: a store that replaces the suite's own data.

    Raises:
        InputError: every problem at once.
    """
    if isinstance(given, Path | str):
        return read_suite(Path(given), NETWORKS, STRATEGIES, data, fields_of_model)
    suite = (
        suite_from(given, NETWORKS, STRATEGIES, fields_of_model)
        if isinstance(given, Mapping)
        else given
    )
    return suite if data is None else suite.model_copy(update={"data": Data(store=data)})


def _add_to_path(folder: Path) -> None:
    """Let ``module:callable`` name modules of a folder."""
    sys.path[:] = [str(folder), *(other for other in sys.path if other != str(folder))]
