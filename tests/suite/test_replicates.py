"""Replicates: each has a seed, a stream of scanners and training bodies of its own."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.claims.judge import judge
from cl_seg.analysis.claims.read import read_claims
from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table
from cl_seg.api.results import load_results as load
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.records.load import load_results
from cl_seg.scans.store import Grid, SliceRow, create_store
from tests.suite.conftest import NETWORK, run

SCANNERS = [f"scanner-{k:02d}" for k in range(1, 7)]
OWN, SHARED = 4, 3


def write_store(folder: Path, scanners: Sequence[str] = SCANNERS) -> Path:
    """Some bodies of every scanner's own and some that all scan; what is seen depends on names."""
    with create_store(folder, ["muscle", "liver"], Grid(32, 4.0), {"kind": "simulated"}) as writer:
        for k, scanner in enumerate(scanners):
            random = np.random.default_rng(k)
            bodies = [f"{scanner}-body-{i}" for i in range(OWN)]
            bodies += [f"shared-body-{i}" for i in range(SHARED)]
            rows = [_row(scanner, body, z) for body in bodies for z in range(2)]
            labels = np.zeros((len(rows), 32, 32), np.uint8)
            labels[:, 4:14, 6:26], labels[:, 18:28, 8:20] = 1, 2
            noise = random.normal(0, 10, labels.shape)
            hu = np.array([-100, 50, 150])[labels] + random.integers(-60, 60) + noise
            title = f"Scanner {k + 1:02d}, native (simulated)"
            writer.add_scanner(scanner, title, rows, hu.astype(np.int16), labels)
    return folder


def _row(scanner: str, body: str, z: int) -> SliceRow:
    case = f"{body}@{scanner}"
    return SliceRow(
        slice_id=f"{case}-{z}",
        scanner=scanner,
        case=case,
        patient=body,
        series=case,
        z_mm=float(z),
        spacing_mm=1.0,
        thickness_mm=5.0,
        kvp=120.0,
        kernel="B",
        labelled="muscle,liver",
        body=body,
    )


def suite_on(store: Path, number: int = 3, more: str = "") -> str:
    return f"""
kind: stream
name: random_streams
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: shared, validation: 0.3}}
models: [{{name: "{NETWORK}", learning_rate: 0.05}}]
strategies:
  - naive
  - {{name: cumulative, settings: {{restart: true}}, replicates: 1}}
  - joint
replicates: {{number: {number}, scanners: 2}}
learned_dice: {{muscle: 0, liver: 0}}
training: {{steps: 2, batch_size: 4, curve_every: 1, device: cpu}}
{more}"""


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "six.store")


@pytest.fixture(scope="module")
def finished(six: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of three replicates with two scanners each."""
    results = tmp_path_factory.mktemp("replicates") / "random_streams"
    said, failed = run(suite_on(six), results)
    assert not failed, said
    return results


def test_a_store_with_more_scanners_keeps_every_key(tmp_path: Path) -> None:
    texts = {
        4: suite_on(write_store(tmp_path / "four.store", SCANNERS[:4]), 2),
        6: suite_on(write_store(tmp_path / "six.store"), 3),
    }
    plans = {}
    for count, text in texts.items():
        path = tmp_path / f"{count}.yaml"
        path.write_text(text)
        plans[count] = resolve(path, cache=tmp_path / "stages")
    few, more = plans[4], plans[6]
    assert few.stages.keys() < more.stages.keys()
    keys = {planned.run_id: planned.key for planned in more.runs}
    assert all(keys[planned.run_id] == planned.key for planned in few.runs)
    assert few.context.store != more.context.store
    assert few.context.rows.items() <= more.context.rows.items()


def test_what_is_finished_is_not_run_again(six: Path, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "random_streams"
    shutil.copytree(finished, folder)
    for run_folder in folder.glob("runs/*replicate3"):
        shutil.rmtree(run_folder)
    before = {p: p.read_bytes() for p in folder.glob("runs/*/run.json")}
    said, failed = run(suite_on(six), folder)
    assert not failed and said[0] == "5 of 7 runs are finished already"
    assert {p: p.read_bytes() for p in before} == before


def test_test_bodies_are_the_shared_ones_and_train_nothing(finished: Path) -> None:
    for result in load_results(finished):
        assert result.patients == tuple(f"shared-body-{i}" for i in range(SHARED))
        assert result.record.slices[result.order[0]]["test"] == 2 * SHARED
        assert result.record.spec.replicate == result.seed == result.order_number


def test_scores_are_of_each_replicate_and_intervals_of_other_ones(finished: Path) -> None:
    runs = load_results(finished)
    table = run_table(runs)
    naive = table[table["strategy"] == "Naive"].set_index("seed")
    assert list(naive["order"]) == [
        "scanner-01 > scanner-02", "scanner-03 > scanner-04", "scanner-05 > scanner-06",
    ]  # fmt: skip
    assert naive["intransigence"].notna().to_dict() == {1: True, 2: False, 3: False}, (
        "relative to cumulative training of the same replicate, which the others lack"
    )
    summary = load(finished).summary().set_index("strategy")
    assert list(summary["runs"]) == [3, 1, 3]
    assert np.isfinite(summary.loc[["Naive", "Joint"], "ACC ±"]).all()
    assert np.isfinite(summary.loc["Naive", "BWT ±"])


def test_the_report_is_by_position_in_the_stream(finished: Path) -> None:
    text = write_report(finished).read_text()
    assert "3 replicates, each of 2 scanners of its own: Scanner 01" in text
    assert "Streams of replicates: 1 is Scanner 01" in text
    assert "other patients and other replicates" in text and "other seeds" not in text
    assert "Rows are means over 1 to 3 replicates" in text
    assert "mean over replicates" in text and "over orders" not in text
    assert "3 on 1st scanner, 3 on 2nd scanner" in text
    spread = pd.read_csv(finished / "order_spread.csv")
    assert set(spread["orders"]) == {3} and np.isfinite(spread["sd"]).all()
    agreement = pd.read_csv(finished / "agreement.csv")
    assert set(agreement["scanner"]) == {"1st scanner", "2nd scanner"}
    runs = pd.read_csv(finished / "runs.csv")
    assert "scanner-05 > scanner-06" in set(runs["order"])
    figures = {path.stem for path in (finished / "figures").glob("*.svg")}
    assert figures >= {"forgetting", "accuracy_matrix", "joint_differences", "replicates"}
    assert "orders" not in figures


def test_r_is_the_mean_over_replicates_by_position(finished: Path) -> None:
    results = load(finished)
    r = results.R("build", "naive")
    assert list(r.columns) == ["1st scanner", "2nd scanner"]
    assert list(r.index) == ["untrained", "after 1st scanner", "after 2nd scanner"]
    each = [run.matrix() for run in results.runs if run.strategy == "Naive"]
    np.testing.assert_allclose(r, np.mean(each, axis=0))
    second = results.R("build", "naive", order=2)
    assert list(second.columns) == ["Scanner 03", "Scanner 04"]


def test_claims_pair_replicates(finished: Path, tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text("""
claims:
  - name: C
    says: joint training is better
    source: a test
    contrasts:
      - {suite: random_streams, score: ACC, a: {networks: [build], strategy: Joint},
         b: {networks: [build], strategy: Naive}}
""")
    folder = tmp_path / "results"
    shutil.copytree(finished, folder / "random_streams")
    (verdict,) = judge(read_claims(file), folder)
    (evidence,) = verdict.evidence
    assert (evidence.patients, evidence.seeds, evidence.repeats) == (SHARED, 3, "replicates")
    assert np.isfinite(evidence.ci_half_width)
    # One side with fewer replicates is compared in those that both have.
    for path in folder.glob("random_streams/runs/*naive-replicate2"):
        shutil.rmtree(path)
    (verdict,) = judge(read_claims(file), folder)
    assert verdict.evidence[0].seeds == 2 and verdict.evidence[0].verdict != "no result"


def test_a_store_without_shared_bodies_is_refused(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(suite_on(store, 1))
    with pytest.raises(InputError, match="no patient was seen on every scanner of the store"):
        resolve(path, cache=tmp_path / "stages")
