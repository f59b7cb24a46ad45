"""Networks compared: ranks with intervals, and paired tests of patients."""

from collections import Counter

import pandas as pd

from cl_seg.analysis.figures.ranks import rank_figure
from cl_seg.analysis.ranks import FEW_PATIENTS, paired_tests
from cl_seg.analysis.report.section import ReportData, Section

CAPTION = (
    "Rank of every network by Dice after the last stage, mean over scanners and structures, 1 the "
    "best; bars are 95 % intervals for other patients."
)
CRITICAL = (
    " Networks closer than the grey bar, the critical difference, are not told apart by Nemenyi's "
    "test."
)
TESTS_TITLE = "Networks compared, patient by patient"


def ranks(data: ReportData) -> Section | None:
    """Mean ranks of the networks, a panel per strategy."""
    figure = rank_figure(data.last_dice, data.results[0].stamps)
    if figure is None:
        return None
    networks = Counter(strategy for _, strategy in data.last_dice)
    caption = CAPTION + CRITICAL * (max(networks.values()) > 2)
    return Section("Ranks of networks", figures={"ranks": (caption, figure)})


def tests(data: ReportData) -> Section | None:
    """Paired tests of every two networks."""
    found = paired_tests(data.last_dice)
    if found.empty:
        return None
    return Section(
        TESTS_TITLE, table=shown_tests(found), notes=few_patients(found), files={"tests": found}
    )


def shown_tests(tests: pd.DataFrame) -> pd.DataFrame:
    """The paired tests rounded for reading."""
    return pd.DataFrame({
        "strategy": tests["strategy"],
        "networks": [f"{a} − {b}" for a, b in zip(tests["a"], tests["b"], strict=True)],
        "patients": tests["patients"].astype(str),
        "median difference": tests["median"].map("{:+.3f}".format),
        "p": tests["p"].map("{:.2g}".format),
        "p, Holm": tests["p_holm"].map("{:.2g}".format),
    })  # fmt: skip


def few_patients(tests: pd.DataFrame) -> list[str]:
    """A warning where there are too few patients for such tests to see much."""
    fewest = int(tests["patients"].min())
    if fewest >= FEW_PATIENTS:
        return []
    return [
        f"{TESTS_TITLE}: {fewest} test patients are fewer than {FEW_PATIENTS}; tests of so few "
        "miss what is there."
    ]
