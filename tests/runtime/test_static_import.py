"""What is said of a module:callable without importing it."""

from importlib.metadata import version
from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.runtime.static_import import check_target, has_methods, installed_version, module_file

STATE = ("state_dict", "load_state_dict")
BOTH = "    def state_dict(self): ...\n    def load_state_dict(self, state): ...\n"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with plugins that raise when they are imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in {
        "pack/__init__.py": "from .inner import *\nfrom .inner import Kept as Renamed\n",
        "pack/inner.py": f"class Kept:\n{BOTH}",
        "own.py": "raise RuntimeError\n"
        "import pack.inner\nimport pack.inner as deep\nfrom pack import Kept\n"
        f"class Direct:\n{BOTH}"
        "class Half:\n    def state_dict(self): ...\n"
        "class Other(Half):\n    def load_state_dict(self, state): ...\n"
        "class ByName(Kept): ...\n"
        "class ByModule(pack.inner.Kept): ...\n"
        "class ByAlias(deep.Kept): ...\n"
        "class Loop(Loop): ...\n"
        "class FromNowhere(Unknown): ...\n"
        "from pack import Kept as KeptBySomebody\n"
        "class KeptBy: ...\n"
        "def made(): return Direct()\n"
        "assigned = Direct\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "found"),
    [
        *((f"own:{name}", True) for name in ("Direct", "Other", "ByName", "ByModule", "ByAlias")),
        *((f"own:{name}", False) for name in ("Half", "Loop", "FromNowhere", "made", "assigned")),
        ("own:KeptBy", False),  # its name is part of an imported one
        ("pack:Kept", True),
        ("pack:Renamed", True),
        ("pack:Absent", False),
        ("nowhere:Kept", False),
        ("torch.nn:Module", True),
        ("avalanche.training.plugins:EWCPlugin", False),
    ],
)
def test_methods_are_found_through_bases_and_imports(
    modules: Path, target: str, found: bool
) -> None:
    assert has_methods(target, STATE) == found


def test_what_is_not_there_is_told_with_the_file_that_names_it(modules: Path) -> None:
    suite = modules / "suite.yaml"
    for target in ("own:Direct", "own:made", "own:assigned", "own:Kept", "pack:anything"):
        check_target(target, suite)  # a star import may bring anything
    with pytest.raises(InputError, match=r"suite.yaml: own:Diret: there is no Diret in .*own.py"):
        check_target("own:Diret", suite)
    with pytest.raises(InputError, match="there is no module owm"):
        check_target("owm:Direct", suite)
    (modules / "broken.py").write_text("def (:\n")
    with pytest.raises(InputError, match=r"broken.py is no Python source"):
        check_target("broken:build", suite)


def test_installed_packages_have_a_version_and_own_files_none(modules: Path) -> None:
    path = module_file("avalanche.training.plugins")
    assert (
        path is not None and installed_version(path) == f"avalanche-lib {version('avalanche-lib')}"
    )
    assert installed_version(modules / "own.py") == ""
