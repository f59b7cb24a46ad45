"""Verdicts on draws are counted against the truth of all patients and seeds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.update import gate

PATIENTS, SEEDS, DRAWS = 80, 6, 20
RNG = np.random.default_rng(1)


def gains(strategy: str, scanner: str, role: str, score: str, mean: float) -> pd.DataFrame:
    """Gains of one cell around a mean, in Dice."""
    values = RNG.normal(mean, 0.002, (PATIENTS, SEEDS))
    patient, seed = np.indices(values.shape)
    table = pd.DataFrame({"patient": patient.ravel(), "seed": seed.ravel(), "gain": values.ravel()})
    keys = {"strategy": strategy, "scanner": scanner, "role": role, "score": score}
    return table.assign(**keys, margin=0.01, network="unet", new="c")


def of_candidate(strategy: str, old: float) -> pd.DataFrame:
    """A candidate that gains on the new scanner, and changes the old one."""
    return pd.concat(
        [
            gains(strategy, "c", "new", "Dice liver", 0.02),
            gains(strategy, "c", "new", gate.MEAN, 0.02),
            gains(strategy, "a", "old", "Dice liver", old),
        ]
    )


@pytest.fixture(scope="module")
def drawn() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draws of one gate with a harmless candidate and a harmful one."""
    table = pd.concat([of_candidate("safe", 0.0), of_candidate("harmful", -0.02)])
    return gate.drawn_verdicts(table, DRAWS)


def test_truth_is_the_mean_of_all_and_of_those_that_are_not_drawn(
    drawn: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    lost = drawn[0].query("strategy == 'harmful' and scanner == 'a'")
    assert lost["truth"].nunique() == 1
    assert lost["truth"].iloc[0] == pytest.approx(-0.02, abs=0.001)
    assert lost["truth of the rest"].nunique() > 1


def test_clear_losses_and_clear_gains_are_told_apart(
    drawn: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    table = gate.by_truth(drawn[0][drawn[0]["score"] != gate.MEAN])
    lost, kept = (table[table["truth"] == name] for name in (gate.CLASSES[0], gate.CLASSES[2]))
    assert set(lost["not worse"]) == {"0.0"} and set(lost["worse"]) == {"100.0"}
    assert set(kept["not worse"]) == {"100.0"}
    assert set(table["cells"]) <= {"1", "2", "3"}


def test_the_gate_recommends_the_harmless_candidate(
    drawn: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    table = gate.by_answer(drawn[1])
    assert set(table["recommended"]) == {"100.0"} and set(table["wrong"]) == {"0.0"}
    assert list(table["test patients"]) == 2 * ["14", "30", "60"]


def test_a_recommended_loss_is_counted_as_wrong() -> None:
    table = of_candidate("harmful", -0.02)
    cells = gate.cells_of(table)
    lucky = [
        gate.Cell(c.strategy, c.scanner, c.role, c.score, c.margin, np.abs(c.gains)) for c in cells
    ]
    found = [
        (row | {"truth": cell.gains.mean()}, judged)
        for cell, (row, judged) in zip(
            cells, gate.of_draw(lucky, np.arange(30), np.arange(3)), strict=True
        )
    ]
    answer = gate.answer_of(found)
    assert answer == {"answer": "recommended", "wrong": True, "all harmful": True}


def test_the_page_is_made_of_the_gains(tmp_path: Path) -> None:
    gate.write(tmp_path / "out", of_candidate("safe", 0.0), 3)
    assert "80 test patients and 6 seeds" in (tmp_path / "out" / "gate.md").read_text("utf-8")
    assert len(pd.read_parquet(tmp_path / "out" / "gains.parquet")) == 3 * PATIENTS * SEEDS
