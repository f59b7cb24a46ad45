"""Data and scripts of the interactive part of a report, to be written into its page."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vl_convert

from cl_seg.analysis.explorer.cases import case_scores_of
from cl_seg.analysis.explorer.cells import cells_of
from cl_seg.analysis.explorer.pictures import pictures_of
from cl_seg.analysis.figures.overlays import CONTOURS
from cl_seg.analysis.figures.panels import networks_and_strategies
from cl_seg.analysis.figures.style import COLOURS
from cl_seg.analysis.intervals import random_factor
from cl_seg.analysis.many_scanners import listed, shown_scanners
from cl_seg.analysis.report.section import Explorer, ReportData
from cl_seg.analysis.tables import NOT_EVALUABLE, WITH_INTERVAL
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult

FOLDER = Path(__file__).parent
SCRIPTS = ("rows.js", "filters.js", "charts.js", "cases.js", "pictures.js", "explorer.js")
DECIMALS = 4
PLACE = """<section id="explore" aria-labelledby="explorer" hidden>
<h2 id="explorer">Explore</h2>
</section>
<noscript><p class="small">With JavaScript figures can be filtered and cases seen.</p></noscript>"""
CREDIT = (
    " Interactive figures: Vega, Vega-Lite and Vega-Embed, © University of Washington Interactive "
    "Data Lab and contributors, BSD 3-Clause License."
)


def explorer(data: ReportData) -> Explorer:
    """The interactive part of the report of streams of scanners."""
    return Explorer(
        place=PLACE,
        scripts=script(explorer_data(data)),
        style=(FOLDER / "explorer.css").read_text(encoding="utf-8"),
        credit=CREDIT,
    )


def explorer_data(data: ReportData) -> dict[str, Any]:
    """Everything that the scripts draw, ready for JSON."""
    results = data.results
    networks, strategies = networks_and_strategies(data.runs_by_configuration)
    cells, cases, pictures = cells_of(results), case_scores_of(results), pictures_of(results)
    names = results[0].short_names
    return {
        "classes": results[0].classes,
        "networks": networks,
        "strategies": strategies,
        "scanners": [names[scanner] for scanner in shown_scanners(results)],
        "orders": _orders(data),
        "factor": random_factor(results),
        "averaged": "replicates" if data.replicates else "orders and seeds",
        "seeds": sorted({run.seed for run in results}),
        "colours": COLOURS,
        "contours": CONTOURS,
        "cells": _columns(cells.table),
        "scores": _scores(data.summary),
        "cases": {"names": cases.names, "runs": cases.runs},
        "pictures": {"images": pictures.images, "shown": pictures.shown},
        "notices": [*cells.notices, *cases.notices, *pictures.notices],
    }


def _orders(data: ReportData) -> list[dict[str, Any]]:
    """Number, scanners and names of stages of every order."""
    firsts: dict[int, RunResult] = {}
    for run in data.results:
        if not run.is_joint:
            firsts.setdefault(run.order_number, run)
    firsts = firsts or {data.results[0].order_number: data.results[0]}
    return [
        {
            "number": number,
            "name": _name_of_stream(run),
            "stages": ["untrained", *run.stage_names],
        }
        for number, run in sorted(firsts.items())
    ]


def _name_of_stream(run: RunResult) -> str:
    if months := len(run.record.spec.months):
        return counted(months, "month")
    return listed([run.short_names[scanner] for scanner in run.order], " → ")


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    """Columns as lists: texts as codes and their values, other values as they are."""
    columns: dict[str, Any] = {}
    for name, column in table.items():
        if column.dtype.kind == "f":
            columns[str(name)] = [_number(value) for value in column]
        elif column.dtype.kind in "ib":
            columns[str(name)] = column.astype(int).tolist()
        else:
            codes, values = pd.factorize(column)
            columns[str(name)] = {"codes": codes.tolist(), "values": list(values)}
    return columns


def _scores(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per network, strategy and score that has an interval, where it is defined."""
    return [
        {
            "network": row["model"],
            "strategy": row["strategy"],
            "score": score,
            "value": _number(row[score]),
            "half_width": _number(row[f"{score} ±"]),
            "evaluable": row["verdict"] != NOT_EVALUABLE,
            "kept": int(row["kept_slices"]),
        }
        for row in summary.to_dict("records")
        for score in WITH_INTERVAL
        if np.isfinite(row[score])
    ]


def _number(value: float) -> float | None:
    return round(float(value), DECIMALS) if np.isfinite(value) else None


def script(data: Mapping[str, Any]) -> str:
    """Elements of the page that hold the data, the library and the scripts that draw."""
    # A name in the data must not end the element: in JSON "<" can be written as an escape.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    own = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return "\n".join((
        f'<script id="explorer-data" type="application/json">{text}</script>',
        f"<script>{_library()}</script>",
        f'<script>(() => {{\n"use strict";\n{own}\n}})();</script>',
    ))  # fmt: skip


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed (BSD-3-Clause) as one script that needs no network."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed; window.vega = vega;")
