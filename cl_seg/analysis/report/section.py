"""A section of a report, and the data that sections are made from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from cl_seg.analysis.areas import area_table
from cl_seg.analysis.published import PublishedValue
from cl_seg.analysis.ranks import last_dice_by_configuration
from cl_seg.analysis.seed_curve import SeedConfiguration, seed_curve_runs, seed_curve_table
from cl_seg.analysis.tables import run_table, runs_by_configuration, summary_table
from cl_seg.records.results import RunResult


@dataclass(frozen=True)
class Section:
    """A heading with a table and figures below it, and what they need elsewhere on the page.

    One without table and figures has no heading: it adds notes alone.

    Attributes:
        title: heading of the section.
        table: rounded for reading.
        figures: name of the file → caption and figure.
        notes: sentences; those of all sections stand below the first heading.
        definitions: term → its meaning, for the foot of the page.
        files: name of a CSV file → whole table, not rounded.
    """

    title: str
    table: pd.DataFrame | None = None
    figures: Mapping[str, tuple[str, Figure]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        """Address of the heading on the page, and name of the LaTeX file of the table."""
        return re.sub(r"\W+", "_", self.title).lower()

    @property
    def short_title(self) -> str:
        """The title up to a colon, for the list of contents."""
        return self.title.partition(":")[0]

    @property
    def has_heading(self) -> bool:
        """True where there is a table or a figure to show."""
        return self.table is not None or bool(self.figures)


@dataclass(frozen=True)
class Explorer:
    """The interactive part of a page: nothing unless a report has one.

    Attributes:
        place: element that its scripts fill, hidden until they do.
        scripts: elements with data, library and scripts.
        style: rules of CSS.
        credit: who made the library, for the foot of the page.
    """

    place: str = ""
    scripts: str = ""
    style: str = ""
    credit: str = ""


def figure_section(title: str, name: str, caption: str, figure: Figure | None) -> Section | None:
    """A section of one figure; None without it."""
    return None if figure is None else Section(title, figures={name: (caption, figure)})


@dataclass(frozen=True)
class ReportData:
    """Finished runs of a suite, and the tables that several sections are made from.

    Attributes:
        results: the runs, in the order of the suite; of replicates by position in the stream, see
            :mod:`cl_seg.analysis.positions`.
        tools: per-case scores of semi-automatic tools; empty without any.
        published: values to set beside those of the runs.
        planned: identifiers of all runs of the suite, finished or not.
        own_scanners: the runs with the scanners of each.
    """

    results: Sequence[RunResult]
    tools: pd.DataFrame = field(default_factory=pd.DataFrame)
    published: Sequence[PublishedValue] = ()
    planned: Sequence[str] = ()
    own_scanners: Sequence[RunResult] = ()

    @property
    def replicates(self) -> bool:
        """True where the suite has replicates in the place of orders and seeds."""
        return bool(self.results[0].replicate)

    @cached_property
    def runs_by_configuration(self) -> dict[tuple[str, str], list[RunResult]]:
        """Runs by network and strategy."""
        return runs_by_configuration(self.results)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row per run."""
        return run_table(self.results)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row per network and strategy."""
        return summary_table(self.runs, self.results)

    @cached_property
    def last_dice(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Dice of patients after the last stage, but of networks that know one scanner each."""
        compared = {
            configuration: own
            for configuration, own in self.runs_by_configuration.items()
            if own[0].training_regime != "single"
        }
        return last_dice_by_configuration(compared)

    @cached_property
    def areas(self) -> pd.DataFrame:
        """Areas of all classes after the last stage; empty where none was measured."""
        return area_table(self.results)

    @property
    def first_class(self) -> tuple[str, pd.DataFrame]:
        """Name and areas of the first class."""
        name, areas = self.results[0].classes[0], self.areas
        return name, areas[areas["class"] == name] if len(areas) else areas

    @cached_property
    def seed_curve_runs(self) -> dict[SeedConfiguration, list[RunResult]]:
        """Runs of a SEED curve by network, strategy, choice of slices and their number."""
        return seed_curve_runs(self.results)

    @cached_property
    def seed_curve_table(self) -> pd.DataFrame:
        """A row per network, strategy, choice of slices and their number."""
        return seed_curve_table(self.seed_curve_runs)
