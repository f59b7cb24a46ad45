"""Results of a suite, as tables, matrices and figures."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cl_seg.api.display import html_page
from cl_seg.api.run_lookup import mean_matrix, runs_of, with_columns
from cl_seg.api.stores import AnyPath
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.records.load import load_results as load_runs
from cl_seg.records.packed import pack_results
from cl_seg.records.results import RunResult

if TYPE_CHECKING:
    from cl_seg.api.plots import Plots


class Results:
    """The finished runs of a suite.

    Args:
        folder: folder of the results.
        runs: finished runs, in the order of the suite.
        failures: run that failed → reason, where these results come from :func:`cl_seg.run`.

    Attributes:
        folder: folder of the results.
        runs: one typed record per run.
        failures: run that failed → reason.
    """

    def __init__(
        self, folder: Path, runs: Sequence[RunResult], failures: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.runs, self.failures = folder, list(runs), dict(failures or {})

    @property
    def networks(self) -> list[str]:
        """Titles of the networks."""
        return list(dict.fromkeys(run.network for run in self.runs))

    @property
    def strategies(self) -> list[str]:
        """Titles of the strategies."""
        return list(dict.fromkeys(run.strategy for run in self.runs))

    def summary(self, rounded: bool = False) -> pd.DataFrame:
        """The report's table: a row per network and strategy, the mean over orders and seeds.

        Of an update, a row per candidate and scanner: Dice before and after, the mean over seeds.

        Args:
            rounded: as text for reading, with the intervals behind the scores; else numbers, as
                ``summary.csv`` has them. Scores are explained in docs/metrics.md.
        """
        if self._is_seed_curve:
            from cl_seg.analysis.seed_curve import (  # noqa: PLC0415 - matplotlib, slow
                seed_curve_runs,
                seed_curve_table,
                shown_seed_curve_table,
            )

            table = seed_curve_table(seed_curve_runs(self.runs))
            return shown_seed_curve_table(table, self.runs[0].classes) if rounded else table
        if self.is_update:
            from cl_seg.analysis.update.summary import update_table  # noqa: PLC0415

            table = update_table(self.runs)
            return table.round(3) if rounded else table
        from cl_seg.analysis.tables import (  # noqa: PLC0415 - scipy, slow
            run_table,
            shown_table,
            summary_table,
        )

        table = summary_table(run_table(self.runs), self.runs)
        return shown_table(table) if rounded else table

    @cached_property
    def cases(self) -> pd.DataFrame:
        """A row per run, stage, case and class: Dice, distances in mm, areas in pixels and cm².

        Stage i is the network after training on experience i of the stream, 0 the untrained one.
        """
        return pd.concat([with_columns(run, run.cases) for run in self.runs], ignore_index=True)

    @cached_property
    def curve(self) -> pd.DataFrame:
        """A row per run, stage, step, scanner and class: Dice on validation slices."""
        tables = [with_columns(run, run.curve) for run in self.runs]
        return pd.concat([t for t in tables if len(t)] or tables, ignore_index=True)

    def R(
        self,
        network: str,
        strategy: str,
        seed: int | None = None,
        class_name: str | None = None,
        order: int | None = None,
        held_out: bool = False,
    ) -> pd.DataFrame:
        """Accuracy matrix: test Dice on every scanner (columns) after each experience (rows).

        Args:
            network: title or label of the network, ``VNet`` or ``vnet``.
            strategy: title or label of the strategy, ``EWC`` or ``ewc``.
            seed: random seed of the run; the mean over seeds by default.
            class_name: class of the masks; the mean over all by default.
            order: number of the order of scanners, or of the replicate, from 1; by default the
                first order, or the mean over replicates by position in the stream.
            held_out: True for the scanners held out, which no experience trains on, as columns.

        Returns:
            Rows untrained and after each experience, columns scanners by their first visits.

        Raises:
            InputError: there is no such run; the message lists those there are.

        Examples:
            >>> import cl_seg
            >>> results = cl_seg.load_results("results/quick")
            >>> results.R("VNet", "EWC").shape
            (3, 2)
            >>> results.R("VNet", "EWV")
            Traceback (most recent call last):
            ...
            cl_seg.messages.errors.InputError: strategy 'EWV': expected one of Naive, EWC
        """
        if self._is_seed_curve:
            raise InputError(f"{self.folder} is of a SEED curve, which has no R: see summary()")
        if self.is_update:
            raise InputError(f"{self.folder} is of an update, which has no R: see summary()")
        return mean_matrix(runs_of(self.runs, network, strategy, seed), order, class_name, held_out)

    @property
    def plot(self) -> "Plots":
        """Figures: ``plot.forgetting()``, ``plot.R()``, …, see :class:`cl_seg.api.plots.Plots`."""
        from cl_seg.api.plots import Plots  # noqa: PLC0415 - matplotlib, slow

        return Plots(self.runs, self.folder)

    def report(self, extra_formats: Sequence[str] = (), published: AnyPath | None = None) -> Path:
        """Write ``report.html``, tables and figures to the folder of the results.

        Args:
            extra_formats: formats of figures besides SVG, of ``pdf`` and ``png``.
            published: CSV file of published values to set beside ours.

        Returns:
            Path of the page.
        """
        from cl_seg.analysis.report.write import write_report  # noqa: PLC0415 - matplotlib, slow

        return write_report(
            self.folder, extra_formats, None if published is None else Path(published)
        )

    def save_model(
        self,
        network: str,
        strategy: str,
        folder: AnyPath,
        seed: int | None = None,
        cache: AnyPath = "data/stages",
    ) -> None:
        """Save the network of a run as it is at the end, for :func:`cl_seg.load_model`.

        Args:
            network: title or label of the network.
            strategy: title or label of the strategy.
            folder: model folder to make.
            seed: random seed of the run; the first one by default.
            cache: folder of finished stages, with the run's last training.

        Raises:
            InputError: no such run, or its training is no longer in the cache.
        """
        from cl_seg.suite.cache import StageCache  # noqa: PLC0415
        from cl_seg.suite.run_model import save_run_model  # noqa: PLC0415 - torch, slow

        run = runs_of(self.runs, network, strategy, seed)[0]
        save_run_model(self.folder / "runs" / run.run_id, Path(folder), StageCache(Path(cache)))

    def pack(self, folder: AnyPath) -> int:
        """Keep the numbers of all runs in a few small files that can be shared.

        Returns:
            The number of runs.
        """
        return pack_results(self.folder, Path(folder))

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        runs, failed = counted(len(self.runs), "run"), len(self.failures)
        subjects = f"{counted(len(self.networks), 'network')} and "
        subjects += counted(len(self.strategies), "strategy", "strategies")
        return f"Results({str(self.folder)!r}): {runs} of {subjects}" + f", {failed} failed" * bool(
            failed
        )

    def _repr_html_(self) -> str:
        return html_page(repr(self), *self.runs[0].caveats, self.summary(rounded=True))

    @property
    def is_update(self) -> bool:
        """True where the runs are updates of a saved model."""
        return self.runs[0].training_regime == "update"

    @property
    def _is_seed_curve(self) -> bool:
        return self.runs[0].training_regime == "seed_curve"


def load_results(folder: AnyPath, *, failures: Mapping[str, str] | None = None) -> Results:
    """The finished runs of a suite, packed or not.

    Args:
        folder: folder of the results, ``results/<name of the suite>``.
        failures: run that failed → reason.

    Raises:
        InputError: there is no finished run, or one is damaged.

    Examples:
        >>> import cl_seg
        >>> results = cl_seg.load_results("results/quick")
        >>> results.summary()[["model", "strategy", "runs"]].values.tolist()[0]
        ['VNet', 'Naive', 1]
        >>> sorted(results.cases["seed"].unique().tolist())
        [0]
    """
    return Results(Path(folder), load_runs(Path(folder)), failures)
