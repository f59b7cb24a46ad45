"""Names of shipped models: a folder of the user goes first, and no name is invented."""

from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.records import shipped
from cl_seg.records.model_card import read_card
from cl_seg.records.shipped import find_model_folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the models of the package; the current folder is an empty one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "package")
    return tmp_path / "package"


def test_the_base_model_is_found_by_its_name(package: Path) -> None:
    (package / "base").mkdir(parents=True)
    assert find_model_folder(Path("base")) == package / "base"
    assert find_model_folder(Path("base/")) == package / "base"
    assert find_model_folder(Path("other")) == Path("other")
    assert find_model_folder(Path("models/base")) == Path("models/base")


def test_a_folder_that_is_there_goes_first(package: Path) -> None:
    (package / "base").mkdir(parents=True)
    Path("base").mkdir()
    assert find_model_folder(Path("base")) == Path("base")


def test_a_name_that_is_not_shipped_is_no_model_folder(package: Path) -> None:
    with pytest.raises(InputError, match="other is no model folder"):
        read_card(Path("other"))


def test_the_package_ships_a_base_model() -> None:
    card = read_card(shipped.FOLDER / shipped.BASE)
    assert card.simulated and card.classes == ["muscle", "liver"]
