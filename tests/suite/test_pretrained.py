"""Runs that begin with weights of a file or a callable."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

from cl_seg.messages.errors import InputError
from cl_seg.planning.context import check_as_planned
from cl_seg.planning.plan import Plan, resolve
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites
from cl_seg.suite.stages.initial import initial_model
from tests.suite.conftest import tiny_suite
from tests.suite.test_run import only_naive, records
from tests.suite.tiny_network import build

RATE = "learning_rate: 0.05"


def load_ones(network: torch.nn.Module) -> None:
    torch.nn.init.ones_(network[0].weight)  # type: ignore[index, arg-type]


def load_twos(network: torch.nn.Module) -> None:
    torch.nn.init.constant_(network[0].weight, 2.0)  # type: ignore[index, arg-type]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(9)
    torch.save(build(1, 3, 32).state_dict(), tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


def planned(store: Path, folder: Path, load: str) -> Plan:
    text = tiny_suite(store).replace(RATE, f"{RATE}, load: '{load}'" if load else RATE)
    (folder / "suite.yaml").write_text(only_naive(text))
    return resolve(folder / "suite.yaml", cache=folder / "stages")


def keys(plan: Plan) -> set[str]:
    return set(plan.stages)


def test_a_file_counts_by_its_content(store: Path, tmp_path: Path, weights: Path) -> None:
    without, first = (keys(planned(store, tmp_path, load)) for load in ("", str(weights)))
    assert not without & first
    copy = weights.rename(tmp_path / "other.pth")
    assert keys(planned(store, tmp_path, str(copy))) == first
    torch.save(build(1, 3, 32).state_dict(), copy)
    assert not keys(planned(store, tmp_path, str(copy))) & first


def test_two_callables_of_a_module_are_two_networks(store: Path, tmp_path: Path) -> None:
    ones, twos = (planned(store, tmp_path, f"{__name__}:load_{n}") for n in ("ones", "twos"))
    assert not keys(ones) & keys(twos)


def test_a_file_that_changes_after_planning_is_noticed(
    store: Path, tmp_path: Path, weights: Path
) -> None:
    context = planned(store, tmp_path, str(weights)).context
    check_as_planned(context)
    torch.save(build(1, 3, 32).state_dict(), weights)
    with pytest.raises(InputError, match=r"source of weights of build_pretrained: .*run it again"):
        check_as_planned(context)


@pytest.mark.parametrize(
    ("load", "says"),
    [("nowhere.pt", "nowhere.pt cannot be read"), ("nowhere:load", "there is no module nowhere")],
)
def test_what_is_not_there_is_said_when_planned(
    store: Path, tmp_path: Path, load: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        planned(store, tmp_path, load)


def test_a_run_begins_with_them(store: Path, tmp_path: Path, weights: Path) -> None:
    plan = planned(store, tmp_path, str(weights))
    network = initial_model(plan.runs[0].run, plan.context)
    wanted = torch.load(weights, weights_only=True)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in network.state_dict().items())
    cache = StageCache(tmp_path / "stages")
    (outcome,) = run_suites([plan], [tmp_path / "out"], cache, SingleEngine(), 1, lambda _: None)
    assert not outcome.failures
    (record,) = records(tmp_path / "out").values()
    assert record.spec.model.load == str(weights)
