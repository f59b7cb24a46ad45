"""SEED-curve suites: Dice on a new scanner against the number of slices labelled there."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from cl_seg.spec.choices import StrategyChoice
from cl_seg.spec.faults import refusal, require_distinct
from cl_seg.spec.from_model import FromModelSuite
from cl_seg.spec.suite import SliceChoice


class SeedCurveSuite(FromModelSuite):
    """Dice on a new scanner against the number of SEED images, transfer against from scratch.

    SEED images are the few slices of a new scanner that a person labels, from which a network is
    adapted to it. What is transferred is a network that is first trained on ``base`` scanners, or a
    saved model, ``model``, which is also scored as it is, with no labelled slice.

    Attributes:
        kind: ``seed_curve``.
        strategies: how a transferred network is trained on the SEED images, ``naive`` for all of
            its weights; from scratch all are trained.
        base: scanners the transferred network is first trained on, together; empty for all but
            the target. There are none with ``model``.
        target: the new scanner; empty for the last one of the data.
        seed_images: numbers of labelled slices of the new scanner.
        by: how they are chosen; the same slices for transfer and from scratch.
        start: where training on them starts from.
    """

    kind: Literal["seed_curve"]
    strategies: Annotated[list[StrategyChoice], Field(min_length=1)] = Field(
        default=["naive"], validate_default=True
    )
    base: list[str] = Field(default=[])
    target: str = ""
    seed_images: Annotated[list[PositiveInt], Field(min_length=1)]
    by: list[SliceChoice] = Field(default=["random"], min_length=1)
    start: list[Literal["transfer", "scratch"]] = Field(
        default=["transfer", "scratch"], min_length=1
    )

    @field_validator("base", "seed_images", "by", "start")
    @classmethod
    def _listed_once(cls, value: list[Any]) -> list[Any]:
        return require_distinct(value, value)

    @model_validator(mode="after")
    def _new_scanner(self) -> "SeedCurveSuite":
        if self.target in self.base:
            raise refusal(f"{self.target} is one of `base`: it would not be new", "target")
        if self.model and self.base:
            text = "a saved model, `model`, takes the place of training on base scanners"
            raise refusal(f"{text}: leave one of them out", "base")
        return self
