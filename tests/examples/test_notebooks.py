"""The notebooks run in a fresh kernel, and what the API promises is in them as promised."""

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "site"))
from notebooks import executed, notebooks  # noqa: E402

LINES = """
store   = cl_seg.ingest("dicom/", "my.store")              # or cl_seg.simulate(...)
results = cl_seg.run("quick.yaml", workers=2)              # a path, a dict, or a Suite
results = cl_seg.load_results("results/quick")
results.summary()        # DataFrame, the report's table     results.cases     # tidy per-case DataFrame
results.R("VNet", "EWC") # matrix or with seeds              results.curve, results.plot.forgetting()
model   = cl_seg.load_model("model/");  model.predict("ct.nii.gz").measure()
from cl_seg.strategies import EWC; EWC(ewc_lambda=1e-4)    # in anyone's Avalanche script, keywords not settings objects
from cl_seg.metrics import dice, bwt                        # pure functions, public namespace
"""  # noqa: E501


def code(notebook: Any) -> list[str]:
    return [line for c in notebook.cells if c.cell_type == "code" for line in c.source.splitlines()]


def test_the_quickstart_has_every_promised_line_in_its_order() -> None:
    found = code(nbformat.read(ROOT / "examples/quickstart.ipynb", as_version=4))
    promised = LINES.strip().splitlines()
    assert [line for line in found if line in promised] == promised


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_what_is_kept_of_a_notebook_names_no_place_of_a_machine(path: Path) -> None:
    text = path.read_text()
    assert len(text) < 200_000 and "site-packages" not in text and "/tmp/" not in text
    assert any(cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_runs_in_a_fresh_kernel(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ran = executed(path)
    assert all(cell.execution_count for cell in ran.cells if cell.cell_type == "code")
