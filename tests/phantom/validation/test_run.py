import json

import pytest
from rich.console import Console

from cl_seg.phantom.profiles import profile_names
from cl_seg.phantom.validation.checks import Check, Law
from cl_seg.phantom.validation.run import as_json, as_table, summaries, tolerated, validate

CHECKS = [
    Check(Law.HU, "near", 11, 10, 2, "HU"),
    Check(Law.HU, "far", -13, -10, 2, "HU"),
    Check(Law.DOSE, "45 mAs", 10.2, 10, 0.05, "HU", "relative"),
    Check(Law.UNIFORMITY, "stress", 30, 0, None, "HU"),
]


@pytest.fixture(scope="module")
def quick():
    progress = []
    checks = validate(quick=True, on_progress=lambda done, of: progress.append((done, of)))
    return checks, progress


def test_every_law_is_measured_and_progress_counts_them(quick):
    checks, progress = quick
    assert [law for law in Law if any(c.law == law for c in checks)] == list(Law)
    assert progress == [(i, len(Law)) for i in range(1, len(Law) + 1)]


@pytest.mark.slow
def test_every_law_holds_for_every_scanner():
    checks = validate()
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
