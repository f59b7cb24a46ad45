"""Distributions that a setting of a randomised scanner is drawn from, as YAML files give them."""

from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from cl_seg.phantom.profiles import Positive, Section

MOST_CHOICES = 16


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("expected [low, high] with low at most high")
    return bounds


class Uniform(Section):
    """All values between two bounds are equally likely."""

    uniform: Annotated[tuple[float, float], AfterValidator(_ordered)]

    @property
    def values(self) -> tuple[float, ...]:
        """The bounds."""
        return self.uniform

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        return float(rng.uniform(*self.uniform))


class LogUniform(Section):
    """The logarithm is uniform between those of two bounds."""

    log_uniform: Annotated[tuple[Positive, Positive], AfterValidator(_ordered)]

    @property
    def values(self) -> tuple[float, ...]:
        """The bounds."""
        return self.log_uniform

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        return float(np.exp(rng.uniform(*np.log(self.log_uniform))))


class OneOf(Section):
    """Every entry of a list is equally likely; one that is there twice is twice as likely."""

    one_of: Annotated[tuple[int | float | str, ...], Field(min_length=1, max_length=MOST_CHOICES)]

    @property
    def values(self) -> tuple[Any, ...]:
        """The entries."""
        return self.one_of

    def draw(self, rng: np.random.Generator) -> Any:
        """Draw a value."""
        return self.one_of[int(rng.integers(len(self.one_of)))]


Distribution = Uniform | LogUniform | OneOf


def above(bound: float) -> AfterValidator:
    """A check that a distribution has only numbers above a bound."""

    def check(drawn: Distribution) -> Distribution:
        if not all(isinstance(v, int | float) and v > bound for v in drawn.values):
            raise ValueError(f"expected numbers above {bound:g}")
        return drawn

    return AfterValidator(check)
