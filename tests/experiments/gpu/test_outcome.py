"""Every part is run or recorded as not run, whatever becomes of the others."""

import json
from collections.abc import Callable

import pytest

from experiments.gpu import outcome
from experiments.gpu.outcome import Check, CheckFailed, CheckResult, Figures, Part, run_check


def fails(error: Exception) -> Callable[[], Figures]:
    def run() -> Figures:
        raise error

    return run


def check(*runs: Callable[[], Figures]) -> Check:
    return Check("repeat", True, [Part(f"part {i}", run) for i, run in enumerate(runs)])


def test_parts_after_one_that_failed_are_run() -> None:
    found = run_check(
        check(
            fails(CheckFailed("weights\ndiffer", {"steps": 3})),
            fails(RuntimeError("CUDA error:\nout of memory")),
            lambda: {"steps": 8},
        ),
        lambda: 60.0,
    )
    assert found.status == "failed"
    assert [part.status for part in found.parts] == ["failed", "failed", "passed"]
    first, second, third = found.parts
    assert (first.reason, first.figures) == ("weights differ", {"steps": 3})
    assert second.reason == "RuntimeError: CUDA error: out of memory"
    assert (third.reason, third.figures) == ("", {"steps": 8})


def test_a_part_that_no_longer_fits_is_recorded_as_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(outcome.time, "perf_counter", lambda: clock[0])

    def takes(seconds: float) -> Callable[[], Figures]:
        def run() -> Figures:
            clock[0] += seconds
            return {}

        return run

    found = run_check(check(takes(3), takes(5), takes(5)), lambda: 12 - clock[0])
    assert [part.status for part in found.parts] == ["passed", "passed", "not run"]
    assert [part.seconds for part in found.parts] == [3, 5, 0]
    assert found.parts[-1].reason == "4 s were left, a part took up to 5 s"
    assert (found.status, found.longest) == ("not run", 5)
    again = run_check(check(takes(1)), lambda: 4.0, longest=5)
    assert again.status == "not run", "a part of an earlier check took longer"
    late = run_check(check(takes(1)), lambda: -2.0)
    assert late.parts[0].reason.startswith("0 s were left") and late.status == "not run"


@pytest.mark.parametrize(
    ("runs", "status"),
    [((dict,), "passed"), ((dict, fails(CheckFailed("no"))), "failed"), ((), "passed")],
)
def test_the_status_of_a_check_is_that_of_its_worst_part(
    runs: tuple[Callable[[], Figures], ...], status: str
) -> None:
    assert run_check(check(*runs), lambda: 60.0).status == status


def test_a_check_before_its_turn_is_not_run() -> None:
    result = CheckResult.not_begun(check(dict))
    assert result.status == "not run" and result.parts[0].reason == "not begun"


def test_a_result_is_plain_data() -> None:
    found = run_check(check(lambda: {"steps": 8}), lambda: 60.0).json()
    assert json.loads(json.dumps(found)) == found
    assert (found["check"], found["required"], found["status"]) == ("repeat", True, "passed")
    assert found["parts"][0]["figures"] == {"steps": 8}
