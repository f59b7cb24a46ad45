"""The whole check runs on a CPU at small sizes; its record holds every part of every check."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cl_seg.models.registry import OF_THE_STUDY
from experiments.gpu import check
from experiments.gpu.costs import STRATEGIES
from experiments.gpu.outcome import Check, CheckFailed, Figures, Part
from experiments.gpu.resume import with_plugin

ROOT = Path(__file__).parents[3]
ORDER = ["repeat", "resume", "placement", "stream", "speed", "costs"]


def fails() -> Figures:
    raise CheckFailed("weights differ")


def run(
    monkeypatch: pytest.MonkeyPatch, folder: Path, checks: list[Check], *more: str
) -> tuple[int, dict[str, Any]]:
    monkeypatch.setattr(check, "all_checks", lambda extent, place: checks)
    out = folder / "gpu.json"
    code = check.main(["--device", "cpu", "--small", "--out", str(out), *more])
    return code, json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("required", "code"), [(True, 1), (False, 0)])
def test_only_a_required_check_that_failed_fails(
    required: bool, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    checks = [
        Check("repeat", required, [Part("vnet", fails)]),
        Check("speed", False, [Part("vnet", lambda: {"share": 0.5})]),
    ]
    found, record = run(monkeypatch, tmp_path, checks)
    assert found == code and record["passed"] == (code == 0)
    assert [one["status"] for one in record["checks"]] == ["failed", "passed"]
    assert record["checks"][1]["parts"][0]["figures"] == {"share": 0.5}
    printed = capsys.readouterr().out
    assert "weights differ" in printed and "share 0.5" in printed


def test_a_required_check_that_is_not_run_is_not_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checks = [Check("repeat", True, [Part("vnet", dict)])]
    code, record = run(monkeypatch, tmp_path, checks, "--minutes", "0")
    assert code == 1 and record["checks"][0]["parts"][0]["status"] == "not run"


def test_a_record_of_a_check_that_was_ended_is_not_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupt() -> Figures:
        raise KeyboardInterrupt

    checks = [
        Check("repeat", True, [Part("vnet", dict)]),
        Check("resume", True, [Part("vnet", interrupt)]),
    ]
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, tmp_path, checks)
    record = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert [one["status"] for one in record["checks"]] == ["passed", "not run"]
    assert not record["passed"]


def test_a_gpu_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setattr(check.torch.cuda, "is_available", lambda: False)
    assert check.main(["--out", str(tmp_path / "gpu.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_the_how_to_explains_every_check_and_option() -> None:
    text = (ROOT / "docs/how-to/check-a-gpu.md").read_text(encoding="utf-8")
    for name in [*ORDER, "--minutes 8", "--out results/gpu.json", "--device cpu --small"]:
        assert f"| `{name}` |" in text


@pytest.mark.slow
def test_the_whole_check_runs_on_a_cpu(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    command = ["-m", "experiments.gpu.check", "--device", "cpu", "--small", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WANDB_MODE": "disabled"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["passed"] and record["torch"] and record["device"] and record["cuda"] is None
    checks = {one["check"]: one for one in record["checks"]}
    assert list(checks) == ORDER and all(one["status"] == "passed" for one in checks.values())
    assert [name for name in ORDER if checks[name]["required"]] == ORDER[:4]
    parts = {name: {p["name"]: p["figures"] for p in one["parts"]} for name, one in checks.items()}
    assert {name.split()[0] for name in parts["repeat"]} == set(OF_THE_STUDY)
    fine_tuned = {f"{network} naive" for network in OF_THE_STUDY}
    assert set(parts["resume"]) == fine_tuned | {f"vnet {name}" for name in with_plugin()}
    assert set(parts["placement"]) == set(with_plugin())
    assert parts["placement"]["ewc"]["largest megabytes"] > 1
    assert len(parts["speed"]) == 2 * len(OF_THE_STUDY)
    for figures in parts["speed"].values():
        assert figures["slices a second"] > 0 and figures["share"] > 0
    for figures in parts["costs"].values():
        assert all(figures[name]["median"] > 0 for name in STRATEGIES)
