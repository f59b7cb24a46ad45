import pytest

from .crash import survive


@pytest.mark.slow
def test_a_suite_survives_being_killed(suite_text: str) -> None:
    assert survive(suite_text.replace("steps: 12", "steps: 150"), kills=10) >= 10
