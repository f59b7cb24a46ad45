"""A randomised scanner: ranges from which every case draws a profile of its own.

A network that was trained on more scanners than there are takes a real one for one more of them
(domain randomisation, Tobin et al. 2017, arXiv 1703.06907). The physics are those of every
simulated scanner; only its settings are drawn, each independently of the others.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from cl_seg.phantom.distributions import MOST_CHOICES, Distribution, above
from cl_seg.phantom.profiles import Section, SimulatedName

# Settings of a profile that follow from what is drawn, by section.
FOLLOWING = {"tube": ("mas",), "reconstruction": ("kernel", "mtf50_per_mm", "mtf10_per_mm")}

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


class RandomisedScanner(Section):
    """A scanner whose profile is drawn anew in every case.

    The sections hold the settings of a :class:`~cl_seg.phantom.profiles.Profile`, each a value or a
    distribution, without those in ``FOLLOWING``.

    Attributes:
        display_name: shown in tables and figures; ends in "(simulated)".
        track: "randomised".
        couch: shape of the table.
        noise_hu: quantum noise in the middle of 30 cm of water with a standard kernel; the tube's
            mAs follow from it, see :mod:`cl_seg.phantom.physics.noise`.
        kernel: sharpness.
        protocol: the patients, and how they are scanned.
        tube: X-ray tube and its filters.
        detector: detector and geometry.
        reconstruction: what belongs to it beside the kernel.
    """

    display_name: SimulatedName
    track: Literal["randomised"]
    couch: Setting
    noise_hu: Annotated[Distribution, above(0)]
    kernel: Kernel
    protocol: dict[str, Setting]
    tube: dict[str, Setting]
    detector: dict[str, Setting]
    reconstruction: dict[str, Setting]

    @model_validator(mode="after")
    def _nothing_is_given_that_follows(self) -> "RandomisedScanner":
        for section, names in FOLLOWING.items():
            for name in names:
                if name in getattr(self, section):
                    text = "leave it out: it follows from `noise_hu` or `kernel`"
                    context = {"text": text, "in": [section, name]}
                    raise PydanticCustomError("follows", "{text}", context)
        return self

    def settings(self, pick: Pick) -> dict[str, Any]:
        """Settings of a profile of 1 mAs.

        Args:
            pick: gives the value of a distribution.
        """
        names = ("couch", "protocol", "tube", "detector", "reconstruction")
        settings = {name: _picked(getattr(self, name), pick) for name in names}
        mtf50 = pick(self.kernel.mtf50_per_mm)
        settings["tube"]["mas"] = 1.0
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
