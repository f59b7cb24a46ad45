"""The page of claims says what was judged, from which runs."""

import json
import re
from pathlib import Path

import pytest

from cl_seg.analysis.claims.judge import judge
from cl_seg.analysis.claims.page import write_claims
from cl_seg.analysis.figures.claims import claims_figure
from cl_seg.analysis.report.provenance import data_origin
from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_results
from tests.analysis.claims.test_judge import claim, record
from tests.records.factory import in_record


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three networks that forget 0.02, 0.10 and nothing, the last of which has not learned."""
    for seed in range(3):
        record(tmp_path / "forgetting", "Good", seed, 0.02, 0.01)
        record(tmp_path / "forgetting", "Bad", seed, 0.10, 0.01)
        record(tmp_path / "forgetting", "Lazy", seed, 0.0, 0.01, learned=0.3)
    return tmp_path


def test_the_page_has_verdicts_effects_and_origin(results: Path) -> None:
    pairs = [("Good", "Bad"), ("Bad", "Good"), ("Lazy", "Bad")]
    claims = [
        claim(ours, [theirs]).model_copy(update={"name": f"C{number}"})
        for number, (ours, theirs) in enumerate(pairs)
    ]
    page = write_claims(judge(claims, results), results).read_text()
    for text in ("supported", "contradicted", "not evaluable"):
        assert f">{text}</td>" in page
    for text in ("1234", "sha256 abc", "any, cpu"):
        assert f"<dd>{text}</dd>" in page
    for text in ("Good Naive − Bad Naive", "9 runs of 1", "<li>Simulated scanners and bodies"):
        assert text in page
    assert not re.search(r"(src|href)=.http", page)
    assert [one["verdict"] for one in json.loads((results / "claims.json").read_text())] == [
        "supported",
        "contradicted",
        "not evaluable",
    ]
    text = (results / "claims.md").read_text()
    assert "## C0: supported" in text and "simulated scanners" in text
    assert (results / "claims.svg").read_text().startswith("<svg")


def test_a_descriptive_contrast_has_the_colour_of_its_verdict(results: Path) -> None:
    one = claim("Good", ["Bad"])
    shown = claim("Bad", ["Good"], score="plasticity").contrasts
    page = write_claims(judge([one.model_copy(update={"descriptive": shown})], results), results)
    assert '<td class="verdict undecided">(undecided)</td>' in page.read_text()


def test_kinds_of_data_are_both_named(results: Path) -> None:
    run = next((results / "forgetting" / "runs").iterdir())
    in_record(run, "data", "kind", value="scans")
    assert data_origin(load_results(results / "forgetting")) in {
        "Simulated data, CT scans",
        "CT scans, Simulated data",
    }


def test_names_are_not_read_as_formulas(tmp_path: Path) -> None:
    for seed in range(2):
        for name in ("A $^$", "B"):
            record(tmp_path / "forgetting", name, seed, 0.1, 0.01)
    assert write_claims(judge([claim("A $^$", ["B"])], tmp_path), tmp_path).is_file()


def test_intervals_are_drawn_where_they_lie(results: Path) -> None:
    (one,) = judge([claim("Good", ["Bad"])], results)
    figure = claims_figure([one], [])
    assert figure is not None
    (axes,) = figure.axes
    (found,) = one.evidence
    (bar,) = axes.containers
    (left, _), (right, _) = bar.lines[2][0].get_segments()[0]
    assert (left, right) == pytest.approx(
        (found.effect - found.ci_half_width, found.effect + found.ci_half_width)
    )


def test_without_results_of_its_suites_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "another" / "runs").mkdir(parents=True)
    page = write_claims(judge([claim("Good", ["Bad"])], tmp_path), tmp_path).read_text()
    assert ">no result</td>" in page and "0 runs" in page


def test_a_folder_that_holds_no_suites_is_refused(results: Path) -> None:
    for folder, reason in (
        (results / "forgetting", "is the results of one suite: give the folder that holds it"),
        (results / "forgetting" / "runs" / "Good-0", "holds no results of a suite"),
    ):
        with pytest.raises(InputError, match=reason):
            judge([claim("Good", ["Bad"])], folder)


def test_damage_is_no_missing_result(results: Path) -> None:
    (results / "forgetting" / "runs" / "Good-0" / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"Good-0/run\.json is damaged"):
        judge([claim("Good", ["Bad"])], results)


def test_there_is_no_picture_where_nothing_can_be_judged(results: Path) -> None:
    write_claims(judge([claim("Good", ["Bad"])], results), results)
    assert (results / "claims.svg").is_file()
    page = write_claims(judge([claim("Lazy", ["Bad"])], results), results).read_text()
    assert "<svg" not in page and "Figures" not in page
    assert not (results / "claims.svg").exists(), "of an earlier page"


def test_a_record_that_does_not_say_where_it_comes_from(results: Path) -> None:
    path = next((results / "forgetting" / "runs").glob("*/run.json"))
    content = json.loads(path.read_text())
    del content["git_commit"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="git_commit"):
        write_claims(judge([claim("Good", ["Bad"])], results), results)
    assert not (results / "claims.html").exists()
