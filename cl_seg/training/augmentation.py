"""Random geometry and intensity changes of a whole batch at once."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Ranges:
    """How far images are changed.

    Attributes:
        rotate_degrees: rotation uniform in ± this.
        scale: zoom uniform in 1 ± this.
        flip: mirror left and right with probability 1/2; the liver changes sides.
        shift: added to the image, uniform in ± this, in units of the HU window.
    """

    rotate_degrees: float
    scale: float
    flip: bool
    shift: float


@dataclass(frozen=True)
class Augmentation:
    """Draws one rotation, scale, flip and intensity shift per image.

    Attributes:
        ranges: of the draws.
        generator: of the draws, on the CPU.
    """

    ranges: Ranges
    generator: torch.Generator

    def __call__(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W) images and (B, H, W) int64 masks → the same, moved alike.

        Images are resampled bilinearly, masks by nearest neighbour; outside is air and background.
        """
        draws = torch.rand(4, len(images), generator=self.generator) * 2 - 1
        angle = draws[0] * math.radians(self.ranges.rotate_degrees)
        zoom = 1 / (1 + draws[1] * self.ranges.scale)
        mirror = (
            torch.where(draws[2] < 0, -1.0, 1.0) if self.ranges.flip else torch.ones(len(images))
        )
        cos, sin, zero = zoom * angle.cos(), zoom * angle.sin(), torch.zeros(len(images))
        rows = torch.stack([cos * mirror, -sin, zero, sin * mirror, cos, zero])
        matrices = rows.T.reshape(-1, 2, 3).to(images.device)
        grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
        moved = functional.grid_sample(images, grid, align_corners=False)
        labels = functional.grid_sample(
            masks.unsqueeze(1).float(), grid, mode="nearest", align_corners=False
        )
        if self.ranges.shift:
            moved = moved + (draws[3] * self.ranges.shift).view(-1, 1, 1, 1).to(images.device)
        return moved, labels[:, 0].long()
