"""A file of claims: what is in it, and what is wrong with it."""

from pathlib import Path

import pytest

from cl_seg.analysis.claims.claim import Contrast, Side
from cl_seg.analysis.claims.read import read_claims
from cl_seg.messages.errors import InputError


def test_several_on_one_side_are_said_to_be_averaged() -> None:
    a = Side(networks=["A", "B"], strategy="Naive")
    contrast = Contrast(suite="s", score="BWT", a=a, b=Side(tools=["t"]))
    assert str(contrast) == "s, BWT: mean(A Naive, B Naive) − t"


def test_what_the_sides_differ_in_is_told_and_what_is_asked_for() -> None:
    a, b = (
        Side(networks=["A"], strategy="Naive", seed_images=5, by=by) for by in ("entropy", "random")
    )
    contrast = Contrast(suite="s", score="ACC", a=a, b=b, margin=-0.01)
    assert str(contrast) == (
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
            "claims:\n- name: C\n  contrasts:\n  - a: {network: [A]}",
            "4: claim C, contrast 1, a: network: unknown field: did you mean networks?",
        ),
        (
            "claims:\n- name: C\n  contrasts:\n  - score: DICE",
            "4: claim C, contrast 1: score: expected 'ACC', 'BWT', 'plasticity' or "
            "'unseen Dice', not 'DICE'",
        ),
        ("claims:\n- name: C\n  says: 5", ":3: claim C: says: expected"),
        ("claims: 5", ":1: claims: expected a list of claims"),
        ("claims: [5]", ":1: claims: expected fields"),
        (
            "claims:\n"
            + 2
            * "- {name: C, says: x, source: y, contrasts: [{suite: s, score: ACC, a: {},"
            " b: {}}]}\n",
            "a name of its own",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_claims(path)


OLD = """claims:
- name: C
  says: x
  source: y
  contrasts:
  - &first
    suite: s
    score: ACC
    ours: {networks: [A], strategy: Naive}
    theirs: {networks: [B], strategy: Naive}
    at_least: 0.1
  - <<: *first
    score: BWT
  beside:
  - <<: *first
"""


def test_keys_of_older_files_are_read_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(OLD)
    (claim,) = read_claims(path)
    assert [str(one) for one in claim.contrasts] == [
        "s, ACC: A Naive − B Naive > 0.1",
        "s, BWT: A Naive − B Naive > 0.1",
    ]
    assert claim.descriptive == claim.contrasts[:1]
    assert caplog.messages == [
        f"{path}:9: `ours` is called `a` now",
        f"{path}:10: `theirs` is called `b` now",
        f"{path}:11: `at_least` is called `margin` now",
        f"{path}:15: `beside` is called `descriptive` now",
    ]
    caplog.clear()
    read_claims(Path("experiments/paper/claims.yaml"))
    assert not caplog.messages


def test_errors_in_older_files_have_the_line_and_the_new_name(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(OLD.replace("theirs: {networks", "theirs: {network"))
    with pytest.raises(InputError, match=r":10: claim C, contrast 1, b: network: unknown field"):
        read_claims(path)
    path.write_text(OLD.replace("at_least: 0.1", "at_least: 0.1\n    margin: 0.2"))
    with pytest.raises(InputError, match="`at_least` stands beside `margin`, its new name"):
        read_claims(path)


FEW = Side(networks=["VNet"], strategy="Naive", seed_images=10)
MANY = Side(networks=["VNet"], strategy="scratch", seed_images=40)
CNN = Side(networks=["VNet", "UNet"], strategy="Joint")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (FEW, MANY, "VNet: transfer, 10 SEED images − from scratch, 40 SEED images"),
        (CNN, Side(networks=["UNETR"], strategy="Joint"), "joint training: VNet and UNet − UNETR"),
        (CNN, Side(tools=["level_set"]), "VNet and UNet, joint training − level set"),
    ],
)
def test_contrasts_are_in_words_and_say_once_what_is_shared(a: Side, b: Side, said: str) -> None:
    contrast = Contrast(suite="seed_curve", score="ACC", a=a, b=b)
    assert contrast.in_words == f"{said} (ACC, seed curve)"
