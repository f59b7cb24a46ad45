"""Hashes of source: of what is followed, and blind to what cannot change a number."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import cl_seg
from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.source import (
    callable_hash,
    data_files,
    data_files_read_by,
    module_files,
    source_hash,
    stage_files,
    stage_source_hash,
)
from cl_seg.planning.source_roots import (
    KEYED_BY_STARTING_STAGE,
    SIMULATOR,
    SOURCES,
    TOOLS,
    WITHOUT_NUMBERS,
)
from cl_seg.runtime.static_import import module_file
from cl_seg.strategies.registry import STRATEGIES


def forgotten() -> None:
    for kept in (source_hash, stage_source_hash, callable_hash, data_files):
        kept.cache_clear()


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    forgotten()
    yield
    forgotten()


def edit(path: Path, text: str) -> None:
    path.write_text(text)
    forgotten()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package that hashes are made from."""
    room = tmp_path / "cl_seg"
    room.mkdir()
    monkeypatch.setattr(cl_seg, "__file__", str(room / "__init__.py"))
    return room


def test_every_module_that_is_named_exists() -> None:
    elsewhere = [name for names in KEYED_BY_STARTING_STAGE.values() for name in names]
    for name in (*SOURCES.values(), *SIMULATOR, *TOOLS, *WITHOUT_NUMBERS, *elsewhere):
        assert module_file(name) is not None, name


def test_what_cannot_change_numbers_is_in_no_hash() -> None:
    for kind in SOURCES:
        for name in stage_files(kind):
            assert not any(name == w or name.startswith(f"{w}.") for w in WITHOUT_NUMBERS), name
            assert name != "cl_seg"


def test_every_data_file_of_the_package_is_hashed_or_known_not_to_matter() -> None:
    files = data_files(Path(cl_seg.__file__).parent)
    names = {path.name for path in files}
    hashed = {path.name for path in data_files_read_by(module_files(*SIMULATOR))}
    assert hashed == {"spectra.csv", "attenuation.csv"} and len(files) == len(names)
    phantom = Path(cl_seg.__file__).parent / "phantom"
    scanners = {p.name for folder in ("profiles", "spaces") for p in (phantom / folder).iterdir()}
    # Profiles are in the name of a store by value, drawn ones too; aliases name scanners before a
    # store is made.
    assert names == hashed | scanners | {"scanner_aliases.yaml"}


def test_everything_named_is_found_without_importing_it() -> None:
    targets = [network.builder for network in NETWORKS.values()]
    targets += [s.plugin for s in STRATEGIES.values() if s.plugin]
    for target in targets:
        assert module_file(target.partition(":")[0]) is not None, target
    assert module_file("no_such.module") is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("def f(x):\n    return x + 1\n", True),
        ("# A comment.\ndef f( x ):\n\n    return (x+1)  # another\n", True),
        ('"""A docstring."""\n\n\ndef f(x):\n    """Another."""\n    return x + 1\n', True),
        ("def f(x):\n    return x + 2\n", False),
        ("def f(y):\n    return y + 1\n", False),
        ("def f(x):\n    return x + 1\n\n\ng = f\n", False),
    ],
)
def test_what_is_written_differently_is_the_same(package: Path, text: str, same: bool) -> None:
    edit(package / "losses.py", "def f(x):\n    return x + 1\n")
    before = source_hash("cl_seg.losses")
    edit(package / "losses.py", text)
    assert (source_hash("cl_seg.losses") == before) == same


def test_a_docstring_alone_is_a_body(package: Path) -> None:
    edit(package / "losses.py", "class A(ValueError):\n    pass\n")
    before = source_hash("cl_seg.losses")
    edit(package / "losses.py", 'class A(ValueError):\n    """An error."""\n')
    assert source_hash("cl_seg.losses") == before


def test_what_is_imported_is_followed_wherever_that_is_written(package: Path) -> None:
    (package / "training").mkdir()
    edit(package / "training/__init__.py", "")
    edit(package / "training/loop.py", "def f():\n    from cl_seg import losses\n")
    edit(package / "losses.py", "b = 1\n")
    edit(package / "other.py", "c = 1\n")
    before = source_hash("cl_seg.training.loop"), source_hash("cl_seg.losses")
    edit(package / "losses.py", "b = 2\n")
    after = source_hash("cl_seg.training.loop"), source_hash("cl_seg.losses")
    assert before[0] != after[0] and before[1] != after[1]
    edit(package / "other.py", "c = 2\n")
    assert (source_hash("cl_seg.training.loop"), source_hash("cl_seg.losses")) == after
    edit(package / "training/__init__.py", "d = 1\n")
    assert source_hash("cl_seg.training.loop") != after[0], "a package is imported with its modules"


def test_the_order_of_imports_does_not_matter(package: Path) -> None:
    for name in "ab":
        edit(package / f"{name}.py", f"{name} = 1\n")
    hashes = [source_hash(*(f"cl_seg.{name}" for name in names)) for names in ("ab", "ba")]
    assert hashes[0] == hashes[1]


def test_a_data_file_counts_where_it_is_read(package: Path) -> None:
    (package / "data").mkdir()
    edit(package / "tissues.py", 'a = read("spectra.csv")\n')
    edit(package / "other.py", "b = 1\n")
    edit(package / "data/spectra.csv", "1\n")
    before = source_hash("cl_seg.tissues"), source_hash("cl_seg.other")
    edit(package / "data/spectra.csv", "2\n")
    assert source_hash("cl_seg.tissues") != before[0]
    assert source_hash("cl_seg.other") == before[1]


def test_a_plugin_is_hashed_with_what_it_imports(package: Path) -> None:
    room = package / "strategies"
    room.mkdir()
    edit(package / "losses.py", "l = 1\n")
    for name, text in {
        "__init__": "",
        "ewc": "from cl_seg.strategies.fisher import f\nfrom cl_seg.strategies.registry import S\n",
        "fisher": "from cl_seg.losses import l\nimport os\n",
        "registry": "S = 1\n",
        "build": "R = 1\n",
        "replay": "r = 1\n",
    }.items():
        edit(room / f"{name}.py", text)

    def hashes() -> list[str]:
        return [callable_hash(f"cl_seg.strategies.{n}:X") for n in ("ewc", "replay")]

    ewc, replay = hashes()
    for path in (room / "fisher.py", package / "losses.py"):
        text = path.read_text()
        edit(path, text + "g = 2\n")
        assert hashes()[0] != ewc and hashes()[1] == replay
        edit(path, text)
    for name in ("registry", "build", "__init__"):
        edit(room / f"{name}.py", "S = 2\n")
        assert hashes() == [ewc, replay], "the list of strategies is no part of any"


def test_a_network_of_ours_is_the_same_from_a_wheel_and_from_a_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = "cl_seg.models.vnet:build"
    ours, other = callable_hash(target), callable_hash("avalanche.models:SimpleMLP")
    callable_hash.cache_clear()
    monkeypatch.setattr("cl_seg.planning.source.installed_version", lambda _: "another 9.9")
    assert callable_hash(target) == ours
    assert callable_hash("avalanche.models:SimpleMLP") != other


def test_a_users_file_is_hashed_with_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    edit(tmp_path / "my_network.py", "import my_blocks\nimport torch\n")
    edit(tmp_path / "my_blocks.py", "x = 1\n")
    before = callable_hash("my_network:build")
    edit(tmp_path / "my_blocks.py", "x = 2\n")
    assert callable_hash("my_network:build") != before


@pytest.mark.parametrize(
    ("line", "follows"),
    [
        ("from cl_seg.strategies import EWC", True),
        ("from cl_seg.strategies.ewc.plugin import EWC", True),
        ("from cl_seg.strategies import Replay", False),
    ],
)
def test_a_users_file_is_hashed_with_what_it_builds_on(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch, line: str, follows: bool
) -> None:
    for room in ("ewc", "replay"):
        (package / "strategies" / room).mkdir(parents=True)
        edit(package / "strategies" / room / "plugin.py", "x = 1\n")
    (tmp_path / "own").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "own"))
    edit(tmp_path / "own" / "my_plugin.py", f"{line}\n")
    before = callable_hash("my_plugin:Mine")
    edit(package / "strategies/ewc/plugin.py", "x = 2\n")
    assert (callable_hash("my_plugin:Mine") != before) == follows


@pytest.mark.parametrize("edited", ["blocks", "more", "__init__"])
def test_a_users_package_is_followed_through_all_forms_of_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "nets").mkdir()
    for name, text in {
        "__init__": "",
        "net": "from .blocks import B\nfrom nets.more import C\nimport torch\n",
        "blocks": "B = 1\n",
        "more": "from . import net\n",
        "other": "D = 1\n",
    }.items():
        edit(tmp_path / "nets" / f"{name}.py", text)
    before = callable_hash("nets.net:build")
    edit(tmp_path / "nets" / "other.py", "D = 2\n")
    assert callable_hash("nets.net:build") == before
    edit(tmp_path / "nets" / f"{edited}.py", "E = 1\n")
    assert callable_hash("nets.net:build") != before


def test_a_syntax_error_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    edit(tmp_path / "broken_network.py", "def build(:\n")
    with pytest.raises(InputError, match=r"broken_network\.py is no Python source.*line 1"):
        callable_hash("broken_network:build")


def test_what_is_installed_below_a_users_folder_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / ".venv" / "lib" / "site-packages"
    installed.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.syspath_prepend(str(tmp_path))
    edit(tmp_path / "my_network.py", "import json, bought\n")
    edit(installed / "bought.py", "x = 1\n")
    before = callable_hash("my_network:build")
    edit(installed / "bought.py", "x = 2\n")
    assert callable_hash("my_network:build") == before
    edit(tmp_path / "my_network.py", "import json\n")
    assert callable_hash("my_network:build") != before, "the module itself always counts"
    own = callable_hash("bought:build")
    edit(installed / "bought.py", "x = 3\n")
    assert callable_hash("bought:build") != own
