"""``import cl_seg``: lazy, and with all it says."""

import subprocess
import sys

import pytest

import cl_seg

LAZY = """
import sys
before = set(sys.modules)
import cl_seg
assert set(dir(cl_seg)) >= {"ingest", "run", "load_results", "metrics", "__version__"}
ours = {name for name in set(sys.modules) - before if name.startswith("cl_seg.")}
heavy = {"torch", "pandas", "numpy", "pydantic", "matplotlib"} & (set(sys.modules) - before)
assert not ours | heavy, ours | heavy
cl_seg.load_results, cl_seg.plan, cl_seg.ingest, cl_seg.Suite
heavy = {"torch", "avalanche", "monai", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""


def test_importing_the_package_imports_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", cl_seg.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(cl_seg, name) is getattr(cl_seg, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute nothing"):
        _ = cl_seg.nothing
