"""Results that are recomputed: the same on an untouched package, different where it computes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import cl_seg
from cl_seg.analysis.report.provenance import provenance
from cl_seg.cli import app
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.records.certified import CERTIFIED, read_certificates
from cl_seg.records.load import load_results
from cl_seg.records.packed import pack_results
from cl_seg.suite.certify.certify import CertifyOptions, certify
from cl_seg.suite.certify.sample import sample

from .conftest import run, tiny_suite, write_store

ROOT = Path(cl_seg.__file__).parents[1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a tiny suite, its store and its suite file beside them."""
    folder = tmp_path_factory.mktemp("certify")
    store = write_store(folder / "tiny.store")
    _, failed = run(tiny_suite(store), folder / "results")
    assert not failed
    return folder / "results"


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    """A copy of the results, without certificates."""
    return shutil.copytree(finished, tmp_path / "results")


def quiet(_line: str) -> None:
    """Say nothing."""


def test_an_untouched_package_gives_the_same_bits(results: Path) -> None:
    said = CliRunner().invoke(app, ["certify", str(results), "--stages", "4"])
    assert said.exit_code == 0, said.output
    (certificate,) = read_certificates(results)
    assert certificate.verdict == "same bits" and certificate.commit and certificate.versions
    assert len(certificate.stages) == 4
    strategies = {stage.run_id.split("-")[1] for stage in certificate.stages}
    assert strategies == {"naive", "replay", "ewc", "joint"}
    shown = provenance(load_results(results), "test")["certified"]
    assert shown.startswith("4 stages recomputed on 20") and shown.endswith("same bits")


def test_a_changed_constant_of_the_loss_is_found(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "source" / "cl_seg"
    shutil.copytree(Path(cl_seg.__file__).parent, copy, ignore=shutil.ignore_patterns("*.pyc"))
    loss = copy / "losses.py"
    smoothed = "(2 * overlap + 1) / (total + 1)"
    changed = loss.read_text().replace(smoothed, smoothed.replace("total + 1", "total + 2"))
    assert changed != loss.read_text()
    loss.write_text(changed)
    done = subprocess.run(
        [sys.executable, "-c", "from cl_seg.cli import main; main()", "certify", results],
        env={**os.environ, "PYTHONPATH": f"{copy.parent}{os.pathsep}{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (certificate,) = read_certificates(results)
    assert certificate.verdict == "different"
    assert any(stage.score for stage in certificate.stages)


def test_certificates_are_kept_and_packed(results: Path, tmp_path: Path) -> None:
    cache = results.parent / "again"
    for _ in range(2):
        certify(results, CertifyOptions(stages=1, cache=cache), quiet)
    assert len(read_certificates(results)) == 2
    pack_results(results, tmp_path / "packed")
    certify(tmp_path / "packed", CertifyOptions(stages=1, cache=cache), quiet)
    assert len(read_certificates(tmp_path / "packed")) == 3


def test_a_recorded_score_that_is_another_is_named(results: Path) -> None:
    for path in results.glob("runs/*/cases.parquet"):
        table = pd.read_parquet(path)
        table["hd95_mm"] += 1e-9
        table.to_parquet(path, index=False)
    certificate = certify(results, CertifyOptions(stages=1), quiet)
    (stage,) = certificate.stages
    assert stage.verdict == "same to 1e-6" and stage.score == "hd95_mm"
    assert stage.largest is not None and 0 < stage.largest <= 1e-8


def without_suite(results: Path) -> None:
    plan = json.loads((results / "plan.json").read_text())
    runs = {row["run_id"]: row["key"] for row in plan["runs"]}
    (results / "plan.json").write_text(json.dumps(runs))


def test_results_that_do_not_say_their_suite_need_it(results: Path, finished: Path) -> None:
    without_suite(results)
    with pytest.raises(InputError, match=r"plan\.json holds no suite.*--suite FILE"):
        certify(results, CertifyOptions(), quiet)
    suite = finished.parent / "suite.yaml"
    assert certify(results, CertifyOptions(stages=1, suite=suite), quiet).verdict == "same bits"
    assert CliRunner().invoke(app, ["certify", str(results), "--stages", "0"]).exit_code == 2


@pytest.mark.parametrize(
    ("now", "field"),
    [
        ("steps: 13", "training.steps"),
        ("steps: 12, augment: {gin: {probability: 0.5}}", "training.augment"),
    ],
)
def test_another_suite_is_refused(
    results: Path, finished: Path, tmp_path: Path, now: str, field: str
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text((finished.parent / "suite.yaml").read_text().replace("steps: 12", now))
    with pytest.raises(InputError, match=f"{re.escape(field)} is not what it was"):
        certify(results, CertifyOptions(suite=other), quiet)
    assert not (results / CERTIFIED).exists()


def test_later_stages_of_another_rate_are_another_suite(
    results: Path, finished: Path, tmp_path: Path
) -> None:
    other, text = tmp_path / "other.yaml", (finished.parent / "suite.yaml").read_text()
    other.write_text(text.replace("steps: 12", "steps: 12, later: {rate_factor: 0.5}"))
    with pytest.raises(InputError, match=r"training\.later is not what it was"):
        certify(results, CertifyOptions(suite=other), quiet)


def test_other_data_are_refused(results: Path, tmp_path: Path) -> None:
    store = write_store(tmp_path / "other.store", patients=7)
    with pytest.raises(InputError, match="nothing can be compared"):
        certify(results, CertifyOptions(data=store), quiet)


def test_the_sample_takes_every_strategy_before_one_twice(finished: Path) -> None:
    plan = resolve(finished.parent / "suite.yaml", cache=finished.parent / "stages")
    runs = {planned.run_id for planned in plan.runs}
    chosen = sample(plan, runs, 100)
    assert len({one.evaluation_keys for one in chosen}) == len(chosen) == 1 + 3 * 2 + 1
    assert [one.steps for one in chosen] == sorted(one.steps for one in chosen)
    first = sample(plan, runs, 4)
    assert len({one.planned.run.strategy.label for one in first}) == 4
    for one in chosen:
        seen: set[str] = set()
        for key in one.needed_keys:
            assert seen.issuperset(plan.stages[key].needed_keys)
            seen.add(key)
    only = chosen[-1].planned.run.run_id
    assert {one.planned.run_id for one in sample(plan, {only}, 100)} == {only}
