"""Style augmentation as a suite file asks for it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from cl_seg.messages.pydantic_errors import explain_errors
from cl_seg.spec.settings import Training
from cl_seg.spec.style import StyleAugmentation


def test_none_by_default_and_then_not_said() -> None:
    assert Training(steps=1).augment.is_off
    assert "augment" not in Training(steps=1).model_dump()
    off = {"gin": {"probability": 0, "layers": 3}}
    assert "augment" not in Training.model_validate({"steps": 1, "augment": off}).model_dump()


def test_what_is_said_can_be_read_again() -> None:
    asked = {"gin": {"probability": 0.5}, "kernel_noise": {"probability": 1, "noise_hu": 5}}
    chosen = Training.model_validate({"steps": 1, "augment": asked})
    said = chosen.model_dump(mode="json")
    assert list(said["augment"]) == ["gin", "kernel_noise"]
    assert said["augment"]["kernel_noise"] == {"probability": 1, "sharpness": 1, "noise_hu": 5}
    assert Training.model_validate(said) == chosen


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"gim": {}}, "augment.gim: unknown field: did you mean gin?"),
        ({"gin": {}}, "augment.gin.probability is missing"),
        ({"gin": None}, "augment.gin: expected fields (`name: value`)"),
        (["gin"], "augment: expected fields (`name: value`)"),
        (
            {"gin": {"probability": 1.5}},
            "augment.gin.probability: expected less than or equal to 1, not 1.5",
        ),
        (
            {"amplitude_mix": {"probability": 1, "band": 0}},
            "augment.amplitude_mix.band: expected greater than 0, not 0",
        ),
        (
            {"kernel_noise": {"probability": 1, "noise": 3}},
            "augment.kernel_noise.noise: unknown field: did you mean noise_hu?",
        ),
    ],
)
def test_mistakes_are_told(asked: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Training.model_validate({"steps": 1, "augment": asked})
    assert explain_errors(caught.value, Training) == [message]


def test_every_method_says_how_often() -> None:
    for name, change in StyleAugmentation():
        assert change.is_off, name
        assert type(change).model_fields["probability"].is_required(), name


def test_the_example_of_the_documents_switches_everything_on() -> None:
    page = (Path(__file__).parents[2] / "docs/strategies.md").read_text()
    (example,) = [b for b in page.split("```")[1::2] if "augment:" in b]
    training = yaml.safe_load(example.removeprefix("yaml\n"))["training"]
    chosen = Training.model_validate(training).augment
    assert not any(change.is_off for _, change in chosen)
