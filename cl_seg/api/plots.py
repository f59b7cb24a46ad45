"""The figures of a report, one by one."""

import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cl_seg.analysis.claims.judge import judge, results_of
from cl_seg.analysis.claims.read import read_claims
from cl_seg.analysis.claims.text import caveats_of_runs
from cl_seg.analysis.figures import curves, heat_maps
from cl_seg.analysis.figures.claims import claims_figure
from cl_seg.analysis.figures.drop_maps import joint_differences
from cl_seg.analysis.figures.plane import stability_plane
from cl_seg.analysis.figures.seed_curves import seed_curves
from cl_seg.analysis.positions import by_position
from cl_seg.analysis.seed_curve import seed_curve_runs, seed_curve_table
from cl_seg.analysis.tables import run_table, summary_table
from cl_seg.analysis.update.summary import refuse_updates
from cl_seg.api.stores import AnyPath
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult


class Plots:
    """Figures of some runs, as matplotlib Figures.

    Args:
        runs: finished runs of one suite.
        folder: folder of their results.

    Raises:
        InputError: the results lack the data of a figure; the message says which.

    Examples:
        >>> import cl_seg
        >>> results = cl_seg.load_results("results/quick")
        >>> results.plot.forgetting().savefig("forgetting.svg")
    """

    def __init__(self, runs: Sequence[RunResult], folder: Path) -> None:
        self.runs, self.folder = list(runs), folder
        _show_in_notebooks()

    def forgetting(self) -> Figure:
        """Test Dice on each scanner over the stream."""
        return _drawn(curves.forgetting_curves(self._streams()), "every run trains jointly")

    def R(self) -> Figure:
        """Accuracy matrices: Dice on each scanner (columns) after each experience (rows)."""
        return heat_maps.heat_maps(self._streams())

    def joint_differences(self) -> Figure:
        """Dice points below joint training on every scanner after the last stage."""
        return _drawn(joint_differences(self._streams()), "the suite has no joint training")

    def orders(self) -> Figure:
        """Mean Dice over the scanners learned so far, a line per order of scanners."""
        return _drawn(curves.order_fans(self._streams()), "the suite has one order of scanners")

    def plane(self) -> Figure:
        """Stability (BWT) against plasticity of every network and strategy."""
        runs = self._streams()
        figure = stability_plane(summary_table(run_table(runs), runs), runs)
        return _drawn(figure, "no network has learned all its scanners (not evaluable)")

    def validation(self) -> Figure:
        """Validation Dice while training, of the first run of every network and strategy."""
        figure = curves.validation_curves(self._streams())
        return _drawn(figure, "nothing was validated while training (`curve_every` is 0)")

    def seed_curve(self) -> Figure:
        """Dice on a new scanner against the number of labelled slices of it (SEED images)."""
        if self.runs[0].training_regime != "seed_curve":
            raise InputError(f"{self.folder} is of a stream of scanners, not a SEED curve")
        return seed_curves(seed_curve_table(seed_curve_runs(self.runs)), self.runs)

    def claims(self, claims: AnyPath, folder: AnyPath | None = None) -> Figure:
        """Every contrast of every claim with its 95 % interval.

        Args:
            claims: file of claims (YAML).
            folder: folder that holds a folder of results per suite; by default the one above these
                results.
        """
        where = self.folder.parent if folder is None else Path(folder)
        judged = judge(read_claims(Path(claims)), where)
        runs = [run for suite in results_of(judged, where).values() for run in suite]
        return _drawn(claims_figure(judged, caveats_of_runs(runs)), "no claim could be judged")

    def __repr__(self) -> str:
        names = [name for name in vars(type(self)) if not name.startswith("_")]
        return f"Plots({str(self.folder)!r}): {', '.join(names)}"

    def _streams(self) -> list[RunResult]:
        if self.runs[0].training_regime == "seed_curve":
            raise InputError(f"{self.folder} is of a SEED curve, not a stream of scanners")
        refuse_updates(self.runs)
        return by_position(self.runs)


def _drawn(figure: Figure | None, otherwise: str) -> Figure:
    if figure is None:
        raise InputError(f"there is nothing to draw: {otherwise}")
    return figure


def _show_in_notebooks() -> None:
    """Let a notebook draw figures that were made without pyplot."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return
    if Figure not in shell.display_formatter.formatters["image/png"]:
        from IPython.core.pylabtools import select_figure_formats  # noqa: PLC0415

        select_figure_formats(shell, {"png"})  # type: ignore[no-untyped-call]
