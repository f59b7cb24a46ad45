"""One self-contained HTML page from tables, sentences and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

TEMPLATE = Path(__file__).with_name("report_template.html")
SECTION = Template('<h2>$title</h2><div class="wide">$table</div>')
FIGURE = Template("<figure>$svg<figcaption>$caption</figcaption></figure>")
WORDS = {"says", "source", "contrast", "what would decide"}
COLOURED = {"supported", "contradicted", "undecided"}


@dataclass(frozen=True)
class Page:
    """What a page says; all but the pictures is escaped.

    Attributes:
        title: of the page.
        stamp: what kind of data it is about.
        about: a line below the title.
        tables: title → table as it is read; the first stands before the notes.
        notes: sentences.
        pictures: caption and SVG of each.
        definitions: term → what it means.
        provenance: where the numbers come from.
        settings: what was run, as YAML.
    """

    title: str
    stamp: str
    about: str
    tables: Mapping[str, pd.DataFrame]
    notes: Sequence[str]
    pictures: Sequence[tuple[str, str]]
    definitions: Mapping[str, str]
    provenance: Mapping[str, str]
    settings: str


def html(page: Page) -> str:
    """The page as one HTML document."""
    first, *others = (
        SECTION.substitute(title=escape(name), table=_table(table))
        for name, table in page.tables.items()
    )
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(page.title),
        stamp=escape(page.stamp),
        about=escape(page.about),
        summary=first,
        others="".join(others),
        notes="".join(f"<li>{escape(note)}</li>" for note in page.notes),
        figures=_figures(page.pictures),
        definitions=_terms(page.definitions),
        provenance=_terms(page.provenance),
        settings=escape(page.settings),
    )


def _figures(pictures: Sequence[tuple[str, str]]) -> str:
    if not pictures:
        return ""
    each = (FIGURE.substitute(svg=svg, caption=escape(caption)) for caption, svg in pictures)
    return f"<h2>Figures</h2>\n{''.join(each)}"


def _terms(terms: Mapping[str, str]) -> str:
    return "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in terms.items())


def _table(shown: pd.DataFrame) -> str:
    head = "".join(f"<th{_looks(c)}>{escape(str(c))}</th>" for c in shown.columns)
    rows = []
    previous = None
    for row in shown.itertuples(index=False):
        mark = ' class="first"' if row[0] != previous else ""
        previous = row[0]
        values = "".join(
            f"<td{_looks(column, str(value))}>{escape(str(value))}</td>"
            for column, value in zip(shown.columns, row, strict=True)
        )
        rows.append(f"<tr{mark}>{values}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _looks(column: str, value: str = "") -> str:
    """The class of a cell: words are read from the left, verdicts have their colour."""
    if column in WORDS:
        return ' class="words"'
    if column == "verdict":
        kind = value.strip("()")  # in brackets: shown beside a claim
        return f' class="verdict {kind}"' if kind in COLOURED else ' class="verdict"'
    return ""
