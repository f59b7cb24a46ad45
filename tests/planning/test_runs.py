from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning.checked_suite import parse_suite
from cl_seg.planning.grid import plan_runs
from cl_seg.spec.seed_curve import SeedCurveSuite
from cl_seg.spec.settings import Later, Training
from cl_seg.spec.suite import StreamSuite

BASE = """
kind: stream
name: tiny
data: {store: some.store}
image: {size: 32}
models: [unet, {name: unetr, learning_rate: 0.5}]
strategies: [naive, joint, {name: ewc, label: ewc_1, settings: {ewc_lambda: 1}}]
seeds: [0, 1]
training: {steps: 10}
"""


def suite_of(tmp_path: Path, text: str = BASE) -> StreamSuite:
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    suite = parse_suite(path)
    assert isinstance(suite, StreamSuite)
    return suite


def test_the_grid_is_complete_and_its_names_unique(tmp_path: Path) -> None:
    runs = plan_runs(suite_of(tmp_path), ["a", "b"])
    assert len(runs) == 2 * 3 * 2
    assert len({run.run_id for run in runs}) == len(runs)
    assert runs[0].run_id == "unet-naive-order1-seed0"


def test_joint_training_is_planned_once_per_set_of_scanners(tmp_path: Path) -> None:
    runs = plan_runs(suite_of(tmp_path, BASE + "orders: all\n"), ["a", "b", "c"])
    joint = [run for run in runs if run.joint]
    assert len(joint) == 2 * 2
    assert len(runs) - len(joint) == 2 * 2 * 6 * 2


def test_pairs_are_every_ordered_pair_and_joint_training_is_on_all(tmp_path: Path) -> None:
    runs = plan_runs(suite_of(tmp_path, BASE + "orders: pairs\n"), ["a", "b", "c"])
    naive = [run for run in runs if not run.joint and run.seed == 0 and run.model.name == "unet"]
    expected = {("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")}
    assert {run.order for run in naive} == expected
    listed = plan_runs(suite_of(tmp_path, BASE + "orders: [[c, a], [c, b]]\n"), ["a", "b", "c"])
    assert {run.order for run in listed if run.joint} == {("a", "b", "c")}
    one = plan_runs(suite_of(tmp_path, BASE + "orders: [[b, a]]\n"), ["a", "b", "c"])
    assert {run.order for run in one} == {("b", "a")}
    joint = [run for run in runs if run.joint]
    assert joint and {run.order for run in joint} == {("a", "b", "c")}
    assert len({(run.model.label, run.seed) for run in joint}) == len(joint)


def test_joint_training_takes_as_many_steps_as_the_stream(tmp_path: Path) -> None:
    runs = plan_runs(suite_of(tmp_path), ["a", "b", "c"])
    steps = {run.strategy.label: run.steps_per_experience(Training(steps=10)) for run in runs}
    assert steps == {"naive": [10, 10, 10], "joint": [30], "ewc_1": [10, 10, 10]}
    half = BASE.replace("joint", "{name: joint, settings: {steps_factor: 1.5}}")
    run = next(r for r in plan_runs(suite_of(tmp_path, half), ["a", "b", "c"]) if r.joint)
    assert run.steps_per_experience(Training(steps=10)) == [15]


def test_a_rate_of_the_suite_goes_before_the_presets(tmp_path: Path) -> None:
    rates = {r.model.label: r.learning_rate for r in plan_runs(suite_of(tmp_path), ["a"])}
    assert rates == {"unet": 1e-2, "unetr": 0.5}


REPLICATES = BASE.replace("seeds: [0, 1]", "replicates: {number: 3, scanners: 2}")


def test_every_replicate_has_a_seed_and_scanners_of_its_own(tmp_path: Path) -> None:
    runs = plan_runs(suite_of(tmp_path, REPLICATES), list("abcdefg"))
    assert len(runs) == 2 * 3 * 3 and len({run.run_id for run in runs}) == len(runs)
    streams = {run.replicate: (run.order, run.seed, run.order_number) for run in runs}
    assert streams == {
        1: (("a", "b"), 1, 1), 2: (("c", "d"), 2, 2), 3: (("e", "f"), 3, 3),
    }  # fmt: skip
    assert runs[0].run_id == "unet-naive-replicate1"
    joint = [run for run in runs if run.joint and run.model.name == "unet"]
    assert [run.order for run in joint] == [("a", "b"), ("c", "d"), ("e", "f")], "its own scanners"


def test_more_replicates_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    few, more = (
        plan_runs(suite_of(tmp_path, REPLICATES.replace("number: 3", f"number: {n}")), scanners)
        for n, scanners in ((2, list("abcd")), (5, list("abcdefghijkl")))
    )
    both = {run.run_id: (run.order, run.seed, run.replicate) for run in more}
    assert all(both[run.run_id] == (run.order, run.seed, run.replicate) for run in few)


def test_scanners_held_out_are_in_no_replicate(tmp_path: Path) -> None:
    text = REPLICATES + "held_out: [b]\n"
    orders = {run.order for run in plan_runs(suite_of(tmp_path, text), list("abcdefg"))}
    assert orders == {("a", "c"), ("d", "e"), ("f", "g")}


def test_a_strategy_can_take_part_in_the_first_replicates_alone(tmp_path: Path) -> None:
    text = REPLICATES.replace("joint,", "{name: joint, replicates: 1},")
    runs = plan_runs(suite_of(tmp_path, text), list("abcdef"))
    assert {run.replicate for run in runs if run.joint} == {1}
    assert {run.replicate for run in runs if not run.joint} == {1, 2, 3}


def test_replicates_never_share_a_scanner(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3 streams of 2 scanners need 6, but the data have 5"):
        plan_runs(suite_of(tmp_path, REPLICATES), list("abcde"))


@pytest.mark.parametrize(
    ("more", "field"),
    [("seeds: [0, 1]", "seeds"), ("orders: all", "orders"), ("experience: months", "experience")],
)
def test_replicates_have_neither_orders_nor_seeds(tmp_path: Path, more: str, field: str) -> None:
    with pytest.raises(InputError, match=f"{field}: every replicate has a seed and a stream"):
        suite_of(tmp_path, REPLICATES + more + "\n")


def test_without_replicates_no_strategy_takes_part_in_some(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a strategy has `replicates`, but the suite has none"):
        suite_of(tmp_path, BASE.replace("joint,", "{name: joint, replicates: 1},"))


@pytest.mark.parametrize(
    ("orders", "message"),
    [("[[a, bb]]", "unknown scanner bb"), ("[[a, b, b]]", "b follows itself")],
)
def test_wrong_orders_are_refused(tmp_path: Path, orders: str, message: str) -> None:
    suite = suite_of(tmp_path, BASE + f"orders: {orders}\n")
    with pytest.raises(InputError, match=message):
        plan_runs(suite, ["a", "b"])


def test_a_seed_curve_suite_is_read(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    text = BASE.replace("kind: stream", "kind: seed_curve")
    lines = [line for line in text.splitlines() if not line.startswith("strategies")]
    lines += ["base: [a]", "target: b", "seed_images: [1, 5]", "start: [transfer, scratch]"]
    path.write_text("\n".join(lines))
    assert isinstance(parse_suite(path), SeedCurveSuite)


def test_a_stream_can_go_both_ways(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, BASE + "orders: both_ways\n")
    orders = [run.order for run in plan_runs(suite, ["a", "b", "c"])]
    assert list(dict.fromkeys(orders)) == [("a", "b", "c"), ("c", "b", "a")]
    alone = [run.run_id for run in plan_runs(suite, ["a"])]
    assert alone and not [name for name in alone if "order2" in name]


def seed_suite(folder: Path, text: str) -> SeedCurveSuite:
    path = folder / "suite.yaml"
    own = BASE.replace("kind: stream", "kind: seed_curve").replace("naive, joint", "naive")
    path.write_text(f"{own}seed_images: [1]\n{text}")
    suite = parse_suite(path)
    assert isinstance(suite, SeedCurveSuite)
    return suite


@pytest.mark.parametrize(
    ("text", "base", "target"),
    [
        ("", ("a", "b"), "c"),
        ("target: a\n", ("b", "c"), "a"),
        ("base: [b]\n", ("b",), "c"),
        ("base: [b]\ntarget: a\n", ("b",), "a"),
    ],
)
def test_the_new_scanner_is_the_last_unless_said(
    tmp_path: Path, text: str, base: tuple[str, ...], target: str
) -> None:
    runs = plan_runs(seed_suite(tmp_path, text), ["a", "b", "c"])
    images = [run.seed_images for run in runs]
    assert {one.base_scanners for one in images if one is not None} == {base}
    assert {run.order[-1] for run in runs} == {target}


@pytest.mark.parametrize(
    ("text", "scanners"), [("", ["a"]), ("base: [a, b]\n", ["a", "b"])], ids=["alone", "last"]
)
def test_a_seed_curve_needs_other_scanners(tmp_path: Path, text: str, scanners: list[str]) -> None:
    with pytest.raises(InputError, match="needs others as base"):
        plan_runs(seed_suite(tmp_path, text), scanners)


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    text = BASE.replace(
        "unet, {name: unetr, learning_rate: 0.5}", "unet, {name: unet, label: unet-a}"
    )
    text = text.replace("label: ewc_1", "label: a-ewc").replace("naive, joint", "ewc")
    with pytest.raises(InputError, match=r"two runs would be called unet-a-ewc-.*another `label`"):
        plan_runs(suite_of(tmp_path, text), ["a", "b"])


LATER = Training(steps=10, later=Later(rate_factor=0.1, steps_factor=0.5))


def test_later_experiences_have_a_rate_and_steps_of_their_own(tmp_path: Path) -> None:
    strategies = (
        "naive, single, joint, ewc, cumulative, "
        "{name: cumulative, label: restarted, settings: {restart: true}}"
    )
    text = BASE.replace("naive, joint, {name: ewc, label: ewc_1, settings: {ewc_lambda: 1}}",
                        strategies)  # fmt: skip
    runs = plan_runs(suite_of(tmp_path, text), ["a", "b", "c"])
    planned = {
        run.strategy.label: (run.steps_per_experience(LATER), run.learning_rates(LATER))
        for run in runs
        if run.model.name == "unetr"
    }
    later = pytest.approx([0.5, 0.05, 0.05])
    assert planned == {
        "naive": ([10, 5, 5], later),
        "ewc": ([10, 5, 5], later),
        "single": ([10, 10, 10], [0.5, 0.5, 0.5]),
        "joint": ([30], [0.5]),
        "cumulative": ([10, 10, 15], later),
        "restarted": ([10, 20, 30], [0.5, 0.5, 0.5]),
    }


def test_a_stage_has_at_least_one_step(tmp_path: Path) -> None:
    run = plan_runs(suite_of(tmp_path), ["a", "b"])[0]
    few = Training(steps=10, later=Later(steps_factor=0.01))
    assert run.steps_per_experience(few) == [10, 1]


def test_transfer_in_a_seed_curve_is_a_later_stage(tmp_path: Path) -> None:
    runs = plan_runs(seed_suite(tmp_path, ""), ["a", "b", "c"])
    steps = {r.seed_images.start: r.steps_per_experience(LATER) for r in runs if r.seed_images}
    assert steps == {"transfer": [20, 5], "scratch": [10]}
