"""Errors of pydantic as lines."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.pydantic_errors import explain_errors


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wheel(Strict):
    spokes: int

    @field_validator("spokes")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("a wheel has an even number of spokes")
        return value


class Bicycle(Strict):
    kind: Literal["bicycle"] = "bicycle"
    wheels: list[Wheel] = Field(default=[], min_length=1)
    colour: str = ""


class Tricycle(Strict):
    kind: Literal["tricycle"] = "tricycle"
    colours: list[str] = []


Vehicle = Annotated[Bicycle | Tricycle, Field(discriminator="kind")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: bicycle\nwheels:\n- {spokes: 3}", "3: wheels.0.spokes: a wheel has an even number"),
        ("kind: bicycle\nwheels: [{}]", "2: wheels.0.spokes is missing"),
        ("kind: bicycle\nwheels: [{spoke: 2, spokes: 2}]", "unknown field: did you mean spokes?"),
        ("kind: bicycle\nwheels: []", "2: wheels is empty: expected at least one entry"),
        ("kind: bicycle\nwheels: 5", "2: wheels: expected two wheels"),
        ("kind: bicycle\nwheels: [5]", "2: wheels.0: expected fields (`name: value`)"),
        ("kind: bicycle\ncolours: [red]", "2: colours: unknown field: did you mean colour?"),
        ("kind: tricycle\ncolour: red", "2: colour: unknown field: did you mean colours?"),
        ("kind: tricycle\ncolours: [1]", "2: colours.0: expected a valid string, not 1"),
        ("kind: car", "1: unknown kind car: expected a vehicle"),
        ("colour: red", "1: `kind` is missing: expected a vehicle"),
    ],
)
def test_each_error_is_told_with_line_place_and_what_was_expected(text: str, told: str) -> None:
    tree = YamlFile.of_text(text, Path("vehicle.yaml"))
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Vehicle).validate_python(tree.value)
    expected = {"wheels": "two wheels", "kind": "a vehicle"}
    expected = expected if "[]" not in text else {}
    (line,) = tree.explain(caught.value, Vehicle, expected)
    assert line.startswith("vehicle.yaml:") and told in line


def test_without_a_file_a_line_begins_with_the_field() -> None:
    with pytest.raises(ValidationError) as caught:
        Bicycle.model_validate({"wheels": [{"spokes": 1}], "color": "red"})
    assert explain_errors(caught.value, Bicycle) == [
        "wheels.0.spokes: a wheel has an even number of spokes",
        "color: unknown field: did you mean colour?",
    ]
