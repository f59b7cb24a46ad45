"""A normalised importance: its mean is 1, its ratios stay, and a common factor has no effect."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.strategies.ewc.plugin import EWC
from cl_seg.strategies.mas.plugin import MAS
from cl_seg.strategies.shared import importance as module
from cl_seg.strategies.shared.importance import scaled
from cl_seg.strategies.si.plugin import SI

from ..conftest import flat, train_on_digits

PLUGINS = {
    "ewc": lambda scale: EWC(ewc_lambda=0.02, fisher="batch", importance=scale),
    "mas": lambda scale: MAS(mas_lambda=0.02, images=20, importance=scale),
    "si": lambda scale: SI(si_lambda=0.02, importance=scale),
}


def of_values(values: list[float]) -> dict[str, torch.Tensor]:
    return {"a": torch.tensor(values[:1]), "b": torch.tensor(values[1:]).reshape(-1, 1)}


@given(st.lists(st.floats(2.0**-26, 2.0**14, width=32), min_size=2, max_size=9))
def test_the_mean_over_all_parameters_is_1_and_ratios_stay(values: list[float]) -> None:
    given_ = of_values(values)
    new = scaled(given_, "mean")
    every = torch.cat([part.flatten() for part in new.values()]).double()
    assert float(every.mean()) == pytest.approx(1, rel=1e-5)
    expected = torch.tensor(values).double() * len(values) / sum(values)
    torch.testing.assert_close(every, expected, rtol=1e-5, atol=0.0)
    assert torch.equal(given_["a"], torch.tensor(values[:1])), "the argument is left as it was"


def test_a_common_factor_of_two_to_the_n_changes_no_bit() -> None:
    values = [1e-8, 0.3, 2e4, 5.0]
    one, other = of_values(values), of_values([2.0**10 * value for value in values])
    pairs = zip(scaled(one, "mean").values(), scaled(other, "mean").values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("scale", ["raw", "mean"])
def test_no_importance_stays_none(scale: module.Scale) -> None:
    assert scaled({}, scale) == {}
    assert not scaled(of_values([0.0, 0.0, 0.0]), scale)["b"].any()


def test_raw_is_what_was_given() -> None:
    given_ = of_values([1.0, 2.0])
    assert scaled(given_, "raw") is given_


def trained(name: str, scale: str, factor: float, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Weights after three experiences whose importances are all multiplied by a factor."""

    def multiplied(importance: module.Parameters, wanted: module.Scale) -> module.Parameters:
        return scaled({n: factor * part for n, part in importance.items()}, wanted)

    monkeypatch.setattr(f"cl_seg.strategies.{name}.plugin.scaled", multiplied)
    return flat(train_on_digits([PLUGINS[name](scale)], 3, count=40))


@pytest.mark.parametrize("name", PLUGINS)
def test_training_does_not_depend_on_the_scale_of_the_importance(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = trained(name, "mean", 1, monkeypatch)
    assert torch.equal(plain, trained(name, "mean", 1024, monkeypatch))
    torch.testing.assert_close(plain, trained(name, "mean", 1000, monkeypatch))
    naive = flat(train_on_digits([], 3, count=40))
    assert (plain - naive).norm() > 1e-3 * naive.norm(), "the penalty has an effect"


@pytest.mark.parametrize("name", PLUGINS)
def test_raw_importance_does_depend_on_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = trained(name, "raw", 1, monkeypatch)
    other = trained(name, "raw", 1000 if name != "si" else 10, monkeypatch)
    assert (plain - other).norm() > 1e-3 * plain.norm()


@pytest.mark.parametrize("name", PLUGINS)
def test_every_experience_counts_alike(name: str) -> None:
    """Each is divided by its own mean before the sum, so that the sum of k has the mean k."""
    plugin = PLUGINS[name]("mean")
    train_on_digits([plugin], 3, count=40)
    kept = plugin.fisher if name == "ewc" else plugin.importance
    parts = torch.cat([part.flatten() for part in kept.values()])
    assert float(parts.double().mean()) == pytest.approx(3, rel=1e-4)


@pytest.mark.parametrize("name", PLUGINS)
def test_a_restored_plugin_goes_on_alike(name: str, tmp_path) -> None:
    plugin, restored = PLUGINS[name]("mean"), PLUGINS[name]("mean")
    train_on_digits([plugin], 2, count=40)
    torch.save(plugin.state_dict(), tmp_path / "state.pt")
    restored.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    results = [flat(train_on_digits([one], 2, count=40)) for one in (plugin, restored)]
    assert torch.equal(*results)
