"""A file of claims: what is in it, and what is wrong with it."""

from pathlib import Path

import pytest

from cl_seg.analysis.claims.claim import Contrast, Side, contrast_text, read_claims
from cl_seg.messages.errors import InputError


def test_several_on_one_side_are_said_to_be_averaged() -> None:
    ours = Side(networks=["A", "B"], strategy="Naive")
    contrast = Contrast(suite="s", score="BWT", ours=ours, theirs=Side(tools=["t"]))
    assert contrast_text(contrast) == "s, BWT: mean(A Naive, B Naive) − t"


def test_what_the_sides_differ_in_is_told_and_what_is_asked_for() -> None:
    ours, theirs = (
        Side(networks=["A"], strategy="Naive", seed_images=5, by=by) for by in ("entropy", "random")
    )
    contrast = Contrast(suite="s", score="ACC", ours=ours, theirs=theirs, at_least=-0.01)
    assert contrast_text(contrast) == (
        "s, ACC: A Naive with 5 SEED images by entropy − A Naive with 5 SEED images by random "
        "> −0.01"
    )


def test_the_claims_of_the_study_can_be_read() -> None:
    found = read_claims(Path("experiments/paper/claims.yaml"))
    assert [one.name for one in found] == ["C1", "C2", "C3", "C4", "C5", "N1", "N2"]
    assert all(one.source for one in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("claims: []", ":1: claims is empty: expected a list of claims"),
        (
            "claims: [{name: C, says: x, source: y, contrasts: []}]",
            ":1: claim C: contrasts is empty: expected a list of contrasts",
        ),
        ("claims:\n- {name: C, says: x}", ":2: claim C: source is missing: expected who says so"),
        ("claims:\n- {says: x}", ":2: claim 1: name is missing: expected a short name"),
        ("hello", ":1: claims: expected a list of claims"),
        ("claim: []", "claims is missing.*\n.*claim: unknown field: did you mean claims"),
        (
            "claims:\n- name: C\n  contrasts:\n  - ours: {network: [A]}",
            "4: claim C, contrast 1, ours: network: unknown field: did you mean networks?",
        ),
        (
            "claims:\n- name: C\n  contrasts:\n  - score: DICE",
            "4: claim C, contrast 1: score: expected 'ACC', 'BWT' or 'plasticity', not 'DICE'",
        ),
        ("claims:\n- name: C\n  says: 5", ":3: claim C: says: expected"),
        ("claims: 5", ":1: claims: expected a list of claims"),
        ("claims: [5]", ":1: claims: expected fields"),
        (
            "claims:\n"
            + 2
            * "- {name: C, says: x, source: y, contrasts: [{suite: s, score: ACC, ours: {},"
            " theirs: {}}]}\n",
            "a name of its own",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_claims(path)
