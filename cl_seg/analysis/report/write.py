"""Writes the report of a suite: page, summary, tables and figures."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from cl_seg.analysis.figures.style import as_svg, rendered
from cl_seg.analysis.positions import by_position
from cl_seg.analysis.published import read_published
from cl_seg.analysis.report.page import Page, html
from cl_seg.analysis.report.provenance import data_origin, provenance, settings_of
from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.report.suite_report import suite_report_of
from cl_seg.analysis.tables import markdown
from cl_seg.analysis.tools_table import load_tools
from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_bytes, write_json
from cl_seg.messages.plural import counted
from cl_seg.records.load import load_results, read_plan

PAGE = "report.html"
WRITTEN = "report_files.json"


def write_report(
    folder: Path, extra_formats: Collection[str] = (), published: Path | None = None
) -> Path:
    """Report every finished run below ``folder/runs``.

    Args:
        folder: folder of the results.
        extra_formats: formats of the figures besides SVG: ``pdf``, ``png``.
        published: file of published values, see :func:`cl_seg.analysis.published.read_published`.

    Returns:
        Path of ``report.html``; beside it ``summary.md``, whole tables as CSV, the tables of the
        page as ``tables/*.tex`` (for the LaTeX package booktabs) and ``figures``, and
        ``report_files.json``, by which the next report knows which files to remove.

    Raises:
        InputError: there is no finished run, or the file of published values is at fault.
    """
    folder = Path(folder)
    values = read_published(published) if published else []
    runs = load_results(folder)
    results = by_position(runs)
    suite_report = suite_report_of(results)
    data = ReportData(results, load_tools(folder), values, list(read_plan(folder)), runs)
    sections = [section for make in suite_report.sections if (section := make(data)) is not None]
    figures = [item for section in sections for item in section.figures.items()]
    svg = {name: as_svg(figure) for name, (_, figure) in figures}
    # All is drawn before anything is written: a report that is stopped leaves the one before it.
    files: dict[str, str | bytes] = {
        **_tables(sections, results[0].caveats),
        **{f"figures/{name}.svg": text for name, text in svg.items()},
        **{
            f"figures/{name}.{suffix}": rendered(figure, suffix)
            for name, (_, figure) in figures
            for suffix in extra_formats
        },
    }
    page = Page(
        title=results[0].record.suite,
        data_origin=data_origin(results),
        subtitle=f"{counted(len(results), 'run')} · {suite_report.describe_scanners(runs)}",
        sections=sections,
        svg=svg,
        provenance=provenance(results, "cl-seg report"),
        settings=settings_of(runs),
        headline=suite_report.headline(data) if suite_report.headline else {},
        files=list(files),
        explorer=suite_report.explore(data) if suite_report.explore else None,
    )
    files[PAGE] = html(page)
    for name, made in files.items():
        write_bytes(folder / name, made.encode() if isinstance(made, str) else made)
    _remove_older(folder, files)
    return folder / PAGE


def _tables(sections: Sequence[Section], caveats: Sequence[str]) -> dict[str, str]:
    """Name → text of the tables as CSV, Markdown and LaTeX."""
    files = {}
    whole = chain.from_iterable(section.files.items() for section in sections)
    for name, table in whole:
        labelled = table if "stamp" in table else table.assign(stamp="; ".join(caveats))
        files[f"{name}.csv"] = labelled.to_csv(index=False)
    shown = [(section, section.table) for section in sections if section.table is not None]
    said = "".join(f"\\par\\noindent\\footnotesize {caveat}\n" for caveat in caveats)
    for section, table in shown:
        files[f"tables/{section.anchor}.tex"] = table.to_latex(index=False, escape=True) + said
    notes = chain.from_iterable(section.notes for section in sections)
    first, *others = shown
    text = f"{markdown(first[1])}\n" + "".join(f"- {note}\n" for note in notes)
    text += "".join(f"\n## {section.title}\n\n{markdown(table)}" for section, table in others)
    return {**files, "summary.md": text}


def _remove_older(folder: Path, written: Collection[str]) -> None:
    """Remove what the report before wrote and this one did not: it would be of other runs.

    A list beside it says which files those are: files of others in the same folders are left alone.
    """
    with suppress(OSError, ValueError, TypeError):  # no report before, or one without a list
        before = read_json(folder / WRITTEN)
        for name in set(map(str, before)) - set(written):
            path = folder / name
            if path.parent in {folder, folder / "tables", folder / "figures"}:
                path.unlink(missing_ok=True)
    write_json(folder / WRITTEN, sorted(written))
