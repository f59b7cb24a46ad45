"""report.html, with the same tables as CSV, Markdown and LaTeX, and the figures as files."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from cl_seg.analysis.areas import (
    CAPTION,
    DEFINITIONS,
    agreement_table,
    area_table,
    bland_altman_figure,
    shown_agreement,
)
from cl_seg.analysis.content import Content
from cl_seg.analysis.figures import as_svg, drawn
from cl_seg.analysis.pairs import is_pairs
from cl_seg.analysis.results import RunResult, load_results, read_plan
from cl_seg.analysis.seed_curve import seed_content
from cl_seg.analysis.stream_report import stream_content
from cl_seg.analysis.tables import markdown
from cl_seg.analysis.tools_table import NOTE, load_tools, shown_tools
from cl_seg.files import InputError, write_bytes, write_text

REPORTED = {"suite", "data", "stages", "device", "processor", "versions", "git_commit"}
TEMPLATE = Path(__file__).with_name("report_template.html")


def write_report(folder: Path, also: Collection[str] = ()) -> Path:
    """Report every finished run below ``folder/runs``.

    Args:
        folder: of the results.
        also: what figures are written as besides SVG: ``pdf``, ``png``.

    Returns:
        Path of ``report.html``; beside it ``summary.md``, whole tables as CSV, the tables of the
        page as ``tables/*.tex`` (for the LaTeX package booktabs) and ``figures``.

    Raises:
        InputError: there is no finished run.
    """
    folder = Path(folder)
    results = load_results(folder)
    for result in results:
        if lacking := REPORTED - result.record.keys():
            raise InputError(
                f"the record of {result.record['run_id']} in {result.folder} lacks {min(lacking)}: "
                "remove it, run again"
            )
    of_seeds = results[0].schedule == "seed_curve"
    content = seed_content(results) if of_seeds else stream_content(results)
    content = _with_tools(_with_areas(content, results), folder)
    notes = [*_missing(folder, results), *_common_notes(results[0]), *content.notes]
    for name, table in content.files.items():
        write_text(folder / f"{name}.csv", table.to_csv(index=False))
    bullets = "\n".join(f"- {note}" for note in notes)
    first, *others = content.tables.items()
    text = f"{markdown(first[1])}\n{bullets}\n"
    text += "".join(f"\n## {title}\n\n{markdown(table)}" for title, table in others)
    write_text(folder / "summary.md", text)
    for title, table in content.tables.items():
        name = re.sub(r"\W+", "_", title).lower()
        write_text(folder / "tables" / f"{name}.tex", table.to_latex(index=False, escape=True))
    pictures = []
    for name, (caption, figure) in content.figures.items():
        pictures.append((caption, as_svg(figure)))
        write_text(folder / "figures" / f"{name}.svg", pictures[-1][1])
        for kind in also:
            write_bytes(folder / "figures" / f"{name}.{kind}", drawn(figure, kind))
    page = folder / "report.html"
    write_text(page, _page(results, content, notes, pictures))
    return page


def _with_areas(content: Content, results: Sequence[RunResult]) -> Content:
    """Agreement of areas with the truth, of the first class, in streams that are no mere pairs."""
    if is_pairs(results) or results[0].schedule == "seed_curve":
        return content
    areas, name = area_table(results), results[0].classes[0]
    if areas.empty:
        return content
    table = agreement_table(areas)
    title = f"Area of {name} after the last stage"
    figure = CAPTION.format(name=name), bland_altman_figure(areas, results, name)
    return replace(
        content,
        tables={**content.tables, title: shown_agreement(table, name)},
        figures={**content.figures, "areas": figure},
        definitions={**content.definitions, **DEFINITIONS},
        files={**content.files, "agreement": table},
    )


def _with_tools(content: Content, folder: Path) -> Content:
    """Semi-automatic tools, where the suite names any."""
    cases = load_tools(folder)
    if cases.empty:
        return content
    return replace(
        content,
        tables={**content.tables, "Semi-automatic tools": shown_tools(cases)},
        notes=[*content.notes, NOTE],
        files={**content.files, "tools": cases},
    )


def _missing(folder: Path, results: Sequence[RunResult]) -> list[str]:
    planned = read_plan(folder)
    missing = [run for run in planned if run not in {r.record["run_id"] for r in results}]
    if not missing:
        return []
    return [f"{len(missing)} of {len(planned)} runs are missing: {', '.join(missing)}."]


def _common_notes(result: RunResult) -> list[str]:
    spec, record = result.record["spec"], result.record
    training = spec["training"]
    return [
        *(f"{stamp[0].upper()}{stamp[1:]}." for stamp in result.stamps),
        f"{training['steps']} steps of {training['batch_size']} slices per stage, "
        f"{spec['image']['size']}² pixels, {record['device']} ({record['processor']}), "
        f"{training['threads']} thread{'s' * (training['threads'] > 1)}.",
    ]


def _page(
    results: Sequence[RunResult],
    content: Content,
    notes: Sequence[str],
    pictures: Sequence[tuple[str, str]],
) -> str:
    record = results[0].record
    simulated = record["data"]["kind"] == "simulated"
    first, *others = content.tables.items()
    section = Template('<h2>$title</h2><div class="wide">$table</div>')
    figure = Template("<figure>$svg<figcaption>$caption</figcaption></figure>")
    return Template(TEMPLATE.read_text()).substitute(
        title=escape(str(record["suite"])),
        stamp="Simulated data" if simulated else "CT scans",
        scanners=escape(_streams(results)),
        runs=len(results),
        summary=section.substitute(title=first[0], table=_html_table(first[1])),
        others="".join(
            section.substitute(title=escape(title), table=_html_table(table))
            for title, table in others
        ),
        notes="".join(f"<li>{escape(note)}</li>" for note in notes),
        definitions="".join(
            f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in content.definitions.items()
        ),
        figures="".join(
            figure.substitute(svg=svg, caption=escape(caption)) for caption, svg in pictures
        ),
        versions=escape(", ".join(f"{k} {v}" for k, v in record["versions"].items())),
        commit=escape(record["git_commit"] or "unknown"),
        content=escape(record["data"]["content"][:16]),
    )


def _streams(results: Sequence[RunResult]) -> str:
    orders = list(dict.fromkeys(tuple(r.order) for r in results if not r.joint))
    names = {k: v for result in results for k, v in result.record["scanner_names"].items()}
    if results[0].schedule == "seed_curve":
        base = " + ".join(names.get(s, s) for s in results[0].record["spec"]["base"])
        return f"{base} → {names[results[0].order[-1]]}"
    if len(orders) == 1 or not orders:
        return " → ".join(names[s] for s in results[0].order)
    return f"{len(orders)} orders of scanners: {', '.join(names.values())}"


def _html_table(shown: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(c))}</th>" for c in shown.columns)
    classes = [' class="verdict"' if column == "verdict" else "" for column in shown.columns]
    rows = []
    previous = None
    for row in shown.itertuples(index=False):
        mark = ' class="first"' if row[0] != previous else ""
        previous = row[0]
        values = "".join(
            f"<td{name}>{escape(str(value))}</td>" for name, value in zip(classes, row, strict=True)
        )
        rows.append(f"<tr{mark}>{values}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
