"""Style augmentation, as a suite asks for it; computed by :mod:`cl_seg.training.style`."""

from typing import Any

from pydantic import Field, PositiveInt

from cl_seg.spec.part import Spec


class StyleChange(Spec):
    """What the methods of style augmentation share.

    Attributes:
        probability: with which an image is changed.
    """

    probability: float = Field(ge=0, le=1)

    @property
    def is_off(self) -> bool:
        """True where it never changes an image."""
        return self.probability == 0


class GIN(StyleChange):
    """Global intensity non-linear augmentation (Ouyang et al. 2022, arXiv 2111.12525).

    A small convolutional network with random weights maps the image to another contrast.

    Attributes:
        blend: the share of the network's output in the image is uniform in 0 to this.
        layers: convolutions of the network, each of 1x1 or 3x3 pixels.
        channels: between two convolutions.
    """

    blend: float = Field(default=1.0, ge=0, le=1)
    layers: PositiveInt = 4
    channels: PositiveInt = 2


class AmplitudeMix(StyleChange):
    """Mixing of Fourier amplitudes between images of a batch; each image keeps its phase.

    (1 − λ) A + λ A' replaces the amplitude A of an image, with A' that of another image of the
    batch (Xu et al. 2021, arXiv 2105.11120). With a narrow ``band`` only low frequencies are mixed
    (Yang & Soatto 2020, arXiv 2004.05498).

    Attributes:
        ratio: λ is uniform in 0 to this.
        band: frequencies that are mixed, from 0 to this share of the highest along either axis.
    """

    ratio: float = Field(default=1.0, ge=0, le=1)
    band: float = Field(default=1.0, gt=0, le=1)


class KernelNoise(StyleChange):
    """Another reconstruction kernel and more noise, as from another CT scanner.

    Frequencies f are multiplied by exp(g · min(f / f_N, 1)²), where f_N is the highest frequency
    along an axis: a kernel that smooths for g < 0 and sharpens for g > 0. The noise that is added
    went through the same kernel, after the ramp filter of filtered back-projection (Riederer, Pelc
    & Chesler 1978, Phys. Med. Biol. 23:446).

    Attributes:
        sharpness: g is uniform in ± this.
        noise_hu: the standard deviation of the noise is uniform in 0 to this, in HU.
    """

    sharpness: float = Field(default=1.0, ge=0)
    noise_hu: float = Field(default=20.0, ge=0)


def _off_unless_said(kind: type[StyleChange]) -> Any:
    """A field that is not written where it is off, so that records and keys do not name it."""
    return Field(
        default_factory=lambda: kind(probability=0), exclude_if=lambda change: change.is_off
    )


class StyleAugmentation(Spec):
    """Random changes of the style of training images, in the order of these fields.

    They are drawn anew for every image, new or replayed, in every step. Labels stay as they are.
    What is not given is off.

    Attributes:
        gin: another contrast, by a random network.
        amplitude_mix: Fourier amplitudes mixed with those of another image of the batch.
        kernel_noise: another reconstruction kernel, and noise.
    """

    gin: GIN = _off_unless_said(GIN)
    amplitude_mix: AmplitudeMix = _off_unless_said(AmplitudeMix)
    kernel_noise: KernelNoise = _off_unless_said(KernelNoise)

    @property
    def is_off(self) -> bool:
        """True where no image is ever changed."""
        return self.gin.is_off and self.amplitude_mix.is_off and self.kernel_noise.is_off
