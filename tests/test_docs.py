"""What the documents say of the program is true."""

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Set
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cl_seg.models.build import build_model, parameter_count
from cl_seg.models.registry import NETWORKS
from cl_seg.phantom.profiles import load_profile, profile_names
from tests import networks

ROOT = Path(__file__).parents[1]
ROW = re.compile(
    r"^\| `(\w+)` \| (\w+) \| ([\d,]+) \| [^|]+ \| (\d+) \| ([\d.e-]+) \| (yes|no) \|$", re.M
)


def network_rows() -> list[tuple[str, str, str, str, str, str]]:
    return ROW.findall((ROOT / "docs" / "networks.md").read_text())


def test_every_preset_is_documented() -> None:
    documented = {(name, preset) for name, preset, *_ in network_rows()}
    assert documented == {(n, p) for n, network in NETWORKS.items() for p in network.presets}


@pytest.mark.parametrize(
    ("name", "preset", "parameters", "multiple", "rate", "tuned"),
    [networks.case(*row, id="-".join(row[:2])) for row in network_rows()],
)
def test_parameters_sizes_and_rates_are_as_documented(
    name: str, preset: str, parameters: str, multiple: str, rate: str, tuned: str
) -> None:
    model = build_model(name, preset, {}, classes=3, image_size=64)
    assert parameter_count(model) == int(parameters.replace(",", ""))
    assert NETWORKS[name].size_multiple == int(multiple)
    assert NETWORKS[name].presets[preset].learning_rate == float(rate)
    assert NETWORKS[name].presets[preset].rate_is_tuned == (tuned == "yes")


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


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.S | re.M)
    return [text for language, text in found if language in languages]


def commands(page: Path) -> list[list[str]]:
    """The lines of a page's shell blocks that call the program."""
    lines = "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("cl-seg ")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_the_program_understands_every_command(page: Path) -> None:
    import click
    import typer

    from cl_seg.cli import app

    for line in commands(page):
        command: click.Command | None = typer.main.get_command(app)
        name, left, context = line[0], line[1:], None
        while command is not None:
            context = command.make_context(name, list(left), parent=context)
            if not isinstance(command, click.Group):
                break
            name, command, left = command.resolve_command(context, left)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    site = tmp_path / "site"
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    done = subprocess.run(
        [*mkdocs, "--config-file", "docs/site/mkdocs.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for page in ("index.html", "reference/suite.html", "reference/command-line.html"):
        assert (site / page).is_file()
    api = (site / "api/python.html").read_text()
    assert ">load_results<" in api and ">EWC<" in api and ">bwt<" in api and ":class:" not in api
    for name in ("quickstart", "own_strategy"):
        assert "cl_seg" in (site / f"examples/{name}.html").read_text()
    assert "ewc_lambda" in (site / "reference/suite.html").read_text()
    assert "--processor" in (site / "reference/command-line.html").read_text()
    assert "https://" not in "".join(re.findall(r"<(?:script|link|img)[^>]*>", read_all(site)))


def read_all(site: Path) -> str:
    return "".join(page.read_text() for page in site.rglob("*.html"))


def follow(line: list[str], folder: Path, codes: Set[int] = frozenset({0})) -> None:
    program, *arguments = line
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=folder,
        env={**os.environ, "WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, " ".join(arguments) + "\n" + done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["getting-started", "how-to/own-ct", "how-to/own-strategy"])
def test_a_page_can_be_followed(name: str, tmp_path: Path) -> None:
    page = ROOT / "docs" / f"{name}.md"
    for text in blocks(page, "yaml", "python"):
        (tmp_path / text.split()[1]).write_text(text)
    for line in commands(page):
        follow(line, tmp_path)
    for report in tmp_path.glob("results/*"):
        assert (report / "figures/forgetting.svg").is_file()


SHORT = """
kind: stream
name: quick
data: {phantom: {scanners: [siemens_like, ge_like], own_bodies: 6, shared_bodies: 3}}
image: {size: 64}
models: [unet]
strategies: [joint]
seeds: [0]
training: {steps: 5, batch_size: 4, curve_every: 0}
"""


@pytest.mark.slow
def test_the_page_of_seed_labelling_can_be_followed(tmp_path: Path) -> None:
    """Simulated CT is the reader's own, and a stand-in draws what a person would."""
    (tmp_path / "short.yaml").write_text(SHORT)
    follow(["cl-seg", "run", "short.yaml"], tmp_path)
    bodies = "--own-bodies 9 --shared-bodies 4 --slices 2"
    export = f"cl-seg phantom export dicom --scanner stress_native {bodies}"
    follow(export.split(), tmp_path)
    for line in commands(ROOT / "docs/how-to/seed-labelling.md"):
        scanners = [path.name for path in tmp_path.glob("new.store/*/")]
        here = {"/path/to/dicom": "dicom/images", "NAME": scanners[0] if scanners else ""}
        here["siemens-biograph40-mct-medium-120kv"] = here["NAME"]
        follow([here.get(word, word) for word in line], tmp_path)
        if line[1:3] == ["seed", "select"]:
            draw_rectangles(tmp_path / "queue")
    assert (tmp_path / "predictions/measurements.csv").is_file()
    follow(["cl-seg", "model", "export", "new-model", "bundle"], tmp_path)


@pytest.mark.slow
def test_the_page_of_updates_can_be_followed(tmp_path: Path) -> None:
    """A model of ours is the reader's own, and simulated CT of two scanners."""
    (tmp_path / "short.yaml").write_text(SHORT)
    follow(["cl-seg", "run", "short.yaml"], tmp_path)
    joint = "results/quick/runs/unet-joint-order1-seed0"
    follow(["cl-seg", "model", "save", joint, "my-model"], tmp_path)
    scanners = "--scanner siemens_like --scanner stress_native --own-bodies 9 --shared-bodies 4"
    follow(f"cl-seg phantom export dicom {scanners}".split(), tmp_path)
    lines = commands(ROOT / "docs/how-to/update.md")
    assert len(lines) <= 3
    names: list[str] = []
    for line in lines:
        here = {"/path/to/manifest.csv": "dicom/manifest.csv", "NAME": names[-1] if names else ""}
        quick = ["--steps", "3", "--seeds", "2", "--strategy", "naive"] * (line[1] == "update")
        follow([here.get(word, word) for word in line] + quick, tmp_path, {0, 3, 4})
        names = sorted(path.parent.name for path in tmp_path.glob("hospital.store/*/hu.npy"))
    (page,) = tmp_path.glob("results/update-*/update.html")
    assert page.with_suffix(".json").is_file()


def draw_rectangles(queue: Path) -> None:
    with (queue / "queue.csv").open() as table:
        for entry in csv.DictReader(table):
            image = nibabel.load(queue / entry["labels"])
            values = np.asarray(image.dataobj).copy()
            values[:, :, int(entry["slice"])] = 0
            values[100:140, 90:110, int(entry["slice"])] = 1
            values[100:140, 120:150, int(entry["slice"])] = 2
            nibabel.save(nibabel.Nifti1Image(values, image.affine), queue / entry["labels"])


def test_a_strategy_and_a_network_of_ones_own_take_thirty_lines() -> None:
    page = ROOT / "docs/how-to/own-strategy.md"
    (python,), (yaml,) = blocks(page, "python"), blocks(page, "yaml")
    assert len(yaml.splitlines()) <= 30
    assert len(python.partition("def plain")[0].splitlines()) <= 30
