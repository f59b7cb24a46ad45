"""Random geometry, intensity and style changes of a whole batch at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from cl_seg.training.style.style import Style


@dataclass(frozen=True)
class AugmentationConfig:
    """Ranges from which the changes of each image are drawn.

    Attributes:
        rotate_degrees: rotation uniform in ± this.
        scale: zoom uniform in 1 ± this.
        flip: mirror left and right with probability 1/2; the liver changes sides.
        shift: added to the image, uniform in ± this, in units of the HU window.
        style: changes the style of the images, or None.
    """

    rotate_degrees: float
    scale: float
    flip: bool
    shift: float
    style: Style | None = None


@dataclass(frozen=True)
class SpatialTransform:
    """Rotation, scale and mirroring of each image of a batch.

    Of the images alone, it also shifts the intensity and then changes the style.

    Pixels that come from outside the image become air and background.

    Attributes:
        grid: (B, H, W, 2), where each pixel comes from, in -1…1 as ``grid_sample`` takes it.
        shift: (B, 1, 1, 1), added to the resampled image; None for no shift.
        style: of the resampled and shifted images, None for their own.
    """

    grid: Tensor
    shift: Tensor | None
    style: Callable[[Tensor], Tensor] | None = None

    def images(self, images: Tensor) -> Tensor:
        """(B, 1, H, W), resampled bilinearly, shifted in intensity, and in the drawn style."""
        changed = self.maps(images)
        changed = changed if self.shift is None else changed + self.shift
        return changed if self.style is None else self.style(changed)

    def masks(self, masks: Tensor) -> Tensor:
        """(B, H, W) int64, resampled by nearest neighbour."""
        pixels = masks.unsqueeze(1).float()
        resampled = functional.grid_sample(pixels, self.grid, mode="nearest", align_corners=False)
        return resampled[:, 0].long()

    def maps(self, maps: Tensor, first: int = 0) -> Tensor:
        """(b, C, H, W) of the images from ``first`` on, resampled bilinearly, 0 outside."""
        return functional.grid_sample(maps, self.grid[first:], align_corners=False)


@dataclass(frozen=True)
class Augmentation:
    """Draws one rotation, scale, flip, intensity shift and style per image.

    Attributes:
        config: ranges of the draws.
        generator: of the draws, on the CPU.
    """

    config: AugmentationConfig
    generator: torch.Generator

    def __call__(self, images: Tensor) -> SpatialTransform:
        """Draw a transform for (B, 1, H, W) images and the maps that go with them."""
        draws = torch.rand(4, len(images), generator=self.generator) * 2 - 1
        angle = draws[0] * math.radians(self.config.rotate_degrees)
        zoom = 1 / (1 + draws[1] * self.config.scale)
        mirror = (
            torch.where(draws[2] < 0, -1.0, 1.0) if self.config.flip else torch.ones(len(images))
        )
        cos, sin, zero = zoom * angle.cos(), zoom * angle.sin(), torch.zeros(len(images))
        rows = torch.stack([cos * mirror, -sin, zero, sin * mirror, cos, zero])
        matrices = rows.T.reshape(-1, 2, 3).to(images.device)
        grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
        shift = (draws[3] * self.config.shift).view(-1, 1, 1, 1).to(images.device)
        return SpatialTransform(grid, shift if self.config.shift else None, self._draw_style())

    def _draw_style(self) -> Callable[[Tensor], Tensor] | None:
        if self.config.style is None:
            return None
        seed = int(torch.randint(2**62, (1,), generator=self.generator))
        return partial(self.config.style, seed=seed)
