"""Images with air around a body."""

import torch
from torch import Tensor


def bodies(count: int = 3, height: int = 24, width: int = 25) -> Tensor:
    """(count, 1, height, width) in 0 to 1: a noisy ellipse of 0.4 with an organ of 0.7, in air."""
    generator = torch.Generator().manual_seed(8)
    y, x = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)
    sizes = torch.linspace(0.6, 0.85, count).view(-1, 1, 1)
    body, organ = x**2 + 1.4 * y**2 < sizes**2, (x + 0.2) ** 2 + y**2 < 0.09
    noise = 0.05 * torch.randn((count, height, width), generator=generator)
    return ((0.4 + 0.3 * organ + noise).clamp(0.01, 1) * body).unsqueeze(1)


def per_image(*values: float) -> Tensor:
    """(B, 1, 1, 1), a value for every image."""
    return torch.tensor(values).view(-1, 1, 1, 1)
