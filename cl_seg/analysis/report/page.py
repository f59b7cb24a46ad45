"""One self-contained HTML page from sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path
from string import Template

import pandas as pd

from cl_seg.analysis.report.section import Section

TEMPLATE = Path(__file__).with_suffix(".html")
WORDS = {"says", "source", "contrast", "what would decide", "why"}
COLOURED = {
    "supported": "supported",
    "contradicted": "contradicted",
    "undecided": "undecided",
    "not worse": "supported",
    "accepted": "supported",
    "–": "undecided",
}
"""Verdict → its colour: green, red or grey; red for any other."""


@dataclass(frozen=True)
class Page:
    """Everything a page shows; all but the figures is escaped.

    Attributes:
        title: title of the page.
        data_origin: simulated or real.
        subtitle: a line below the title.
        sections: from top to bottom.
        svg: name → text of every figure of the sections.
        provenance: origin of the numbers.
        settings: settings of the suite, as YAML.
    """

    title: str
    data_origin: str
    subtitle: str
    sections: Sequence[Section]
    svg: Mapping[str, str]
    provenance: Mapping[str, str]
    settings: str


def html(page: Page) -> str:
    """The page as one HTML document."""
    shown = [section for section in page.sections if section.has_heading]
    first, *others = (_section(section, page.svg) for section in shown)
    definitions = {k: v for section in page.sections for k, v in section.definitions.items()}
    notes = chain.from_iterable(section.notes for section in page.sections)
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(page.title),
        data_origin=escape(page.data_origin),
        subtitle=escape(page.subtitle),
        contents=" · ".join(f'<a href="#{s.anchor}">{escape(s.short_title)}</a>' for s in shown),
        first=first,
        notes="".join(f"<li>{escape(note)}</li>" for note in notes),
        others="\n".join(others),
        definitions=_terms(definitions),
        provenance=_terms(page.provenance),
        settings=escape(page.settings),
    )


def _section(section: Section, svg: Mapping[str, str]) -> str:
    parts = [f'<h2 id="{section.anchor}">{escape(section.title)}</h2>']
    parts += [
        f"<figure>{svg[name]}<figcaption>{escape(caption)}</figcaption></figure>"
        for name, (caption, _) in section.figures.items()
    ]
    if section.table is not None:
        parts.append(f'<div class="wide">{_table(section.table)}</div>')
    return "\n".join(parts)


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
        return f' class="verdict {COLOURED[kind]}"' if kind in COLOURED else ' class="verdict"'
    return ""
