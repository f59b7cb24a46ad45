"""The lines of Python in the README run as they are."""

from pathlib import Path

import cl_seg
from tests.test_docs import ROOT, blocks


def test_the_lines_of_python_in_the_readme_run(in_workspace: Path) -> None:
    (lines,) = blocks(ROOT / "README.md", "python")
    assert sum(map(bool, lines.splitlines())) == 5
    known = {"__name__": "readme"}
    exec(lines, known)
    results = known["results"]
    assert isinstance(results, cl_seg.Results) and len(results) == 4
