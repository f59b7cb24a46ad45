"""What changed, taken from runs."""

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.update.outcomes import mean_dice, outcomes_of, roles
from cl_seg.messages.errors import InputError
from cl_seg.records.results import RunResult
from cl_seg.records.tables import InMemoryTables
from tests.analysis.update.factory import HELD_OUT, NEW, OLD, update_run
from tests.records.factory import run_result


def with_cases(run: RunResult, cases: pd.DataFrame) -> RunResult:
    return RunResult(run.record, InMemoryTables(cases))


def test_every_score_of_every_scanner_is_compared_patient_by_patient() -> None:
    runs = [
        update_run({(OLD, "liver"): [0.1, -0.1, 0.0]}, patients=3, seed=0),
        update_run({(OLD, "liver"): [0.2, 0.0, 0.0]}, patients=3, seed=1),
    ]
    outcomes = outcomes_of(runs)
    assert [(one.scanner, one.role) for one in outcomes[::4]] == [
        (NEW, "new"),
        (OLD, "old"),
        (HELD_OUT, "held out"),
    ]
    names = ["Dice muscle", "Dice liver", "area error muscle, %", "area error muscle, cm²"]
    assert [one.name for one in outcomes] == names * 3
    liver = outcomes[5]
    np.testing.assert_allclose(liver.gain, [[0.1, 0.2], [-0.1, 0.0], [0.0, 0.0]], atol=1e-12)
    assert [one.margin for one in outcomes[:4]] == [0.01, 0.01, 2, None]


def test_a_larger_error_of_area_is_a_loss() -> None:
    runs = [update_run({}, 3, {(OLD, "muscle"): 3}, seed=seed) for seed in (0, 1)]
    percent, area = outcomes_of(runs)[6:8]
    np.testing.assert_allclose(percent.before, 5)
    np.testing.assert_allclose(percent.gain, -3)
    np.testing.assert_allclose(area.gain, -3)  # the true area is 100 cm²


def test_a_patient_counts_once_whatever_the_number_of_its_cases() -> None:
    run = update_run({(OLD, "liver"): [0.1, 0.0]}, patients=2)
    again = run.cases[(run.cases["patient"] == "p000") & (run.cases["scanner"] == OLD)]
    twice = with_cases(run, pd.concat([run.cases, again.assign(case="second")]))
    liver = outcomes_of([twice])[5]
    np.testing.assert_allclose(liver.gain.mean(), 0.05)


def test_a_structure_that_no_case_has_is_left_out() -> None:
    run = update_run({})
    cases = run.cases
    absent = (cases["scanner"] == OLD) & (cases["class"] == "liver")
    outcomes = outcomes_of([with_cases(run, cases.assign(true=cases["true"].mask(absent, 0)))])
    assert (OLD, "Dice liver") not in [(one.scanner, one.name) for one in outcomes]
    assert len(outcomes) == 11


def test_the_gain_is_the_mean_over_the_structures_a_patient_has() -> None:
    run = update_run({(NEW, "liver"): 0.1, (NEW, "muscle"): 0.3}, patients=2)
    cases = run.cases
    absent = (cases["patient"] == "p000") & (cases["class"] == "liver")
    found = mean_dice([with_cases(run, cases.assign(true=cases["true"].mask(absent, 0)))])
    np.testing.assert_allclose(found.gain[:, 0], [0.3, 0.2])


def test_an_untested_scanner_and_other_patients_are_refused() -> None:
    run = update_run({})
    with pytest.raises(InputError, match="a has no test case"):
        outcomes_of([with_cases(run, run.cases[run.cases["scanner"] != OLD])])
    with pytest.raises(InputError, match="differ in their test patients"):
        outcomes_of([run, update_run({}, patients=13, seed=1)])


def test_runs_of_another_suite_are_refused() -> None:
    with pytest.raises(InputError, match="no run of an update suite"):
        roles(run_result())
