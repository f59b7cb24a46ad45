"""The JSON Schema says of a suite file what `cl-seg plan` says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cl_seg.models.registry import NETWORKS
from cl_seg.spec.schema import SCHEMA_MODELS, suite_schema
from cl_seg.strategies.registry import STRATEGIES

ROOT = Path(__file__).parents[2]
SUITES = sorted(p for p in (ROOT / "experiments").rglob("*.yaml") if p.name != "claims.yaml")
SCHEMA = suite_schema(NETWORKS, STRATEGIES)


def faults(suite: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(suite)]


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_of_ours_is_valid(path: Path) -> None:
    assert not faults(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        {"imag": {}},
        {"image": {"size": "large"}},
        {"models": ["resnet"]},
        {"models": []},
        {"strategies": ["ewcc"]},
        {"strategies": [{"name": "ewc", "settings": {"lambda": 1}}]},
        {"strategies": [{"name": "ewc", "grid": {"lambda": [1]}}]},
        {"strategies": [{"name": "lwf", "settings_of": {"unet": {"ewc_lambda": 1}}}]},
        {"kind": "streams"},
        {"training": {"steps": 1, "device": "mps"}},
        {"training": {"steps": 1, "augment": {"gin": {}}}},
        {"training": {"steps": 1, "augment": {"gan": {"probability": 0.5}}}},
    ],
    ids=str,
)
def test_a_mistake_is_found(change: dict[str, Any]) -> None:
    suite = yaml.safe_load((ROOT / "experiments/quick.yaml").read_text())
    assert faults(suite | change)


def test_plugins_and_networks_of_ones_own_are_allowed() -> None:
    suite = yaml.safe_load((ROOT / "experiments/quick.yaml").read_text())
    suite["models"] = [{"name": "mine:plain", "learning_rate": 0.1, "arguments": {"width": 8}}]
    suite["strategies"] = ["mine:Anchor", {"name": "mine:Anchor", "settings": {"strength": 1}}]
    assert not faults(suite)


def test_a_model_stands_for_network_and_image() -> None:
    suite = yaml.safe_load((ROOT / "experiments/paper/seed_curve.yaml").read_text())
    without = {k: v for k, v in suite.items() if k not in {"models", "image"}}
    assert not faults(without | {"model": "base"})
    assert faults(without), "neither a model nor a network"


def test_style_augmentation_is_allowed() -> None:
    suite = yaml.safe_load((ROOT / "experiments/quick.yaml").read_text())
    suite["training"]["augment"] = {"gin": {"probability": 0.5}, "kernel_noise": {"probability": 1}}
    assert not faults(suite)


def test_every_field_of_every_part_is_described() -> None:
    for part in SCHEMA_MODELS:
        model = SCHEMA["$defs"][part.__name__]
        fields = model["anyOf"][1] if "anyOf" in model else model
        bare = {name for name, field in fields["properties"].items() if "description" not in field}
        assert bare == set(), part.__name__
    for name in STRATEGIES:
        properties = SCHEMA["$defs"][f"{name}_settings"].get("properties", {})
        assert all("description" in field for field in properties.values()), name
