"""Stability against plasticity over the weight of a penalty, where a suite has a grid over it."""

from cl_seg.analysis.figures.penalty_curves import penalty_curve_figure
from cl_seg.analysis.figures.plane import weight_in_accuracy
from cl_seg.analysis.penalty_curves import penalty_curves
from cl_seg.analysis.report.section import ReportData, Section

TITLE = "Stability and plasticity by penalty weight"
CAPTION = (
    "What each penalty keeps (BWT) against what it learns (plasticity) over its weight λ; marks "
    "grow with λ. A small λ is near naive fine-tuning. A large one leaves the weights, but not the "
    "statistics of batch norm, near those of the network of the first scanner, never updated. Rows "
    "that are not evaluable are shown too, and every network has a scale of its own{}."
)


def curves(data: ReportData) -> Section | None:
    """The curves as a figure and a file; None without a grid over the weight of a penalty."""
    table = penalty_curves(data.summary, data.results)
    weight = weight_in_accuracy(data.results)
    figure = penalty_curve_figure(table, weight, data.results[0].caveats)
    if figure is None:
        return None
    caption = CAPTION.format("; on a grey line ACC is the same" * (weight is not None))
    return Section(
        TITLE, figures={"penalty_curves": (caption, figure)}, files={"penalty_curves": table}
    )
