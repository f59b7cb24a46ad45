"""What the documents say of the program is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cl_seg.models.declared import NETWORKS
from cl_seg.models.registry import build_model, parameter_count
from cl_seg.phantom.profiles import load_profile, profile_names

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\d,]+) \| [^|]+ \| (\d+) \| ([\d.e-]+) \|$", re.M)


def network_rows() -> list[tuple[str, str, str, str, str]]:
    return ROW.findall((ROOT / "docs" / "networks.md").read_text())


def test_every_preset_is_documented() -> None:
    documented = {(name, preset) for name, preset, *_ in network_rows()}
    assert documented == {(n, p) for n, network in NETWORKS.items() for p in network.presets}


@pytest.mark.parametrize("row", network_rows(), ids=lambda row: "-".join(row[:2]))
def test_parameters_sizes_and_rates_are_as_documented(row: tuple[str, ...]) -> None:
    name, preset, parameters, multiple, rate = row
    model = build_model(name, preset, {}, classes=3, image_size=64)
    assert parameter_count(model) == int(parameters.replace(",", ""))
    assert NETWORKS[name].size_multiple == int(multiple)
    assert NETWORKS[name].presets[preset].learning_rate == float(rate)


def test_every_profile_is_documented() -> None:
    text = (ROOT / "docs" / "simulator.md").read_text()
    for name in profile_names():
        profile = load_profile(name)
        assert f"| `{name}` | {profile.track} | {profile.display_name} |" in text


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_option_of_the_slurm_how_to_exists() -> None:
    import typer

    from cl_seg.cli import app

    run = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    known = {name for parameter in run.params for name in parameter.opts}
    text = (ROOT / "docs" / "how-to" / "slurm.md").read_text()
    ours = text.replace("srun --partition", "").replace("scancel --name", "")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", ours))
    assert {"--engine", "--partition", "--gres", "--time", "--max-jobs", "--sbatch"} <= named
    assert named <= known | {"--data"}


@pytest.mark.slow
def test_the_way_to_a_strategy_and_a_network_of_ones_own(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "own-strategy.md").read_text()
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", text, re.S))
    assert len(blocks["yaml"].splitlines()) <= 30, "in thirty lines"
    assert len(blocks["python"].partition("def plain")[0].splitlines()) <= 30
    for kind, name in (("python", "mine.py"), ("yaml", "mine.yaml")):
        assert blocks[kind].startswith(f"# {name}\n")
        (tmp_path / name).write_text(blocks[kind])
    program, *arguments = blocks["sh"].split()
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=tmp_path,
        env={**os.environ, "WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results/mine/figures/forgetting.svg").is_file()
    rows = (tmp_path / "results/mine/runs.csv").read_text().splitlines()
    assert len(rows) == 5 and sum("Anchor" in row for row in rows) == 2
