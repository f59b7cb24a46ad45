"""Claims: what is true of the runs is supported, what is false contradicted, the rest undecided."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.claims.claim import Claim
from cl_seg.analysis.claims.evidence import needed
from cl_seg.analysis.claims.judge import judge
from cl_seg.analysis.claims.text import as_json, claims_page
from cl_seg.analysis.intervals import ci_half_width
from cl_seg.messages.errors import InputError
from cl_seg.records.record import read_record
from tests.records.factory import in_record, run_result, write_record

PATIENTS, SCANNERS = 12, ("a", "b")
ABC = {"kind": "simulated", "content": "abc"}
COSTS = ("hd95_mm", "area_error_percent", "seconds_per_slice", "interactions_per_slice")


def record(
    folder: Path, model: str, seed: int, forgets: float, noise: float, learned: float = 0.9
) -> None:
    """A finished naive run of a network on two scanners."""
    random = np.random.default_rng([seed, sum(map(ord, model))])
    own = random.normal(0, noise / 4)
    rows = []
    for p in range(PATIENTS):
        of_patient = np.random.default_rng(p).normal(0, 0.03)
        for scanner in SCANNERS:
            for stage in range(3):
                dice = 0.0 if not stage else learned + of_patient + own + random.normal(0, noise)
                dice -= forgets * (scanner == "a" and stage == 2)
                rows.append([stage, scanner, f"p{p}", f"p{p}-{scanner}", "liver", dice, 10])
    columns = ["stage", "scanner", "patient", "case", "class", "dice", "true"]
    cases = pd.DataFrame(rows, columns=columns)
    r = cases.groupby(["stage", "scanner"])["dice"].mean().unstack().to_numpy()
    name = f"{model}-{seed}"
    changes = {"suite": folder.name, "place": [0, 0, 0, seed], "data": ABC, "stages": []}
    spec, names = {"seed": seed}, {s: s for s in SCANNERS}
    run = run_result(
        r, cases, run_id=name, model=model, spec=spec, scanner_names=names,
        processor="any", git_commit="1234", **changes,
    )  # fmt: skip
    write_record(folder / "runs" / name, run)


def claim(better: str, worse: list[str], **changes: Any) -> Claim:
    contrasts = [
        {
            "suite": "forgetting",
            "score": "BWT",
            "a": {"networks": [better], "strategy": "Naive"},
            "b": {"networks": [other], "strategy": "Naive"},
            **changes,
        }
        for other in worse
    ]
    content = {"name": "C", "says": "…", "source": "…", "contrasts": contrasts}
    return Claim.model_validate(content)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four networks that forget 0.02, 0.10, 0.10 and 0.02; the last has not learned."""
    folder = tmp_path_factory.mktemp("results")
    for seed in range(4):
        record(folder / "forgetting", "Good", seed, 0.02, 0.01)
        record(folder / "forgetting", "Bad", seed, 0.10, 0.01)
        record(folder / "forgetting", "Same", seed, 0.10, 0.01)
        record(folder / "forgetting", "Lazy", seed, 0.0, 0.01, learned=0.3)
    return folder


def test_verdicts(results: Path) -> None:
    def verdict(better: str, *worse: str, **changes: Any) -> str:
        return judge([claim(better, list(worse), **changes)], results)[0].verdict

    assert verdict("Good", "Bad") == "supported"
    assert verdict("Good", "Bad", "Same") == "supported"
    assert verdict("Bad", "Good") == "contradicted"
    assert verdict("Bad", "Good", "Same") == "contradicted", "one contrast that fails is enough"
    assert verdict("Bad", "Good", "Unheard") == "contradicted", "whatever another one lacks"
    assert verdict("Bad", "Same") == "undecided"
    assert verdict("Bad", "Same", margin=-0.05) == "supported"
    assert verdict("Lazy", "Bad") == "not evaluable"
    assert verdict("Good", "Unheard") == "no result"
    assert verdict("Good", "Bad", suite="elsewhere") == "no result"


def test_unseen_dice_is_judged_on_the_scanners_held_out(tmp_path: Path) -> None:
    for model, gain in (("Good", 0.05), ("Bad", 0.0)):
        for seed in range(4):
            record(tmp_path / "forgetting", model, seed, 0.02, 0.01)
            folder = tmp_path / "forgetting" / "runs" / f"{model}-{seed}"
            hold_out_b(folder, gain)
    (one,) = judge([claim("Good", ["Bad"], score="unseen Dice")], tmp_path)
    (found,) = one.evidence
    assert one.verdict == "supported" and found.superiority == 1.0
    assert found.effect == pytest.approx(0.05, abs=0.01)
    assert (found.patients, found.seeds) == (PATIENTS, 4)


def hold_out_b(folder: Path, gain: float) -> None:
    """A run as if its second scanner had been held out, with another Dice there."""
    path = folder / "cases.parquet"
    cases = pd.read_parquet(path)
    cases.loc[cases["scanner"] == "b", "dice"] += gain
    cases = cases[cases["stage"] < 2]
    cases.to_parquet(path)
    r = cases.groupby(["stage", "scanner"])["dice"].mean().unstack()
    for field, scanner in (("R", "a"), ("R_held_out", "b")):
        in_record(
            folder, field, value=dict.fromkeys(["mean", "liver"], r[[scanner]].to_numpy().tolist())
        )
    in_record(folder, "spec", "order", value=["a"])
    in_record(folder, "spec", "held_out", value=["b"])


def test_unseen_dice_needs_scanners_held_out(results: Path) -> None:
    (one,) = judge([claim("Good", ["Bad"], score="unseen Dice")], results)
    assert one.verdict == "no result"
    assert one.evidence[0].reason == "unseen Dice of Good Naive is not defined"


def test_the_effect_is_the_difference_and_everybody_agrees(results: Path) -> None:
    (one,) = judge([claim("Good", ["Bad"])], results)
    (found,) = one.evidence
    assert found.effect == pytest.approx(0.08, abs=0.01)
    assert found.effect - found.ci_half_width > 0 and found.superiority == 1.0
    assert (found.patients, found.seeds) == (PATIENTS, 4)
    plain = as_json([one])[0]
    assert plain["verdict"] == "supported" and json.dumps(plain)
    assert "## C: supported" in claims_page([one])


def test_evidence_is_the_same_where_only_seen_scanners_were_tested(
    results: Path, tmp_path: Path
) -> None:
    shutil.copytree(results, tmp_path / "seen")
    for path in (tmp_path / "seen").glob("forgetting/runs/*/cases.parquet"):
        cases = pd.read_parquet(path)
        learned = cases["scanner"].map({s: k for k, s in enumerate(SCANNERS, start=1)})
        cases[cases["stage"] >= learned].to_parquet(path)
    for score in ("ACC", "BWT", "plasticity"):
        of_all, of_seen = (
            judge([claim("Good", ["Bad"], score=score)], folder)[0].evidence[0]
            for folder in (results, tmp_path / "seen")
        )
        assert of_seen == of_all


def test_better_in_is_a_share_of_patients(tmp_path: Path) -> None:
    # Six patients on the first scanner gain 0.06, six others on the second lose 0.03.
    for seed in range(3):
        for model, gain in (("One", 1.0), ("Two", 0.0)):
            record(tmp_path / "forgetting", model, seed, 0.0, 0.001, learned=0.88)
            place = tmp_path / "forgetting" / "runs" / f"{model}-{seed}"
            cases = pd.read_parquet(place / "cases.parquet")
            number = cases["patient"].str[1:].astype(int)
            cases = cases[(number < 6) == (cases["scanner"] == "a")]
            change = np.where(cases["scanner"] == "a", 0.06, -0.03) * gain
            cases = cases.assign(dice=(cases["dice"] + change * (cases["stage"] > 0)).clip(0, 1))
            cases.to_parquet(place / "cases.parquet")
            r = cases.groupby(["stage", "scanner"])["dice"].mean().unstack().to_numpy().tolist()
            in_record(place, "R", value={"mean": r, "liver": r})
    (one,) = judge([claim("One", ["Two"], score="ACC")], tmp_path)
    assert one.evidence[0].superiority == 0.5
    assert one.evidence[0].effect == pytest.approx(0.015, abs=0.005)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"structure": "spleen"}, "no structure spleen; there is liver"),
        ({"suite": "elsewhere"}, "no suite elsewhere; there is forgetting"),
        (
            {"b": {"networks": ["unheard"], "strategy": "Naive"}},
            "no network unheard; there are Bad, Good, Lazy, Same",
        ),
        ({"b": {"networks": ["Bad"], "strategy": "EWC"}}, "no strategy EWC; there is Naive"),
        ({"b": {"networks": ["Bad"]}}, "`strategy` is missing; there is Naive"),
        (
            {"b": {"networks": ["Bad"], "strategy": "Naive", "seed_images": 5}},
            "no seed_images 5; there is none",
        ),
        (
            {"b": {"networks": ["Bad"], "strategy": "Naive", "by": "random"}},
            "no by random; there is none",
        ),
        ({"b": {"tools": ["level_set"]}}, "no tool level_set"),
        ({"b": {}}, "neither networks nor tools"),
    ],
)
def test_what_cannot_be_judged_says_why(results: Path, changes: dict, reason: str) -> None:
    (one,) = judge([claim("Good", ["Bad"], **changes)], results)
    assert one.verdict == "no result" and reason in one.evidence[0].reason


def test_what_was_not_learned_is_named_with_network_strategy_and_seeds(results: Path) -> None:
    (one,) = judge([claim("Lazy", ["Bad"], score="ACC")], results)
    assert one.verdict == "not evaluable"
    assert re.search(
        r"not learned: Lazy Naive: liver 0\.\d\d to 0\.\d\d on a \(below 0\.80; "
        r"seeds 0, 1, 2, 3\), liver 0\.\d\d to 0\.\d\d on b \(below",
        one.evidence[0].reason,
    )


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        judge([claim("Good", ["Bad"])], tmp_path / "nowhere")


def test_an_undecided_claim_says_what_would_decide(results: Path) -> None:
    (one,) = judge([claim("Bad", ["Same"])], results)
    assert "(now " in one.evidence[0].need or "alone" in one.evidence[0].need


def test_what_is_said_to_decide_decides() -> None:
    draw = np.random.default_rng(3).normal

    def values(patients: int, seeds: int) -> np.ndarray:
        noise = 0.05 * draw(size=(1, seeds)) + 0.02 * draw(size=(patients, seeds))
        return 0.02 + noise - noise.mean() + 0.01 * draw(size=(patients, 1))

    few = values(30, 4)
    assert ci_half_width(few) > abs(few.mean())
    text = needed(few)
    assert "seeds (now 4)" in text
    count = int(text.split()[1])
    decided = [abs((v := values(30, 2 * count)).mean()) > ci_half_width(v) for _ in range(20)]
    assert np.mean(decided) > 0.8
    assert "alone" in needed(few - few.mean() + 1e-9)


def test_three_seeds_of_a_clear_effect_need_a_few_more_not_a_miracle() -> None:
    # Undecided for want of degrees of freedom alone: more seeds decide it.
    draw = np.random.default_rng(0).normal
    noise = 0.02 * draw(size=(1, 3)) + 0.005 * draw(size=(30, 1)) + 0.01 * draw(size=(30, 3))
    values = noise - noise.mean()
    values += 0.95 * ci_half_width(values)
    assert re.fullmatch(r"about [456] seeds \(now 3\)", needed(values))


def test_what_varies_between_patients_and_seeds_alike_falls_with_patients() -> None:
    draw = np.random.default_rng(0).normal
    patient, rest = draw(size=(10, 1)), draw(size=(10, 3))
    rest -= rest.mean(axis=0)
    values = 0.1 * (patient - patient.mean()) + 0.15 * rest + 0.03
    assert "patients (now 10)" in needed(values)


def test_a_contrast_is_contradicted_at_the_level_of_its_claim(tmp_path: Path) -> None:
    # Of several contrasts one may lie below by chance: it is not contradicted, nor is the claim.
    for seed in range(4):
        record(tmp_path / "forgetting", "One", seed, 0.05, 0.03)
        record(tmp_path / "forgetting", "Two", seed, 0.05, 0.03)
    (alone,) = judge([claim("One", ["Two"])], tmp_path)[0].evidence
    bound = alone.effect + 1.05 * alone.ci_half_width
    of_one = judge([claim("One", ["Two"], margin=bound)], tmp_path)[0]
    of_many = judge([claim("One", ["Two"] * 5, margin=bound)], tmp_path)[0]
    assert of_one.verdict == of_one.evidence[0].verdict == "contradicted"
    assert of_many.verdict == of_many.evidence[0].verdict == "undecided"
    assert "(now " in of_many.evidence[0].need


def test_a_scanner_with_one_test_patient_leaves_an_effect_without_interval(tmp_path: Path) -> None:
    for seed in range(3):
        for model, forgets in (("One", 0.02), ("Two", 0.1)):
            record(tmp_path / "forgetting", model, seed, forgets, 0.01)
            path = tmp_path / "forgetting" / "runs" / f"{model}-{seed}" / "cases.parquet"
            cases = pd.read_parquet(path)
            cases[(cases["scanner"] == "b") | (cases["patient"] == "p0")].to_parquet(path)
    (one,) = judge([claim("One", ["Two"])], tmp_path)
    (found,) = one.evidence
    assert one.verdict == "undecided" and "one, and there is no interval" in found.need
    assert found.effect == pytest.approx(0.08, abs=0.03)
    assert "± nan" not in claims_page([one])


def test_a_class_that_no_test_patient_has_is_said_to_have_none(tmp_path: Path) -> None:
    for seed in range(3):
        record(tmp_path / "forgetting", "One", seed, 0.02, 0.01)
        path = tmp_path / "forgetting" / "runs" / f"One-{seed}"
        r = [[row[0], None] for row in read_record(path / "run.json").R["liver"]]
        in_record(path, "R", value={"mean": r, "liver": r})
    (one,) = judge([claim("One", ["One"], score="ACC")], tmp_path)
    assert one.verdict == "not evaluable"
    assert "no test case of liver on b" in one.evidence[0].reason


def test_a_null_claim_is_rarely_supported_or_contradicted(tmp_path: Path) -> None:
    # 40 contrasts of networks that forget alike: few get a verdict.
    verdicts = []
    for trial in range(40):
        folder = tmp_path / str(trial)
        for seed in range(5):
            for model in ("One", "Two"):
                record(folder / "forgetting", f"{model}{trial}", seed, 0.05, 0.03)
        names = f"One{trial}", f"Two{trial}"
        verdicts.append(judge([claim(names[0], [names[1]])], folder)[0].verdict)
    assert set(verdicts) <= {"undecided", "supported", "contradicted"}
    assert sum(v != "undecided" for v in verdicts) <= 5


def test_a_tool_can_stand_on_one_side(results: Path) -> None:
    cases = pd.read_parquet(next((results / "forgetting" / "runs").glob("*/cases.parquet")))
    own = cases[cases["stage"] == 1].drop(columns="stage").assign(dice=0.5, tool="By hand")
    own = own.assign(**dict.fromkeys(COSTS, 1.0))
    (results / "forgetting" / "tools").mkdir()
    own.to_csv(results / "forgetting" / "tools" / "clicks.csv", index=False)
    changes = {"score": "ACC", "structure": "liver", "b": {"tools": ["clicks"]}}
    (one,) = judge([claim("Good", ["x"], **changes)], results)
    assert one.verdict == "supported"
    assert one.evidence[0].effect == pytest.approx(0.89 - 0.5, abs=0.02)
    both = {"a": {"tools": ["clicks"]}, "b": {"tools": ["clicks"]}}
    assert judge([claim("x", ["x"], **changes | both)], results)[0].verdict == "undecided"
    changes["b"] = {"tools": ["level_set"]}
    assert judge([claim("Good", ["x"], **changes)], results)[0].verdict == "no result"


def test_tools_are_compared_in_a_seed_curve_on_scanners_called_by_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "forgetting"
    for images in (1, 2):
        for seed in range(2):
            record(folder, f"N{images}", seed, 0.02, 0.01)
            run = folder / "runs" / f"N{images}-{seed}"
            cases = pd.read_parquet(run / "cases.parquet").query("stage < 2 and scanner == 'a'")
            cases = cases.assign(scanner="1")
            labelled = {"count": images, "by": "random", "start": "transfer", "base": []}
            spec = {"order": ["1"], "seed": seed, "seed_images": labelled}
            of = {"run_id": run.name, "model": "N", "schedule": "seed_curve", "spec": spec}
            shutil.rmtree(run)
            write_record(run, run_result([[0.0], [0.9]], cases, **of))
    (folder / "tools").mkdir()
    for tool, dice in (("clicks", 0.8), ("rough_region", 0.6)):
        own = cases[cases["stage"] == 1].drop(columns="stage").assign(dice=dice, tool=tool)
        own = own.assign(**dict.fromkeys(COSTS, 1.0))
        own.to_csv(folder / "tools" / f"{tool}.csv", index=False)
    sides = {"a": {"tools": ["clicks"]}, "b": {"tools": ["rough_region"]}}
    (one,) = judge([claim("x", ["x"], score="ACC", structure="liver", **sides)], tmp_path)
    assert one.evidence[0].effect == pytest.approx(0.2), one.evidence[0].reason


def test_a_tool_of_one_structure_is_not_compared_with_the_mean_of_several(tmp_path: Path) -> None:
    for seed in range(3):
        record(tmp_path / "forgetting", "One", seed, 0.02, 0.01)
        folder = tmp_path / "forgetting" / "runs" / f"One-{seed}"
        cases = pd.read_parquet(folder / "cases.parquet")
        muscle = cases.assign(**{"class": "muscle"})
        pd.concat([cases, muscle]).to_parquet(folder / "cases.parquet")
        r = read_record(folder / "run.json").R["liver"]
        in_record(folder, "R", value=dict.fromkeys(("mean", "muscle", "liver"), r))
        in_record(folder, "spec", "classes", value=["muscle", "liver"])
    own = cases[cases["stage"] == 1].drop(columns="stage").assign(dice=0.5, tool="By hand")
    (tmp_path / "forgetting" / "tools").mkdir()
    own = own.assign(**dict.fromkeys(COSTS, 1.0))
    own.to_csv(tmp_path / "forgetting" / "tools" / "clicks.csv", index=False)
    changes: dict[str, Any] = {"score": "ACC", "b": {"tools": ["clicks"]}}
    (one,) = judge([claim("One", ["x"], **changes)], tmp_path)
    assert one.verdict == "no result" and "say `structure`" in one.evidence[0].reason
    (one,) = judge([claim("One", ["x"], structure="liver", **changes)], tmp_path)
    assert one.verdict == "supported"
