"""The answer whether a model may be updated, from Python and the command line."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import cl_seg
from cl_seg.analysis.update.recommend import Recommendation, Status, recommendation
from cl_seg.api.update import SUITE_FILE
from cl_seg.cli import app, update
from cl_seg.records.model_card import read_card
from cl_seg.records.results import RunResult
from tests.suite.conftest import NETWORK, model, no_mirror, store

__all__ = ["model", "no_mirror", "store"]

QUICK = cl_seg.Candidates(
    strategies=["naive", "lwf"], labelled=[2], seeds=[0, 1], steps=2, device="cpu"
)


@pytest.fixture(scope="module")
def ran(store: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> cl_seg.Update:
    folder = tmp_path_factory.mktemp("update")
    return cl_seg.update(
        model,
        store,
        "plain",
        candidates=QUICK,
        held_out=["dark"],
        trusted_network=NETWORK,
        results=folder / "results",
        cache=folder / "stages",
        workers=0,
    )


def test_the_suite_is_beside_its_results(ran: cl_seg.Update) -> None:
    file = ran.results.folder / SUITE_FILE
    assert yaml.safe_load(file.read_text())["held_out"] == ["dark"]
    again = cl_seg.plan(
        file, results=ran.results.folder, cache=ran.results.folder.parent / "stages"
    )
    assert len(again.runs) == 4 and again.runs["finished"].all()


def test_there_is_a_verdict_and_a_table(ran: cl_seg.Update) -> None:
    assert ran.verdict in update.EXIT_CODE and ran.verdict in ran.text.lower()
    assert ran.dossier.is_file() and ran.dossier.with_suffix(".json").is_file()
    assert (ran.model is not None) == (ran.verdict == "recommended")
    table = ran.results.summary()
    assert set(table["is"]) == {"old", "new", "held out"} and len(table) == 2 * 3
    assert (table["after"] - table["before"]).tolist() == pytest.approx(table["change"].tolist())
    with pytest.raises(cl_seg.InputError, match="of an update"):
        ran.results.R("build", "naive")
    with pytest.raises(cl_seg.InputError, match="of an update"):
        ran.results.plot.forgetting()


@pytest.mark.parametrize("verdict", list(update.EXIT_CODE))
def test_the_exit_code_is_the_verdict(
    store: Path,
    model: Path,
    ran: cl_seg.Update,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verdict: Status,
) -> None:
    def judged(runs: Sequence[RunResult]) -> Recommendation:
        candidates = recommendation(runs).candidates
        return Recommendation(verdict, candidates, candidates[: verdict == "recommended"])

    monkeypatch.setattr("cl_seg.api.update.recommendation", judged)
    line = ["update", str(model), str(store), "--scanner", "plain", "--held-out", "dark"]
    line += ["--strategy", "naive", "--labelled", "2", "--seeds", "2", "--steps", "2"]
    line += ["--device", "cpu", "--workers", "0", "--trust-network", NETWORK]
    cache = ran.results.folder.parent / "stages"
    line += ["--results", str(tmp_path / "results"), "--cache", str(cache)]
    for _ in range(2):
        done = CliRunner().invoke(app, line)
    saved = list((tmp_path / "results").glob("model-*"))
    assert done.exit_code == update.EXIT_CODE[verdict], done.output
    assert verdict in done.output.lower() and len(saved) == (verdict == "recommended")
    for folder in saved:
        assert read_card(folder).trained["update"]["parent"] == read_card(model).weights_sha256


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--scanner", "plane"], "did you mean plain?"),
        (["--scanner", "Plain", "--margin-dice", "2"], "margins.dice"),
        (["--scanner", "plain", "--labelled", "few"], "--labelled few"),
        (["--scanner", "plain", "--strategy", "rwalk"], "rwalk has to watch the training"),
        (["--scanner", "plain", "--margin-dice", "2"], "margins.dice"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    store: Path, model: Path, tmp_path: Path, more: list[str], told: str
) -> None:
    line = ["update", str(model), str(store), "--trust-network", NETWORK, *more]
    line += ["--results", str(tmp_path / "results"), "--cache", str(tmp_path / "stages")]
    done = CliRunner().invoke(app, line)
    assert isinstance(done.exception, cl_seg.InputError) and told in str(done.exception)
    assert not (tmp_path / "results").exists()
