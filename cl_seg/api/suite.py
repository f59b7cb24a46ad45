"""Suites: read from a file or a dict, and checked."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.api.display import html_page
from cl_seg.api.stores import AnyPath
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.planning.checked_suite import parse_suite


class Suite:
    """A suite: networks, strategies, orders of scanners and seeds, checked as a whole.

    Args:
        content: path of a YAML file, or a dict of what such a file holds.
        data: store that replaces the suite's own data.

    Attributes:
        source: path of the file, or the dict.
        data: store that replaces the suite's own data; None without one.
        spec: every field with its default filled in.

    Raises:
        InputError: every mistake at once, a line each.

    Examples:
        >>> import cl_seg
        >>> suite = cl_seg.Suite("quick.yaml")
        >>> suite
        Suite('quick'): 2 networks, 2 strategies, 1 seed
        >>> suite.spec.training.steps
        2
        >>> cl_seg.Suite({"kind": "stream", "name": "mine"})
        Traceback (most recent call last):
        ...
        cl_seg.messages.errors.InputError: data is missing
        image is missing
        models is missing
        strategies is missing
        training is missing
    """

    def __init__(self, content: AnyPath | Mapping[str, Any], data: AnyPath | None = None) -> None:
        self.source = _plain(content) if isinstance(content, Mapping) else Path(content)
        self.data = None if data is None else Path(data)
        self.spec = parse_suite(self.source, self.data)

    @property
    def name(self) -> str:
        """Name of the suite, and of its folder of results."""
        return self.spec.name

    def __repr__(self) -> str:
        counts = (
            counted(len(self.spec.models), "network"),
            counted(len(self.spec.strategies), "strategy", "strategies"),
            counted(len(self.spec.seeds), "seed"),
        )
        return f"Suite({self.name!r}): {', '.join(counts)}"

    def _repr_html_(self) -> str:
        training = self.spec.training
        rows = {
            "networks": ", ".join(model.label for model in self.spec.models),
            "strategies": ", ".join(choice.label for choice in self.spec.strategies),
            "classes": ", ".join(self.spec.classes),
            "seeds": ", ".join(map(str, self.spec.seeds)),
            "training": f"{counted(training.steps, 'step')} of {training.batch_size} slices",
        }
        return html_page(repr(self), pd.DataFrame(rows.items(), columns=["field", "value"]))


def as_suite(suite: AnyPath | Mapping[str, Any] | Suite, data: AnyPath | None = None) -> Suite:
    """A suite from a file, a dict or a suite; ``data`` replaces its own data.

    Raises:
        InputError: the suite is wrong.
    """
    if not isinstance(suite, Suite):
        return Suite(suite, data)
    return suite if data is None else Suite(suite.source, data)


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with text in place of stores and paths.

    Raises:
        InputError: a suite file cannot hold one of the values.
    """
    try:
        plain: dict[str, Any] = json.loads(json.dumps(content, default=os.fspath))
    except TypeError as error:
        raise InputError(f"suite: {error}: use plain values, lists and dicts") from None
    return plain
