"""Agreement of the area of the first class with the truth, as a figure and a table."""

import pandas as pd

from cl_seg.analysis.areas import agreement_table, shown_agreement
from cl_seg.analysis.figures.areas import bland_altman_figure
from cl_seg.analysis.report.section import ReportData, Section

DEFINITIONS = {
    "limits of agreement": "range that holds 95 % of the differences found − true of patients "
    "(Bland & Altman 1986); bias is their mean",
    "ICC": "absolute agreement of single measurements, ICC(2,1); 1 is perfect",
    "incomplete": "areas of patients whose body goes on beyond the image or the grid of the store; "
    "shown where there are any",
}
CAPTION = (
    "Bland–Altman plot of the area of {name} after the last stage: a dot per test patient, "
    "scanner, order and seed of the first strategy that has any, lines bias and 95 % limits of "
    "agreement of all of them."
)


def bland_altman(data: ReportData) -> Section | None:
    """Differences of the areas against their means."""
    name, areas = _first_class(data)
    if areas.empty:
        return None
    figure = bland_altman_figure(areas, data.results)
    return Section(f"Area of {name}", figures={"areas": (CAPTION.format(name=name), figure)})


def agreement(data: ReportData) -> Section | None:
    """Bias, limits of agreement and ICC, scanner by scanner."""
    name, areas = _first_class(data)
    if areas.empty:
        return None
    table = agreement_table(data.areas)
    return Section(
        f"Area of {name} after the last stage",
        table=shown_agreement(table, name),
        definitions=DEFINITIONS,
        files={"agreement": table},
    )


def _first_class(data: ReportData) -> tuple[str, pd.DataFrame]:
    name, areas = data.results[0].classes[0], data.areas
    return name, areas[areas["class"] == name] if len(areas) else areas
