"""Random changes of style of a batch, on its device."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_seg.spec.style import StyleAugmentation
from cl_seg.training.style.amplitude_mix import amplitude_mix
from cl_seg.training.style.gin import draw_networks, gin
from cl_seg.training.style.kernel_noise import kernel_noise

Change = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""Images, the pixels of the body in them, draws → changed images."""


@dataclass(frozen=True)
class Style:
    """Draws a style for every image of a batch.

    Pixels as dark as the darkest of an image are air, or lie outside it: below the window on every
    scanner, so they stay. Changed pixels are clipped to the window, 0 to 1.

    Attributes:
        settings: methods, and how often and how much each changes.
        window_width_hu: width of the window, which is 1 in the images, in HU.
    """

    settings: StyleAugmentation
    window_width_hu: float

    def __call__(self, images: Tensor, seed: int) -> Tensor:
        """(B, 1, H, W) → (B, 1, H, W), a new tensor where something changes.

        Args:
            images: of the batch.
            seed: of all draws; the same on another kind of device are others.
        """
        generator = torch.Generator(images.device).manual_seed(seed)
        body = images > images.amin((1, 2, 3), keepdim=True)
        for probability, change in self._changes():
            if probability:
                chosen = _uniform(images, generator) < probability
                changed = change(images, body, generator).clamp(0, 1)
                images = torch.where(chosen & body, changed, images)
        return images

    def _changes(self) -> list[tuple[float, Change]]:
        return [
            (self.settings.gin.probability, self._gin),
            (self.settings.amplitude_mix.probability, self._amplitude_mix),
            (self.settings.kernel_noise.probability, self._kernel_noise),
        ]

    def _gin(self, images: Tensor, body: Tensor, generator: torch.Generator) -> Tensor:
        chosen = self.settings.gin
        networks = draw_networks(len(images), chosen.layers, chosen.channels, generator)
        return gin(images, body, networks, chosen.blend * _uniform(images, generator))

    def _amplitude_mix(self, images: Tensor, body: Tensor, generator: torch.Generator) -> Tensor:
        chosen = self.settings.amplitude_mix
        partner = torch.randperm(len(images), generator=generator, device=images.device)
        ratio = chosen.ratio * _uniform(images, generator)
        return amplitude_mix(images, images[partner], ratio, chosen.band)

    def _kernel_noise(self, images: Tensor, body: Tensor, generator: torch.Generator) -> Tensor:
        chosen = self.settings.kernel_noise
        log_gain = chosen.sharpness * (2 * _uniform(images, generator) - 1)
        noise = chosen.noise_hu / self.window_width_hu * _uniform(images, generator)
        white = torch.randn(images.shape, generator=generator, device=images.device)
        return kernel_noise(images, log_gain, noise, white)


def _uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 1, 1, 1), a draw in 0 to 1 for every image."""
    return torch.rand((len(images), 1, 1, 1), generator=generator, device=images.device)
