"""What a report shows, however it came about."""

from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Content:
    """Tables, notes and figures of a suite.

    Attributes:
        tables: title → table as it is read; the first is shown before the notes.
        notes: sentences.
        figures: name → caption and figure.
        definitions: term → what it means.
        files: name of a CSV file → the whole table, not rounded.
    """

    tables: dict[str, pd.DataFrame]
    notes: list[str]
    figures: dict[str, tuple[str, Figure]]
    definitions: dict[str, str]
    files: dict[str, pd.DataFrame] = field(default_factory=dict)
