"""A profile space: ranges from which profiles are drawn, every setting independently of the others.

A randomised scanner draws a profile of its own in every case: a network that was trained on more
scanners than there are takes a real one for one more of them (domain randomisation, Tobin et al.
2017, arXiv 1703.06907). A drawn scanner is drawn once and has one profile, as a real one has. The
physics are those of every simulated scanner.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from cl_seg.phantom.distributions import MOST_CHOICES, Distribution, above
from cl_seg.phantom.profiles import Section, SimulatedName

OF_KERNEL = ("kernel", "mtf50_per_mm", "mtf10_per_mm")
"""Settings of the section ``reconstruction`` that follow from ``kernel``."""

Setting = Distribution | int | float | str | tuple[Distribution | float, ...]
Pick = Callable[[Distribution], Any]


class Kernel(Section):
    """Sharpness.

    Attributes:
        mtf50_per_mm: frequency at which the in-plane MTF is one half.
        mtf10_to_mtf50: frequency at which it is one tenth, divided by that one.
    """

    mtf50_per_mm: Annotated[Distribution, above(0)]
    mtf10_to_mtf50: Annotated[Distribution, above(1)]


class ProfileSpace(Section):
    """Ranges of the settings of simulated scanners.

    The sections hold the settings of a :class:`~cl_seg.phantom.profiles.Profile`, each a value or a
    distribution, without those that follow from others.

    Attributes:
        display_name: shown in tables and figures, of a drawn scanner with its number and settings;
            ends in "(simulated)".
        track: "randomised" of a scanner that draws a profile in every case; that of the profiles.
        couch: shape of the table.
        noise_hu: quantum noise in the middle of 30 cm of water with a standard kernel; the tube's
            mAs follow from it, see :mod:`cl_seg.phantom.physics.noise`. Without it they are drawn.
        kernel: sharpness.
        protocol: the patients, and how they are scanned.
        tube: X-ray tube and its filters.
        detector: detector and geometry.
        reconstruction: what belongs to it beside the kernel.
    """

    display_name: SimulatedName
    track: Literal["randomised", "realistic", "stress"]
    couch: Setting
    noise_hu: Annotated[Distribution, above(0)] | None = None
    kernel: Kernel
    protocol: dict[str, Setting]
    tube: dict[str, Setting]
    detector: dict[str, Setting]
    reconstruction: dict[str, Setting]

    @model_validator(mode="after")
    def _nothing_is_given_that_follows(self) -> "ProfileSpace":
        given = [("reconstruction", name) for name in OF_KERNEL if name in self.reconstruction]
        if "mas" in self.tube and self.noise_hu is not None:
            given.append(("tube", "mas"))
        for at in given:
            text = "leave it out: it follows from `noise_hu` or `kernel`"
            raise PydanticCustomError("follows", "{text}", {"text": text, "in": [*at]})
        if "mas" not in self.tube and self.noise_hu is None:
            text = "noise_hu is missing: give it, or `mas` of the tube"
            raise PydanticCustomError("noise", "{text}", {"text": text, "in": ["noise_hu"]})
        return self

    def settings(self, pick: Pick) -> dict[str, Any]:
        """Settings of a profile, of 1 mAs where they follow from the noise.

        Args:
            pick: gives the value of a distribution.
        """
        names = ("couch", "protocol", "tube", "detector", "reconstruction")
        settings = {name: _picked(getattr(self, name), pick) for name in names}
        mtf50 = pick(self.kernel.mtf50_per_mm)
        settings["tube"].setdefault("mas", 1.0)
        settings["reconstruction"] |= {
            "kernel": f"MTF50 {mtf50:.2f}/mm",
            "mtf50_per_mm": mtf50,
            "mtf10_per_mm": mtf50 * pick(self.kernel.mtf10_to_mtf50),
        }
        return {"display_name": self.display_name, "track": self.track, **settings}

    def extremes(self) -> list[dict[str, Any]]:
        """Settings with both bounds of every range and every entry of every list.

        If all of them are those of a profile, so is whatever is drawn.
        """
        return [self.settings(partial(_extreme, number)) for number in range(MOST_CHOICES)]


def _extreme(number: int, drawn: Distribution) -> Any:
    return drawn.values[number % len(drawn.values)]


def _picked(setting: Any, pick: Pick) -> Any:
    if isinstance(setting, Distribution):
        return pick(setting)
    if isinstance(setting, Mapping):
        return {name: _picked(inner, pick) for name, inner in setting.items()}
    if isinstance(setting, tuple):
        return tuple(_picked(inner, pick) for inner in setting)
    return setting
