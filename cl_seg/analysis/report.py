"""report.html, with the same tables as CSV, Markdown and LaTeX, and the figures as files."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

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
from cl_seg.analysis.figures.style import as_svg, drawn
from cl_seg.analysis.page import Page, html
from cl_seg.analysis.pairs import is_pairs
from cl_seg.analysis.provenance import provenance, settings_of, stamp_of
from cl_seg.analysis.published import read_published, with_published
from cl_seg.analysis.seed_curve import seed_content
from cl_seg.analysis.stream_report import stream_content
from cl_seg.analysis.tables import markdown
from cl_seg.analysis.tools_table import NOTE, load_tools, shown_tools
from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_bytes, write_json
from cl_seg.messages.plural import counted
from cl_seg.records.load import load_results, read_plan
from cl_seg.records.results import RunResult

MOST_NAMED = 8  # missing runs
WRITTEN = "report_files.json"


def write_report(folder: Path, also: Collection[str] = (), published: Path | None = None) -> Path:
    """Report every finished run below ``folder/runs``.

    Args:
        folder: of the results.
        also: what figures are written as besides SVG: ``pdf``, ``png``.
        published: file of published values, see :func:`cl_seg.analysis.published.read_published`.

    Returns:
        Path of ``report.html``; beside it ``summary.md``, whole tables as CSV, the tables of the
        page as ``tables/*.tex`` (for the LaTeX package booktabs) and ``figures``, and
        ``report_files.json``, by which the next report knows what to remove.

    Raises:
        InputError: there is no finished run, or the file of published values is at fault.
    """
    folder = Path(folder)
    known = read_published(published) if published else None
    results = load_results(folder)
    of_seeds = results[0].schedule == "seed_curve"
    content = seed_content(results) if of_seeds else stream_content(results)
    tools = load_tools(folder)
    content = _with_tools(_with_areas(content, results), tools)
    if known is not None:
        content = with_published(content, known, results, tools)
    notes = [*_missing(folder, results), *_common_notes(results[0]), *_patients(results)]
    notes += content.notes
    stamps = results[0].stamps
    # All is drawn before anything is written: a report that is stopped leaves the one before it.
    files: dict[Path, str | bytes] = {}
    for name, table in content.files.items():
        whole = table if "stamp" in table else table.assign(stamp="; ".join(stamps))
        files[folder / f"{name}.csv"] = whole.to_csv(index=False)
    bullets = "\n".join(f"- {note}" for note in notes)
    first, *others = content.tables.items()
    text = f"{markdown(first[1])}\n{bullets}\n"
    text += "".join(f"\n## {title}\n\n{markdown(table)}" for title, table in others)
    files[folder / "summary.md"] = text
    for title, table in content.tables.items():
        name = re.sub(r"\W+", "_", title).lower()
        said = "".join(f"\\par\\noindent\\footnotesize {stamp}\n" for stamp in stamps)
        latex = table.to_latex(index=False, escape=True) + said
        files[folder / "tables" / f"{name}.tex"] = latex
    pictures = []
    for name, (caption, figure) in content.figures.items():
        pictures.append((caption, as_svg(figure)))
        files[folder / "figures" / f"{name}.svg"] = pictures[-1][1]
        for kind in also:
            files[folder / "figures" / f"{name}.{kind}"] = drawn(figure, kind)
    page = folder / "report.html"
    shown = Page(
        title=results[0].record.suite,
        stamp=stamp_of(results),
        about=f"{counted(len(results), 'run')} · {_streams(results)}",
        tables=content.tables,
        notes=notes,
        pictures=pictures,
        definitions=content.definitions,
        provenance=provenance(results, "cl-seg report"),
        settings=settings_of(results),
    )
    files[page] = html(shown)
    for path, made in files.items():
        write_bytes(path, made.encode() if isinstance(made, str) else made)
    _remove_older(folder, files)
    return page


def _remove_older(folder: Path, written: Collection[Path]) -> None:
    """Remove what the report before wrote and this one did not: it would be of other runs.

    Which that is, a list beside it says: files of others in the same folders are left alone.
    """
    names = sorted(str(path.relative_to(folder)) for path in written)
    with suppress(OSError, ValueError, TypeError):  # no report before, or one without a list
        before = read_json(folder / WRITTEN)
        for name in set(map(str, before)) - set(names):
            path = folder / name
            if path.parent in {folder, folder / "tables", folder / "figures"}:
                path.unlink(missing_ok=True)
    write_json(folder / WRITTEN, names)


def _with_areas(content: Content, results: Sequence[RunResult]) -> Content:
    """Agreement of areas with the truth, of the first class, in streams that are no mere pairs."""
    if is_pairs(results) or results[0].schedule == "seed_curve":
        return content
    areas, name = area_table(results), results[0].classes[0]
    if areas.empty or name not in set(areas["class"]):
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


def _with_tools(content: Content, cases: pd.DataFrame) -> Content:
    """Semi-automatic tools, where the suite names any."""
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
    missing = [run for run in planned if run not in {r.run_id for r in results}]
    if not missing:
        return []
    more = [f"{len(missing) - MOST_NAMED} more"] if len(missing) > MOST_NAMED else []
    named = ", ".join([*missing[:MOST_NAMED], *more])
    return [f"{len(missing)} of {counted(len(planned), 'run is', 'runs are')} missing: {named}."]


def _common_notes(result: RunResult) -> list[str]:
    record, spec = result.record, result.record.spec
    return [
        *(f"{stamp[0].upper()}{stamp[1:]}." for stamp in result.stamps),
        f"{counted(spec.training.steps, 'step')} of "
        f"{counted(spec.training.batch_size, 'slice')} per stage, "
        f"networks see {spec.image.size}² pixels, {record.device} ({record.processor}), "
        f"{counted(spec.training.threads, 'thread')}.",
    ]


def _patients(results: Sequence[RunResult]) -> list[str]:
    """How many test patients every scanner has, and a warning where that is one."""
    counts: dict[str, int] = {}
    first: dict[tuple[str, ...], RunResult] = {}
    for run in results:
        first.setdefault(tuple(run.order), run)
    for run in first.values():
        own = run.cases.groupby("scanner")["patient"].nunique()
        counts |= {run.short_names[scanner]: int(own.get(scanner, 0)) for scanner in run.order}
    notes = [f"Test patients: {', '.join(f'{n} on {name}' for name, n in counts.items())}."]
    if alone := [name for name, count in counts.items() if count == 1]:
        notes.append(
            f"Dice on {', '.join(alone)} is that of 1 test patient: it says little of others."
        )
    return notes


def _streams(results: Sequence[RunResult]) -> str:
    orders = list(dict.fromkeys(tuple(r.order) for r in results if not r.joint))
    names = {k: v for result in results for k, v in result.record.scanner_names.items()}
    if (images := results[0].record.spec.seed_images) is not None:
        base = " + ".join(names.get(s, s) for s in images.base)
        return f"{base} → {names[results[0].order[-1]]}"
    if len(orders) == 1 or not orders:
        return " → ".join(names[s] for s in results[0].order)
    scanners = dict.fromkeys(names[scanner] for order in orders for scanner in order)
    return f"{len(orders)} orders of {counted(len(scanners), 'scanner')}: {', '.join(scanners)}"
