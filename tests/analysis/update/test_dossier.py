"""The page and the JSON file of an update, from results on disk."""

import json
from pathlib import Path

import pytest

from cl_seg.analysis.update.dossier import JSON, PAGE, write_dossier
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult
from cl_seg.records.tables import InMemoryTables
from tests.analysis.update.factory import HELD_OUT, NEW, OLD, candidate_runs
from tests.records.factory import examples_of, write_record, write_run

GAIN = {(NEW, "muscle"): 0.1, (NEW, "liver"): 0.1}
LOSS = {**GAIN, (OLD, "liver"): -0.05}


def write(folder: Path, *candidates: list[RunResult], pictures: bool = False) -> Path:
    """Results of candidates on disk, with pictures if wanted."""
    for number, run in enumerate(run for runs in candidates for run in runs):
        examples = examples_of([OLD, HELD_OUT, NEW]) if pictures else {}
        record = run.record.model_copy(update={"place": (0, number, 0, 0)})
        whole = RunResult(record, InMemoryTables(run.cases, run.curve, examples))
        write_record(folder / "runs" / run.run_id, whole)
    return folder


def test_it_says_what_is_recommended_and_why_others_are_not(tmp_path: Path) -> None:
    rejected = candidate_runs(LOSS, strategy="Naive")
    write(tmp_path, candidate_runs(GAIN), rejected, pictures=True)
    found = write_dossier(tmp_path, Path("models/before"))
    assert found.status == "recommended"
    page = (tmp_path / PAGE).read_text()
    assert "Recommended: update VNet by EWC with 20 labelled slices of Scanner C." in page
    assert "Dice there goes from 0.800 to 0.900" in page
    assert "Dice liver on Scanner A is worse: -0.050" in page
    assert 'class="verdict supported">accepted' in page
    assert "models/before" in page
    assert "f" * 64 in page
    for title in ("Scanner C (new)", "Scanner A (old)", "Scanner B (held out)", "Model card"):
        assert f">{title}</h2>" in page
    assert page.count("<svg") == 5  # a forest plot per scanner, typical and lowest slices
    for outside in ("<link", "<script src", "<img", 'src="http', 'href="http'):
        assert outside not in page


def test_the_json_has_every_change_with_its_verdict(tmp_path: Path) -> None:
    write(tmp_path, candidate_runs(LOSS))
    write_dossier(tmp_path)
    content = json.loads((tmp_path / JSON).read_text())
    assert content["recommendation"] == "not recommended"
    assert content["candidate"] is None
    assert content["parent"] == {"folder": None, "sha256": "f" * 64}
    [candidate] = content["candidates"]
    assert candidate["verdict"] == "rejected"
    assert [run["seed"] for run in candidate["runs"]] == [0, 1, 2]
    [worse] = [one for one in candidate["outcomes"] if one["verdict"] == "worse"]
    assert (worse["scanner"], worse["role"], worse["score"]) == (OLD, "old", "Dice liver")
    assert worse["change"] == pytest.approx(-0.05)
    assert worse["lower"] < -0.05 < worse["upper"]
    lost = candidate["lost_most"]
    assert len(lost) == 10
    assert {(one["scanner"], one["structure"]) for one in lost} == {("Scanner A", "liver")}
    changes = [one["change"] for one in lost]
    assert changes == sorted(changes)


def test_errors_of_area_have_the_sign_of_the_score(tmp_path: Path) -> None:
    runs = candidate_runs(GAIN, area={(OLD, "muscle"): 3})
    write(tmp_path, runs)
    write_dossier(tmp_path)
    [candidate] = json.loads((tmp_path / JSON).read_text())["candidates"]
    [worse] = [one for one in candidate["outcomes"] if one["verdict"] == "worse"]
    assert (worse["score"], worse["change"]) == ("area error muscle, %", pytest.approx(3))


def test_one_seed_has_no_bounds_and_no_answer(tmp_path: Path) -> None:
    write(tmp_path, candidate_runs(GAIN, seeds=[0]))
    assert write_dossier(tmp_path).status == "undecided"
    page = (tmp_path / PAGE).read_text()
    assert "Undecided: keep the model as it is until more is known." in page
    assert "all scores: at least 2 seeds (now 1)" in page
    assert "There are no pictures" in page
    assert ">Model card</h2>" not in page
    outcome = json.loads((tmp_path / JSON).read_text())["candidates"][0]["outcomes"][0]
    assert outcome["lower"] is None


def test_results_of_another_suite_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive")
    with pytest.raises(InputError, match="no run of an update suite"):
        write_dossier(tmp_path)
    assert not (tmp_path / PAGE).exists()


def test_missing_runs_are_told(tmp_path: Path) -> None:
    runs = candidate_runs(GAIN)
    write(tmp_path, runs)
    plan = {run.run_id: run.record.key for run in runs} | {"EWC-20-3": "key"}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    write_dossier(tmp_path)
    assert "1 of 4 runs are missing: EWC-20-3." in (tmp_path / PAGE).read_text()
