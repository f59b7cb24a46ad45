"""The wheel holds all that a suite needs, away from the source."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import yaml

from cl_seg.inference.saved_model import save_model
from cl_seg.models.build import build_model
from tests.inference.test_saved_model import CONTENT

ROOT = Path(__file__).parents[1]


def call(where: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=where,
        env={**os.environ, "WANDB_MODE": "disabled", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_runs_the_quick_suite_away_from_the_source(tmp_path: Path) -> None:
    source, site, work = (tmp_path / name for name in ("source", "site", "work"))
    work.mkdir()
    shutil.copytree(ROOT / "cl_seg", source / "cl_seg")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.rmtree(source / "cl_seg/base_models", ignore_errors=True)
    network = build_model("vnet", "small", {}, 3, 32)
    save_model(source / "cl_seg/base_models/base", network.state_dict(), CONTENT)
    call(source, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(site)
    suite = yaml.safe_load((ROOT / "experiments/quick.yaml").read_text())
    suite["data"]["phantom"] |= {"own_bodies": 4, "shared_bodies": 2}
    suite["training"] |= {"steps": 2, "curve_every": 0}
    (work / "quick.yaml").write_text(yaml.safe_dump(suite))
    where = call(work, "-c", "import cl_seg; print(cl_seg.__file__)", PYTHONPATH=str(site))
    assert Path(where.strip()).is_relative_to(site)
    run = "from cl_seg.cli import main; main()"
    call(work, "-c", run, "run", "quick.yaml", PYTHONPATH=str(site))
    assert (work / "results/quick/report.html").is_file()
    (work / "ship.py").write_text("import cl_seg; print(cl_seg.load_model('base'))")
    assert "vnet of Scanner A" in call(work, "ship.py", PYTHONPATH=str(site))
    assert len(list((work / "results/quick/runs").iterdir())) == 16
