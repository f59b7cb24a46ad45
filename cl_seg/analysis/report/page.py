"""One self-contained HTML page from sections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain
from pathlib import Path
from string import Template

import pandas as pd

from cl_seg.analysis.report.section import Explorer, Section

TEMPLATE, STYLE, SCRIPT = (Path(__file__).with_suffix(kind) for kind in (".html", ".css", ".js"))
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
        headline: question → what came out, in a sentence.
        files: addresses of files beside the page, to which it links.
        explorer: the interactive part, if there is one.
    """

    title: str
    data_origin: str
    subtitle: str
    sections: Sequence[Section]
    svg: Mapping[str, str]
    provenance: Mapping[str, str]
    settings: str
    headline: Mapping[str, str] = field(default_factory=dict)
    files: Collection[str] = ()
    explorer: Explorer | None = None


def html(page: Page) -> str:
    """The page as one HTML document."""
    shown = [section for section in page.sections if section.has_heading]
    first, *others = (_section(section, page) for section in shown)
    definitions = {k: v for section in page.sections for k, v in section.definitions.items()}
    notes = chain.from_iterable(section.notes for section in page.sections)
    explorer = page.explorer or Explorer()
    return Template(_text(TEMPLATE)).substitute(
        title=escape(page.title),
        style=_text(STYLE) + explorer.style,
        data_origin=escape(page.data_origin),
        subtitle=escape(page.subtitle),
        headline=f'<dl class="headline">{_terms(page.headline)}</dl>' if page.headline else "",
        explorer=explorer.place,
        contents=_contents(shown),
        first=first,
        notes="".join(f"<li>{escape(note)}</li>" for note in notes),
        others="\n".join(others),
        definitions=_terms(definitions),
        provenance=_terms(page.provenance),
        settings=escape(page.settings),
        library=escape(explorer.credit),
        scripts=explorer.scripts,
        page_script=_text(SCRIPT),
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _contents(sections: Sequence[Section]) -> str:
    """Links to all headings; that to the interactive part is for a script to show."""
    titles = {section.anchor: section.short_title for section in sections}
    titles |= {"words": "What the words mean", "origin": "Where this comes from"}
    links = (f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title in titles.items())
    return '<a href="#explorer" hidden>Explore</a>' + "".join(links)


def _section(section: Section, page: Page) -> str:
    own = [*(f"{name}.csv" for name in section.files), f"tables/{section.anchor}.tex"]
    parts = [f'<h2 id="{section.anchor}">{escape(section.title)}{_links(own, page)}</h2>']
    for name, (caption, _) in section.figures.items():
        same = [f"figures/{name}.{kind}" for kind in ("svg", "pdf", "png")]
        parts.append(
            f"<figure>{page.svg[name]}"
            f"<figcaption>{escape(caption)}{_links(same, page)}</figcaption></figure>"
        )
    if section.table is not None:
        parts.append(f'<div class="wide">{_table(section.table)}</div>')
    return "\n".join(parts)


def _links(files: Sequence[str], page: Page) -> str:
    """Links to those of some files that are beside the page."""
    links = [
        f'<a href="{escape(name)}">{escape(name.rpartition("/")[2])}</a>'
        for name in files
        if name in page.files
    ]
    return f' <span class="links">{" ".join(links)}</span>' if links else ""


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
