"""Semi-automatic tools beside the networks of a suite."""

from pathlib import Path

import pandas as pd
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.suite import semi_automatic_scores

from .conftest import run


def with_tools(text: str, tools: str) -> str:
    only_naive = [x for x in text.splitlines() if not x.startswith("  - {") and "joint" not in x]
    return "\n".join(only_naive) + f"\ntools: [{tools}]\n"


def test_tools_are_scored_once_on_the_same_cases(suite_text: str, tmp_path: Path) -> None:
    text, results = with_tools(suite_text, "window_and_wall, level_set"), tmp_path / "results"
    run(text, results)
    cases = pd.read_parquet(next((results / "runs").glob("*/cases.parquet")))
    for tool, structure in (("window_and_wall", "muscle"), ("level_set", "liver")):
        table = pd.read_csv(results / "tools" / f"{tool}.csv")
        assert set(table["case"]) == set(cases["case"])
        assert set(table["class"]) == {structure}
        assert table["dice"].between(0, 1).all() and (table["seconds_per_slice"] > 0).all()
        truth = cases[(cases["stage"] == 0) & (cases["class"] == structure)].set_index("case")
        assert (table.set_index("case")["true"] == truth["true"].loc[table["case"]]).all()
    summary = (results / "summary.md").read_text()
    assert "## Semi-automatic tools" in summary and "are optimistic" in summary

    written = {p: p.stat().st_mtime_ns for p in (results / "tools").iterdir()}
    run(text, results)
    assert written == {p: p.stat().st_mtime_ns for p in (results / "tools").iterdir()}
    run(text.replace("window_and_wall, level_set", "level_set"), results)
    assert "HU window" not in (results / "summary.md").read_text(), "a tool no longer asked for"


@pytest.mark.parametrize(
    ("tools", "classes", "message"),
    [
        ("level_sets", "muscle, liver", "unknown tool level_sets: did you mean level_set"),
        ("level_set", "muscle", "level_set finds liver, which is not among `classes`"),
    ],
)
def test_wrong_tools_are_refused(
    suite_text: str, tmp_path: Path, tools: str, classes: str, message: str
) -> None:
    text = with_tools(suite_text, tools) + f"classes: [{classes}]\n"
    with pytest.raises(InputError, match=message):
        run(text, tmp_path / "results")


def test_areas_agree_per_scanner(suite_text: str, tmp_path: Path) -> None:
    run(with_tools(suite_text, ""), tmp_path / "results")
    table = pd.read_csv(tmp_path / "results" / "agreement.csv")
    assert list(table["scanner"].unique()) == ["Bright", "Dark", "Plain"]
    assert set(table["class"]) == {"muscle", "liver"}
    assert (table["lower_cm2"] <= table["bias_cm2"]).all()
    muscle = table[table["class"] == "muscle"]
    # 10 by 20 pixels of 4 mm.
    assert muscle["true_cm2"].to_list() == pytest.approx([32.0] * 3)
    assert "Area of muscle after the last stage" in (tmp_path / "results/summary.md").read_text()
    assert (tmp_path / "results/figures/areas.svg").is_file()


def test_scores_that_were_half_replaced_are_made_again(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, results = with_tools(suite_text, "window_and_wall"), tmp_path / "results"
    run(text, results)
    table = (results / "tools" / "window_and_wall.csv").read_text()
    dices = pd.read_csv(results / "tools" / "window_and_wall.csv")["dice"]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(semi_automatic_scores, "write_json", killed)
        run(text.replace("split: {", "split: {seed: 1, "), results)
    assert (results / "tools" / "window_and_wall.csv").read_text() != table
    run(text, results)
    again = pd.read_csv(results / "tools" / "window_and_wall.csv")["dice"]
    pd.testing.assert_series_equal(again, dices)
