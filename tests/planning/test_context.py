"""What ``precision: auto`` chooses, and that stages are shared with the suite that says it."""

from dataclasses import replace
from pathlib import Path

import pytest

from cl_seg.models.registry import NETWORKS
from cl_seg.planning.plan import Plan, resolve

PLAIN = "x86_64 GenuineIntel avx512f"
WITH_BFLOAT16 = f"{PLAIN} avx512_bf16 amx_bf16"


@pytest.fixture
def suite(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of a network that learns the same in bfloat16 and of one that does not."""
    for name, learns in (("unet", True), ("vnet", False)):
        network = NETWORKS[name]
        small = replace(network.presets["small"], learns_in_bfloat16=learns)
        presets = {**network.presets, "small": small}
        monkeypatch.setitem(NETWORKS, name, replace(network, presets=presets))
    path = tmp_path / "suite.yaml"
    path.write_text(f"""
kind: stream
name: tiny
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [unet, vnet]
strategies: [naive]
training: {{steps: 12, batch_size: 4, device: cpu}}
""")
    return path


def planned(suite: Path, precision: str, processor: str) -> Plan:
    text = suite.read_text()
    path = suite.with_name(f"{precision}.yaml")
    path.write_text(text.replace("training: {", f"training: {{precision: {precision}, "))
    return resolve(path, cache=suite.parent / "stages", kernel_target=processor)


def trainings(plan: Plan, network: str) -> set[str]:
    stages = plan.graph.stages.values()
    return {s.key for s in stages if s.kind == "train" and s.run.model.name == network}


@pytest.mark.parametrize(("processor", "unet"), [(WITH_BFLOAT16, "bfloat16"), (PLAIN, "float32")])
def test_auto_is_bfloat16_where_the_network_learns_and_the_processor_computes_in_it(
    suite: Path, processor: str, unet: str
) -> None:
    plan = planned(suite, "auto", processor)
    chosen = {m.name: plan.context.training_of(m).precision for m in plan.context.models}
    assert chosen == {"unet": unet, "vnet": "float32"}
    assert f"training.precision is auto: unet in {unet}, vnet in float32" in plan.notes
    for network, precision in chosen.items():
        said = planned(suite, precision, processor)
        assert trainings(plan, network) == trainings(said, network)


def test_instructions_for_bfloat16_are_in_the_keys_of_what_uses_them_alone(suite: Path) -> None:
    for precision, same in (("float32", True), ("bfloat16", False)):
        with_them, without = (planned(suite, precision, p) for p in (WITH_BFLOAT16, PLAIN))
        assert (trainings(with_them, "unet") == trainings(without, "unet")) is same
