from collections.abc import Iterator
from pathlib import Path

import pytest

import cl_seg
from cl_seg.messages.errors import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.planning.source import SCORING, TRAINING, callable_hash, module_file, source_hash
from cl_seg.strategies.declared import STRATEGIES


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    source_hash.cache_clear(), callable_hash.cache_clear()
    yield
    source_hash.cache_clear(), callable_hash.cache_clear()


def edit(path: Path, text: str) -> None:
    path.write_text(text)
    source_hash.cache_clear(), callable_hash.cache_clear()


def test_every_room_that_is_hashed_exists() -> None:
    for room in (*TRAINING, *SCORING):
        assert (Path(cl_seg.__file__).parent / room).exists(), room


def test_everything_named_is_found_without_importing_it() -> None:
    targets = [network.builder for network in NETWORKS.values()]
    targets += [s.plugin for s in STRATEGIES.values() if s.plugin]
    for target in targets:
        assert module_file(target.partition(":")[0]) is not None, target
    assert module_file("no_such.module") is None


def test_an_edit_changes_the_hash_and_only_of_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cl_seg, "__file__", str(tmp_path / "cl_seg" / "__init__.py"))
    (tmp_path / "cl_seg" / "training").mkdir(parents=True)
    edit(tmp_path / "cl_seg/training/loop.py", "a = 1\n")
    edit(tmp_path / "cl_seg/losses.py", "b = 1\n")
    before = source_hash("training"), source_hash("losses.py")
    edit(tmp_path / "cl_seg/training/loop.py", "a = 2\n")
    after = source_hash("training"), source_hash("losses.py")
    assert before[0] != after[0] and before[1] == after[1]
    edit(tmp_path / "cl_seg/training/notes.txt", "not source")
    assert source_hash("training") == after[0]


def test_a_plugin_is_hashed_with_what_it_imports_of_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "cl_seg" / "strategies"
    room.mkdir(parents=True)
    monkeypatch.setattr(cl_seg, "__file__", str(tmp_path / "cl_seg" / "__init__.py"))
    for name, text in {
        "ewc": "from cl_seg.strategies.fisher import f\nfrom cl_seg.strategies.declared import S\n",
        "fisher": "f = 1\n",
        "declared": "S = 1\n",
        "replay": "r = 1\n",
    }.items():
        edit(room / f"{name}.py", text)

    def hashes() -> tuple[str, str]:
        return tuple(callable_hash(f"cl_seg.strategies.{n}:X") for n in ("ewc", "replay"))

    ewc, replay = hashes()
    edit(room / "fisher.py", "f = 2\n")
    assert hashes()[0] != ewc and hashes()[1] == replay
    edit(room / "fisher.py", "f = 1\n")
    edit(room / "declared.py", "S = 2\n")
    assert hashes() == (ewc, replay), "settings are part of the key themselves"


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
