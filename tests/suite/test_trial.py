"""Networks and plugins are tried before a suite is run, where one asks for it."""

from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.suite.trial import try_plans

from .test_own_plugins import plugin, with_strategies


def tried(text: str, folder: Path) -> list[str]:
    (folder / "suite.yaml").write_text(text)
    lines = list(try_plans([resolve(folder / "suite.yaml", cache=folder / "stages")]))
    assert not (folder / "stages" / "partial").exists(), "nothing is computed into the cache"
    return lines


def test_every_network_is_built_and_timed(suite_text: str, tmp_path: Path) -> None:
    (line,) = tried(suite_text, tmp_path)
    assert line.startswith("build: 0.0 million parameters, ")
    assert "its 120 steps take about " in line


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tiny_network:build", "tiny_network:build_wrong", "expected logits of shape"),
        ("naive", plugin("NoPlugin"), "NoPlugin"),
    ],
)
def test_what_cannot_run_is_refused(
    suite_text: str, tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = suite_text.replace(old, new) if old != "naive" else with_strategies(suite_text, new)
    with pytest.raises(InputError, match=told):
        tried(text, tmp_path)


def test_a_gpu_that_is_not_there_is_refused(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    text = suite_text.replace("device: cpu", "device: cuda")
    with pytest.raises(InputError, match="device is cuda, but this machine has no GPU"):
        tried(text, tmp_path)
