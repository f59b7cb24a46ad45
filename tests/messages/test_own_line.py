"""The line of the user's own code that an error comes from."""

import json
from collections.abc import Callable
from pathlib import Path

from cl_seg.files.json_file import read_json
from cl_seg.messages.own_line import own_line


def caught(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("expected an error")


def test_the_innermost_line_of_ones_own_is_named() -> None:
    error = caught(lambda: json.loads("{"))
    assert own_line(error).startswith(" (test_own_line.py, line ")
    assert own_line(error).endswith('json.loads("{"))`)'), "not a line of the standard library"


def test_lines_of_the_package_are_not_ones_own(tmp_path: Path) -> None:
    error = caught(lambda: read_json(tmp_path / "absent"))
    assert "read_json(tmp_path" in own_line(error)
    alone = error.with_traceback(error.__traceback__.tb_next.tb_next)
    assert own_line(alone) == ""


def test_an_error_that_was_never_raised_has_no_line() -> None:
    assert own_line(ValueError("x")) == ""
