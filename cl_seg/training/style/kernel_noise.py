"""Another reconstruction kernel, and noise with the power spectrum of that kernel."""

import torch
from torch import Tensor
from torch.fft import fftfreq, irfft2, rfft2

HIGHEST = 0.5  # frequency along an axis, in cycles per pixel


def kernel_noise(images: Tensor, log_gain: Tensor, noise: Tensor, white: Tensor) -> Tensor:
    """Images seen through another kernel, with noise that went through it as well.

    The kernel multiplies frequency f by H(f) = exp(g · min(f / f_N, 1)²), with g ``log_gain`` and
    f_N the highest frequency along an axis: means stay, details are smoothed or sharpened. The
    noise has a power spectrum proportional to f · H(f)², that of filtered back-projection
    (Riederer, Pelc & Chesler 1978, Phys. Med. Biol. 23:446). The image is taken as periodic.

    Args:
        images: (B, 1, H, W).
        log_gain: (B, 1, 1, 1), g.
        noise: (B, 1, 1, 1), standard deviation of the noise, in units of the images.
        white: (B, 1, H, W), normal noise of standard deviation 1, of which the noise is made.

    Returns:
        (B, 1, H, W).
    """
    height, width = images.shape[-2:]
    rows, columns = (fftfreq(n, device=images.device) for n in (height, width))
    frequency = torch.hypot(rows[:, None], columns)
    gain = (log_gain * (frequency / HIGHEST).clamp(max=1).square()).exp()
    colour = frequency.sqrt() * gain
    colour = colour / colour.square().mean((-2, -1), keepdim=True).sqrt()
    half = width // 2 + 1  # of the symmetric spectrum of a real image
    change = (gain[..., :half] - 1) * rfft2(images) + noise * colour[..., :half] * rfft2(white)
    changed: Tensor = images + irfft2(change, s=(height, width))
    return changed
