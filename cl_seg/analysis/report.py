"""report.html, with the same tables as CSV and Markdown and the figures as SVG."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from cl_seg.analysis import figures
from cl_seg.analysis.pairs import (
    LOSSES,
    is_pairs,
    pair_losses,
    pair_matrix,
    pair_summary,
)
from cl_seg.analysis.results import RunResult, load_results, read_plan
from cl_seg.analysis.tables import (
    NOT_EVALUABLE,
    cells,
    difference_table,
    markdown,
    run_table,
    shown_costs,
    shown_differences,
    shown_table,
    summary_table,
)
from cl_seg.files import write_text

PAIRS_CAPTION = (
    "Dice points lost by every ordered pair of scanners, mean over seeds. All are differences from "
    "the Dice of the model trained on the scanner of the row, there. Transfer: its Dice on the "
    "scanner of the column. Joint: the Dice there of the model trained on all scanners together. "
    "Forgetting: its Dice on the scanner of the row after training on that of the column."
)
TEMPLATE = Path(__file__).with_name("report_template.html")
DEFINITIONS = {
    "ACC": "mean Dice over all scanners after the last stage",
    "BWT": "mean change of Dice on a scanner from right after learning it to the end; "
    "negative is forgetting",
    "FWT": "mean gain over the untrained model on a scanner not yet learned",
    "forgetting": "mean drop from the best Dice ever had before the last stage; biased upwards "
    "by noise, so claims use BWT",
    "plasticity": "mean Dice right after learning; read it beside BWT, a frozen model forgets "
    "nothing",
    "±": "half of a 95 % interval for other patients and other seeds, both taken as random; the "
    "orders of scanners as they are",
    "missed rate": "share of cases whose structure is not found at all after the last stage",
    "not evaluable": "a scanner was not learned when it was its turn: forgetting says nothing",
}


def write_report(folder: Path) -> Path:
    """Report every finished run below ``folder/runs``.

    Returns:
        Path of ``report.html``; beside it ``summary.csv``, ``runs.csv``, ``summary.md`` and
        ``figures/*.svg``.

    Raises:
        InputError: there is no finished run.
    """
    folder = Path(folder)
    results = load_results(folder)
    runs = run_table(results)
    summary = summary_table(runs, results)
    differences = difference_table(results)
    tables = {"Summary": shown_table(summary)}
    if len(differences):
        tables["Gained over fine-tuning"] = shown_differences(differences)
    tables["Cost of a run"] = shown_costs(summary)
    notes = _missing(folder, results) + _notes(results, runs)
    drawn = _figures(results)
    if is_pairs(results):
        losses = pair_losses(results)
        write_text(folder / "pairs.csv", losses.to_csv(index=False))
        notes += _pair_notes(pair_summary(losses))

    write_text(folder / "runs.csv", runs.to_csv(index=False))
    write_text(folder / "summary.csv", summary.to_csv(index=False))
    bullets = "\n".join(f"- {note}" for note in notes)
    first, *others = tables.items()
    text = f"{markdown(first[1])}\n{bullets}\n"
    text += "".join(f"\n## {title}\n\n{markdown(table)}" for title, table in others)
    write_text(folder / "summary.md", text)
    if len(differences):
        write_text(folder / "differences.csv", differences.to_csv(index=False))
    for name, (_, svg) in drawn.items():
        write_text(folder / "figures" / f"{name}.svg", svg)
    page = folder / "report.html"
    write_text(page, _page(results, tables, notes, drawn))
    return page


def _missing(folder: Path, results: Sequence[RunResult]) -> list[str]:
    planned = read_plan(folder)
    missing = [run for run in planned if run not in {r.record["run_id"] for r in results}]
    if not missing:
        return []
    return [f"{len(missing)} of {len(planned)} runs are missing: {', '.join(missing)}."]


def _notes(results: Sequence[RunResult], runs: pd.DataFrame) -> list[str]:
    record = results[0].record
    notes = []
    notes += [f"{stamp[0].upper()}{stamp[1:]}." for stamp in results[0].stamps]
    seeds = runs["seed"].nunique()
    if seeds < 3:
        notes.append(
            f"{seeds} seed{'s' * (seeds > 1)}: differences between rows carry no interval."
        )
    for reason, alike in runs[~runs["learned"]].groupby("not_learned", sort=False)["run"]:
        verb = "is" if len(alike) == 1 else "are"
        notes.append(f"{', '.join(alike)} {verb} {NOT_EVALUABLE}: Dice after learning {reason}.")
    joint = sorted({r.strategy for r in results if r.joint})
    if joint:
        notes.append(f"{', '.join(joint)}: one stage on all scanners, so only ACC is defined.")
    single = sorted({r.strategy for r in results if r.schedule == "single"})
    if single:
        notes.append(
            f"{', '.join(single)}: a network of its own per scanner, so only plasticity is defined."
        )
    spec = record["spec"]["training"]
    notes.append(
        f"{spec['steps']} steps of {spec['batch_size']} slices per stage, "
        f"{record['spec']['image']['size']}² pixels, {record['device']} ({record['processor']}), "
        f"{spec['threads']} thread{'s' * (spec['threads'] > 1)}."
    )
    return notes


def _pair_notes(summary: pd.DataFrame) -> list[str]:
    notes = []
    for _, row in summary.iterrows():
        text = (
            f"{row['model']} {row['strategy']}, {row['pairs']} pairs of scanners, {row['seeds']} "
            f"seeds: median Dice points lost on the unseen scanner {row['transfer']:.1f} "
            f"(quartiles {row['transfer quartiles']})"
        )
        if not pd.isna(row["joint"]):
            text += f", with joint training {row['joint']:.1f} ({row['joint quartiles']})"
        notes.append(
            f"{text}; on the first by learning the second {row['forgetting']:.1f} "
            f"({row['forgetting quartiles']})."
        )
    return notes


def _figures(results: Sequence[RunResult]) -> dict[str, tuple[str, str]]:
    if is_pairs(results):
        return {"pairs": (PAIRS_CAPTION, _pairs_figure(results))}
    by_cell = cells(results)
    order = results[0].order
    shown = [runs[0] for runs in by_cell.values() if runs[0].order == order]
    with_curve = [run for run in shown if len(run.curve) and not run.joint]
    drawn = {
        "forgetting": (
            "Test Dice on each scanner over the stream. The dot is the stage in which the scanner "
            "is learned, shading the stages up to it, the dashed line joint training. The "
            "untrained network is left out.",
            figures.forgetting_curves(by_cell),
        ),
        "accuracy_matrix": (
            "Accuracy matrix R: Dice on each scanner (columns) after each stage (rows).",
            figures.heat_maps(by_cell),
        ),
    }
    if with_curve:
        drawn["validation"] = (
            "Validation Dice while training; dotted lines separate the stages.",
            figures.validation_curves(with_curve),
        )
    first_strategy = [run for run in shown if run.strategy == shown[0].strategy]
    drawn["examples"] = (
        "A typical test slice of every scanner, segmented after the first and after the last "
        "stage. Filled areas are truth, lines the prediction; "
        + ", ".join(_class_colours(shown[0]))
        + ".",
        figures.examples(first_strategy),
    )
    return drawn


def _pairs_figure(results: Sequence[RunResult]) -> str:
    losses = pair_losses(results)
    shown = [loss for loss in LOSSES if losses[loss].notna().any()]
    firsts, seconds = (list(dict.fromkeys(losses[side])) for side in ("first", "second"))
    panels = {
        (f"{model} {strategy}", loss): pair_matrix(cell, firsts, seconds, loss)
        for (model, strategy), cell in losses.groupby(["model", "strategy"], sort=False)
        for loss in shown
    }
    names = {k: v for result in results for k, v in result.record["scanner_names"].items()}
    rows, columns = (
        [re.sub(r" \(simulated\)$", "", names[scanner]) for scanner in side]
        for side in (firsts, seconds)
    )
    return figures.pair_losses(panels, rows, columns, results[0].stamps)


def _class_colours(run: RunResult) -> list[str]:
    names = ("yellow", "blue", "pink", "green")
    return [f"{name} {names[i % len(names)]}" for i, name in enumerate(run.classes)]


def _page(
    results: Sequence[RunResult],
    tables: Mapping[str, pd.DataFrame],
    notes: Sequence[str],
    drawn: Mapping[str, tuple[str, str]],
) -> str:
    record = results[0].record
    simulated = record["data"]["kind"] == "simulated"
    first, *others = tables.items()
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
        definitions="".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in DEFINITIONS.items()),
        figures="".join(
            figure.substitute(svg=svg, caption=escape(caption)) for caption, svg in drawn.values()
        ),
        versions=escape(", ".join(f"{k} {v}" for k, v in record["versions"].items())),
        commit=escape(record["git_commit"] or "unknown"),
        content=escape(record["data"]["content"][:16]),
    )


def _streams(results: Sequence[RunResult]) -> str:
    orders = list(dict.fromkeys(tuple(r.order) for r in results if not r.joint))
    names = {k: v for result in results for k, v in result.record["scanner_names"].items()}
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
