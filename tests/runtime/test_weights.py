"""Weights of files and callables, and what is said of those that do not fit."""

import pickle

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.runtime.weights import call_loader, load_weights_file, misfit


def network(width=2, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, 3, 1))


def load_ones(model):
    with torch.no_grad():
        model[0].weight.fill_(1)
    model.eval()


def load_nothing(model):
    model.load_state_dict({"elsewhere": torch.ones(1)}, strict=False)


def give_another(model):
    return network()


def fail(model):
    raise KeyError("no such\nfile")


def make_another(model):
    model[2] = nn.Conv2d(2, 4, 1)


@pytest.mark.parametrize("ending", [".safetensors", ".pt", ".pth"])
def test_a_state_dict_is_loaded_whole(tmp_path, ending):
    path, wanted = tmp_path / f"weights{ending}", network(seed=1).state_dict()
    save_file(wanted, path) if ending == ".safetensors" else torch.save(wanted, path)
    model = network()
    load_weights_file(model, path)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in model.state_dict().items())


def test_the_first_of_what_does_not_fit_is_named(tmp_path):
    weights = network(width=4).state_dict()
    del weights["2.bias"], weights["2.weight"]
    torch.save({**weights, "head.weight": torch.ones(1), "x": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(InputError) as caught:
        load_weights_file(network(), tmp_path / "w.pt")
    assert str(caught.value) == (
        f"{tmp_path}/w.pt does not fit the network: 2.weight is missing; it has no head.weight; "
        "0.weight has the shape (4, 1, 3, 3), expected (2, 1, 3, 3); to take a part of it, give "
        "`load: module:callable`"
    )


def test_nothing_is_said_of_weights_that_fit_and_nan_is_found():
    weights = network().state_dict()
    assert misfit(weights, network().state_dict()) == ""
    weights["2.bias"][1] = torch.nan
    assert misfit(weights, network().state_dict()) == "2.bias holds NaN or infinite values"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"epoch": 3, "network_weights": {"a": torch.ones(1)}}, "holds epoch, network_weights: "),
        ([torch.ones(1)], "holds <class 'list'>: expected a state dict"),
        (network(), "is damaged, or holds code, which is never read"),
    ],
)
def test_what_is_no_state_dict(tmp_path, content, says):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(InputError, match=says):
        load_weights_file(network(), tmp_path / "w.pt")


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_files_that_cannot_be_read(tmp_path, name):
    with pytest.raises(InputError, match=f"{name} cannot be read"):
        load_weights_file(network(), tmp_path / name)
    (tmp_path / name).write_bytes(pickle.dumps(test_what_is_no_state_dict)[:40])
    with pytest.raises(InputError, match=f"{name} is damaged"):
        load_weights_file(network(), tmp_path / name)


def test_a_callable_changes_the_network_in_place():
    model = network()
    call_loader(model, f"{__name__}:load_ones")
    assert bool((model[0].weight == 1).all()) and model.training


@pytest.mark.parametrize(
    ("loader", "says"),
    [
        ("load_nothing", "changes no weight"),
        ("give_another", "gives another network"),
        ("make_another", r"is another one: 2.weight has the shape \(4, 2, 1, 1\), expected"),
        ("fail", r"failed: 'no such\\nfile'"),
        ("absent", "load .*:absent cannot be imported"),
    ],
)
def test_callables_that_load_nothing_right(loader, says):
    with pytest.raises(InputError, match=says):
        call_loader(network(), f"{__name__}:{loader}")
