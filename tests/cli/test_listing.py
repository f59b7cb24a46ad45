"""``cl-seg list``."""

import pytest
from typer.testing import CliRunner

from cl_seg.analysis.score_list import score_definitions
from cl_seg.cli import app
from cl_seg.models.registry import NETWORKS
from cl_seg.phantom.profiles import scanner_names
from cl_seg.strategies.registry import STRATEGIES

LISTS = {
    "networks": list(NETWORKS),
    "strategies": list(STRATEGIES),
    "profiles": scanner_names(),
    "scores": ["ACC", "BWT", "plasticity", "relearning_steps"],
}


@pytest.mark.parametrize("kind", LISTS)
def test_every_name_is_there_in_full(kind: str) -> None:
    shown = CliRunner().invoke(app, ["list", kind])
    assert shown.exit_code == 0, shown.output
    words = [line.split()[0] for line in shown.output.splitlines() if line.split()]
    assert set(LISTS[kind]) <= set(words)


def test_settings_have_their_defaults_and_scores_their_formulas() -> None:
    settings = CliRunner().invoke(app, ["list", "strategies"], env={"COLUMNS": "300"}).output
    assert "ewc_lambda: 0.01" in settings
    assert score_definitions()["BWT"].startswith("mean_{j<N} (R[N, j] − R[j, j])")
    assert "R[j, j]" in CliRunner().invoke(app, ["list", "scores"], env={"COLUMNS": "300"}).output


def test_every_score_has_a_definition() -> None:
    assert all(score_definitions().values())
