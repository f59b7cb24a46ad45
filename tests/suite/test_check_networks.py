"""A strategy that has no effect on a network is refused before anything is trained."""

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning.runs import Run
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.suite.check_networks import check_networks


def with_settings(
    strategy: str, settings: dict[str, str], network: str = "unet", preset: str = "small"
) -> Run:
    model = ModelChoice.model_construct(name=network, preset=preset, label=network, arguments={})
    choice = StrategyChoice.model_construct(name=strategy, label=strategy, settings=settings)
    return Run("run", ("a", "b"), model, choice, seed=0)


def run(strategy: str, network: str = "unet", preset: str = "small") -> Run:
    return with_settings(strategy, {}, network, preset)


@pytest.mark.parametrize(
    "strategy",
    [
        "adabn",
        "test_statistics",
        "tent",
        "norm_per_scanner",
        "frozen_statistics",
        "stale_statistics",
    ],
)
def test_unet_has_no_part_for_some(strategy: str) -> None:
    with pytest.raises(InputError, match=rf"strategy {strategy} on unet: .* leave \S+ out") as e:
        check_networks([run(strategy), run(strategy), run("naive")], 3, 32)
    assert len(str(e.value).splitlines()) == 2, "each reason once, and the advice"
    assert "`networks: [...]`" in str(e.value)


def test_what_fits_is_not_refused() -> None:
    fitting = [run(s, "vnet") for s in ("adabn", "tent", "norm_per_scanner", "latent_replay")]
    check_networks([*fitting, run("tent", preset="small_affine"), run("frozen_encoder")], 3, 32)


def test_an_encoder_that_is_no_part_of_the_network_is_refused() -> None:
    one = with_settings("latent_replay", {"encoder": "nowhere"})
    with pytest.raises(InputError, match=r"beginning of 0 of \d+ names"):
        check_networks([one], 3, 32)
