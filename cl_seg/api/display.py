"""Objects of the API as HTML, for notebooks."""

from html import escape

import pandas as pd


def html_page(title: str, *parts: "str | pd.DataFrame") -> str:
    """A heading, then tables and lines of text, as HTML."""
    shown = [f"<p><b>{escape(title)}</b></p>"]
    for part in parts:
        if isinstance(part, str):
            shown.append(f"<p>{escape(part)}</p>")
        else:
            shown.append(part.to_html(index=False, border=0, na_rep="–"))
    return "".join(shown)
