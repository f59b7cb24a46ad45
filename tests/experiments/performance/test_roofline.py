"""Operations are those of the networks' products and convolutions; precision is put back."""

import sys

import pytest
import torch
from torch import nn

from experiments.performance import roofline
from experiments.performance.roofline import Measured, Step, precision_of_products, step_flop

CPU = torch.device("cpu")


class OneConvolution(Step):
    """A network of one convolution of 3² from one channel to three, without bias."""

    def model(self) -> nn.Module:
        return nn.Conv2d(1, 3, 3, padding=1, bias=False)


def test_a_multiplication_and_an_addition_are_two_operations() -> None:
    step = OneConvolution("unet", "small", size=16, batch=2, precision="float32", device=CPU)
    forward = 2 * (3 * 3) * 1 * 3 * 16 * 16 * 2
    assert step_flop(step) == 2 * forward, "of weights alone: the image needs no gradient"


def test_operations_grow_with_the_batch() -> None:
    one, three = (Step("unet", "small", 32, batch, "float32", CPU) for batch in (1, 3))
    assert step_flop(three) == 3 * step_flop(one) > 0


def test_the_share_is_of_the_limit() -> None:
    found = Measured(flop=6_000, seconds=2.0, limit=4_000.0)
    assert (found.rate, found.share) == (3_000, 0.75)


def test_every_block_is_timed_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(roofline, "seconds_of", lambda block, device: block() or len(calls))
    blocks = [lambda: calls.append("step"), lambda: calls.append("product")]
    assert roofline.shortest(blocks, CPU, rounds=2) == [3, 4], "the first round does not count"
    assert calls == ["step", "product"] * 3


def test_the_precision_of_products_is_put_back() -> None:
    backend = torch.backends.cuda.matmul
    before = backend.allow_tf32
    with precision_of_products("tf32"):
        assert backend.allow_tf32
        with precision_of_products("float32"):
            assert not backend.allow_tf32
    assert backend.allow_tf32 == before


@pytest.mark.slow
@pytest.mark.parametrize("precision", roofline.PRECISIONS)
def test_a_row_for_every_network_and_size(
    precision: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "roofline --networks unet vnet --sizes 32 --batch 1 --steps 1 --precision"
    monkeypatch.setattr(sys, "argv", [*command.split(), precision])
    roofline.main()
    _, *rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == ["| UNet", "| VNet"]
    flop, seconds, rate, limit, share = map(float, rows[1].strip("| ").split(" | ")[2:])
    assert flop > 0 and seconds > 0 and share == pytest.approx(rate / limit, abs=0.02)
