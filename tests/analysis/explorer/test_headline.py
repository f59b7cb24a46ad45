"""What the first sentences of a report say, of R chosen so that the answer is known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.explorer.headline import headline, how_sure, what_helps, who_forgets
from cl_seg.analysis.report.section import ReportData
from cl_seg.records.results import RunResult
from tests.records.factory import NAIVE, cases_of, run_record, run_result

KEEPS = [[0.1, 0.2], [0.9, 0.5], [0.9, 0.8]]
UNLEARNED = [[0.1, 0.2], [0.5, 0.4], [0.5, 0.4]]


def strategy(name: str, **changes: Any) -> dict[str, Any]:
    return {"strategy": name, "spec": {"strategy": {"name": name.lower()}, **changes}}


def runs_of(name: str, r: list[list[float]], model: str = "VNet") -> list[RunResult]:
    """Three seeds of four patients, who differ a little."""
    runs = []
    for seed in range(3):
        matrix = np.array(r) + 0.001 * seed
        changes = {**strategy(name, seed=seed), "model": model}
        record = run_record(matrix, **changes)
        cases = [
            cases_of(record).assign(patient=f"p{k}", dice=lambda own, k=k: own["dice"] + 0.001 * k)
            for k in range(-2, 3)
        ]
        runs.append(run_result(matrix, pd.concat(cases), **changes))
    return runs


def test_who_forgets_names_the_network_its_loss_and_the_scanner() -> None:
    data = ReportData([*runs_of("Naive", NAIVE), *runs_of("Naive", KEEPS, "UNet")])
    text = who_forgets(data)
    assert text.startswith("Fine-tuned from scanner to scanner, VNet loses most: −0.300 ±")
    assert "most on Scanner A, from 0.90 to 0.60; UNet nothing, +0.000" in text
    assert text.endswith("the interval lies below 0 for 1 of 2 networks, the rest is undecided.")


def test_one_seed_decides_nothing() -> None:
    data = ReportData([run_result(NAIVE), run_result(KEEPS, **strategy("Replay"))])
    assert who_forgets(data).endswith("without an interval this may be chance.")
    assert what_helps(data) == (
        "Replay gains +0.150 in the mean, up to +0.150 ACC over fine-tuning with VNet "
        "(BWT +0.300); without an interval this may be chance."
    )
    assert "no intervals for other patients and seeds" in how_sure(data)


def test_what_was_not_learned_is_not_forgotten() -> None:
    data = ReportData([run_result(UNLEARNED)])
    assert who_forgets(data) == "Not evaluable: VNet did not learn what could be forgotten."
    assert what_helps(data).startswith("Not measured")
    assert "not evaluable: VNet Naive" in how_sure(data)


def test_a_network_that_learns_no_more_is_no_help() -> None:
    frozen = [[0.1, 0.2], [0.9, 0.5], [0.9, 0.82]]
    tuned = [[0.1, 0.2], [0.9, 0.5], [0.86, 0.92]]
    data = ReportData([*runs_of("Naive", tuned), *runs_of("Frozen", frozen)])
    assert what_helps(data) == "Nothing: no strategy gains ACC over fine-tuning (Frozen)."


def test_help_is_counted_where_an_interval_decides() -> None:
    data = ReportData([
        *runs_of("Naive", NAIVE), *runs_of("Replay", KEEPS), *runs_of("Lazy", UNLEARNED)
    ])  # fmt: skip
    text = what_helps(data)
    assert text.startswith("Replay helps with 1 of 1 network, up to +0.150 ±")
    assert "Lazy" not in text, "it is not evaluable"
    assert "5 test patients, 3 seeds, 1 order; ± are 95 % intervals" in how_sure(data)


@pytest.mark.parametrize("runs", [[run_result([[0.1, 0.2], [0.9, 0.9]], **strategy("Joint"))]])
def test_without_a_stream_the_questions_are_answered_so(runs: list[RunResult]) -> None:
    answers = headline(ReportData(runs))
    assert list(answers) == ["Who forgets", "What helps", "How sure"]
    assert answers["Who forgets"].startswith("Not measured: no network was fine-tuned")
