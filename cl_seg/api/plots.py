"""The figures of a report, one by one."""

import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cl_seg.analysis.claims.claim import read_claims
from cl_seg.analysis.claims.judge import judge
from cl_seg.analysis.claims.report import claims_figure
from cl_seg.analysis.figures import curves, heat_maps
from cl_seg.analysis.figures.plane import stability_plane
from cl_seg.analysis.figures.seed_curves import seed_curves
from cl_seg.analysis.seed_curve import seed_cells, seed_table
from cl_seg.analysis.tables import cells, run_table, summary_table
from cl_seg.api.stores import AnyPath
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult


class Plots:
    """Figures of some runs, as matplotlib Figures.

    Args:
        runs: finished runs of one suite.
        folder: of their results.

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
        return curves.forgetting_curves(cells(self._streams()))

    def R(self) -> Figure:
        """Accuracy matrices: Dice on each scanner (columns) after each stage (rows)."""
        return heat_maps.heat_maps(cells(self._streams()))

    def joint_differences(self) -> Figure:
        """Dice points below joint training on every scanner after the last stage.

        Raises:
            InputError: the suite has no joint training.
        """
        runs = self._streams()
        if not any(run.joint for run in runs):
            raise InputError("the suite has no joint training to compare with")
        return heat_maps.joint_differences(cells(runs))

    def orders(self) -> Figure:
        """Mean Dice over the scanners learned so far, a line per order of scanners."""
        return curves.order_fans(cells(self._streams()))

    def plane(self) -> Figure:
        """Stability (BWT) against plasticity of every network and strategy."""
        runs = self._streams()
        lengths = {len(run.order) for run in runs}
        scanners = max(lengths) if len(lengths) == 1 else 0
        return stability_plane(summary_table(run_table(runs), runs), scanners, runs[0].stamps)

    def validation(self) -> Figure:
        """Validation Dice while training, of the first run of every network and strategy.

        Raises:
            InputError: nothing was validated.
        """
        first = [own[0] for own in cells(self._streams()).values()]
        runs = [run for run in first if len(run.curve) and not run.joint]
        if not runs:
            raise InputError(
                "nothing was validated while training: `curve_every` of the suite is 0"
            )
        return curves.validation_curves(runs)

    def seed_curve(self) -> Figure:
        """Dice on a new scanner against the number of labelled slices of it (SEED images).

        Raises:
            InputError: the suite is no seed curve.
        """
        first = self.runs[0]
        if first.schedule != "seed_curve":
            raise InputError(f"{self.folder} is of a stream of scanners, not a SEED curve")
        return seed_curves(seed_table(seed_cells(self.runs)), first.classes, first.stamps)

    def claims(self, claims: AnyPath, folder: AnyPath | None = None) -> Figure:
        """Every contrast of every claim with its 95 % interval.

        Args:
            claims: file of claims (YAML).
            folder: with a folder of results per suite; by default the one these results are in.

        Raises:
            InputError: the claims are wrong, or results are damaged.
        """
        where = self.folder.parent if folder is None else Path(folder)
        return claims_figure(judge(read_claims(Path(claims)), where))

    def __repr__(self) -> str:
        names = [name for name in vars(type(self)) if not name.startswith("_")]
        return f"Plots({str(self.folder)!r}): {', '.join(names)}"

    def _streams(self) -> list[RunResult]:
        if self.runs[0].schedule == "seed_curve":
            raise InputError(f"{self.folder} is of a SEED curve, not a stream of scanners")
        return self.runs


def _show_in_notebooks() -> None:
    """Let a notebook draw figures that were made without pyplot."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return
    if Figure not in shell.display_formatter.formatters["image/png"]:
        from IPython.core.pylabtools import select_figure_formats  # noqa: PLC0415

        select_figure_formats(shell, {"png"})  # type: ignore[no-untyped-call]
