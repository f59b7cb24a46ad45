"""Semi-automatic tools, where a suite names any."""

from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.tools_table import shown_tools

NOTE = (
    "Semi-automatic tools: the person is simulated, clicks and polygons come from the truth and "
    "are optimistic; textbook methods, no commercial product. Corners of polygons count as "
    "interactions."
)


def tools(data: ReportData) -> Section | None:
    """Scores and effort of every tool."""
    if data.tools.empty:
        return None
    return Section(
        "Semi-automatic tools",
        table=shown_tools(data.tools),
        notes=[NOTE],
        files={"tools": data.tools},
    )
