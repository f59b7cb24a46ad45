import json

import pytest
from rich.console import Console

from cl_seg.phantom.profiles import profile_names
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.run import (
    all_passed,
    as_json,
    as_summary,
    as_table,
    summaries,
    tolerated,
    validate,
    values,
)

CHECKS = [
    Check(Law.HU, "near", 11, 10, 2, "HU"),
    Check(Law.HU, "far", -13, -10, 2, "HU"),
    Check(Law.DOSE, "45 mAs", 10.2, 10, 0.05, "HU", "relative"),
    Check(Law.UNIFORMITY, "stress", 30, 0, None, "HU"),
]


@pytest.fixture(scope="module")
def quick():
    return validate(quick=True)


OF_BODIES = {Law.COMPOSITION, Law.ATTENUATION, Law.IN_BODIES}


def test_quick_measures_every_law_but_those_of_bodies(quick):
    laws = [law for law in Law if law not in OF_BODIES]
    assert [law for law in Law if any(c.law == law for c in quick)] == laws
    assert all_passed(quick)


@pytest.mark.slow
def test_every_law_holds_for_every_scanner():
    checks = validate()
    assert {c.law for c in checks} == set(Law)
    assert {name for name in profile_names() if any(name in c.case for c in checks)} == set(
        profile_names()
    )
    assert not [c for c in checks if c.passed is False]


def test_a_summary_counts_failures_and_names_the_worst():
    found = summaries(CHECKS)
    assert [(s.law, s.checks, s.failed, s.worst.case) for s in found] == [
        (Law.HU, 2, 1, "far"),
        (Law.DOSE, 1, 0, "45 mAs"),
    ]


def test_tolerances_for_people():
    assert [tolerated(c) for c in CHECKS[1:]] == ["± 2 HU", "± 5 %", "–"]


def test_values_for_people_have_units_and_true_minus_signs():
    assert values(CHECKS[1]) == ("−13 HU", "−10 HU", "± 2 HU")


def test_all_passed_unless_a_check_failed():
    assert not all_passed(CHECKS)
    assert all_passed([CHECKS[0], CHECKS[3]])


def test_the_summary_has_a_line_per_law():
    console = Console(record=True, width=140)
    console.print(as_summary(CHECKS))
    text = console.export_text()
    assert "1 of 2" in text and "far" in text
    assert "near" not in text


def test_json_holds_every_check_and_the_verdict():
    read = json.loads(as_json(CHECKS))
    assert read["kind"] == "simulated"
    assert read["passed"] is False
    assert [c["passed"] for c in read["checks"]] == [True, False, True, None]
    assert read["checks"][1] == {
        "law": str(Law.HU),
        "case": "far",
        "measured": -13,
        "expected": -10,
        "deviation": -3,
        "tolerance": 2,
        "kind": "absolute",
        "unit": "HU",
        "source": "",
        "passed": False,
    }
    assert json.loads(as_json(CHECKS[:1]))["passed"] is True


def test_the_table_names_law_case_and_verdict():
    console = Console(record=True, width=140)
    console.print(as_table(CHECKS))
    text = console.export_text()
    assert text.count(str(Law.HU)) == 1
    assert "FAIL" in text
    assert "45 mAs" in text
