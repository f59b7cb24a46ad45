"""Edits of source, data and packages: exactly the stages they touch are computed again."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cl_seg.planning.plan import resolve
from cl_seg.scans.rows import parse_ranges

from .conftest import made_with, tiny_suite, write_store
from .crash import ROOT, finished

pytestmark = pytest.mark.slow


def program(folder: Path, *arguments: str) -> str:
    """What the command line prints when it runs from the copy of the source."""
    main = "import sys; from cl_seg.cli import main; main()"
    path = os.pathsep.join([str(folder / "source"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", main, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "WANDB_MODE": "disabled"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source and of the store, and the suite computed with them."""
    folder = tmp_path_factory.mktemp("computed")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "cl_seg", folder / "source" / "cl_seg", ignore=ignored)
    write_store(folder / "tiny.store")
    (folder / "suite.yaml").write_text(tiny_suite(Path("tiny.store")))
    program(folder, "run", "suite.yaml", "--workers", "0")
    return folder


def append(name: str, text: str = "EDITED = True") -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        with (folder / "source" / "cl_seg" / name).open("a") as file:
            file.write(f"\n{text}\n")

    return edit


def other_words(folder: Path) -> None:
    """Another docstring and another comment in every module, and another layout."""
    for path in (folder / "source" / "cl_seg").rglob("*.py"):
        text = path.read_text().replace('"""', '"""Edited. ', 1)
        path.write_text(text.replace("\n\n\n", "\n\n\n\n# edited\n"))


def newer_package(folder: Path) -> None:
    metadata = folder / "source" / "monai-99.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: monai\nVersion: 99.0\n")


def label(folder: Path) -> None:
    """Change one pixel of one training slice of the scanner called dark."""
    store = folder / "tiny.store"
    (folder / "own.yaml").write_text(tiny_suite(store))
    plan = resolve(folder / "own.yaml", cache=folder / "hashes")
    row = parse_ranges(plan.context.rows["dark"]["train"])[0]
    labels = np.load(store / "dark" / "labels.npy")
    labels[row, 0, 0] = 2
    np.save(store / "dark" / "labels.npy", labels)
    made_with(store)


def stream(title: str) -> str:
    return title.split(" · ")[-2]


@pytest.mark.parametrize(
    ("edit", "touches"),
    [
        pytest.param(append("losses.py"), lambda t: stream(t) != "untrained", id="loss"),
        pytest.param(append("strategies/ewc/plugin.py"), lambda t: "EWC" in t, id="plugin"),
        pytest.param(
            append("strategies/shared/fisher.py"), lambda t: "EWC" in t, id="part of a plugin"
        ),
        pytest.param(
            append("metrics/segmentation.py"), lambda t: t.startswith("test on"), id="metric"
        ),
        pytest.param(append("strategies/si/plugin.py"), lambda t: False, id="other plugin"),
        pytest.param(append("analysis/figures/curves.py"), lambda t: False, id="figure"),
        pytest.param(other_words, lambda t: False, id="docstrings and comments"),
        pytest.param(newer_package, lambda t: True, id="package"),
        pytest.param(label, lambda t: "dark" in stream(t), id="label"),
    ],
)
def test_exactly_what_an_edit_touches_is_computed_again(
    computed: Path,
    tmp_path: Path,
    edit: Callable[[Path], None],
    touches: Callable[[str], bool],
) -> None:
    folder = tmp_path / "edited"
    shutil.copytree(computed, folder)
    edit(folder)
    before = finished(folder)
    stages: dict[str, Any] = json.loads(program(folder, "plan", "suite.yaml", "--json"))["stages"]
    program(folder, "run", "suite.yaml", "--workers", "0")
    after = finished(folder)
    assert before.items() <= after.items(), "nothing finished is written again"
    again = {stages[key]["title"] for key in after.keys() - before.keys()}
    assert again == {s["title"] for s in stages.values() if touches(s["title"])}
