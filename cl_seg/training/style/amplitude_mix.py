"""Mixing of Fourier amplitudes between images."""

import torch
from torch import Tensor
from torch.fft import fftfreq, irfft2, rfft2


def amplitude_mix(images: Tensor, partners: Tensor, ratio: Tensor, band: float) -> Tensor:
    """Images with part of the amplitudes of their partners, and with their own phases.

    The amplitude A of every frequency in the band becomes (1 − λ) A + λ A' (Xu et al. 2021, arXiv
    2105.11120; with a narrow band and λ = 1, Yang & Soatto 2020, arXiv 2004.05498).

    Args:
        images: (B, 1, H, W).
        partners: (B, 1, H, W), which A' is of.
        ratio: (B, 1, 1, 1), λ in 0 to 1.
        band: frequencies up to this share of the highest along either axis, in 0 to 1.

    Returns:
        (B, 1, H, W).
    """
    height, width = images.shape[-2:]
    spectrum = rfft2(images)
    rows = fftfreq(height, device=images.device).abs()[:, None]
    columns = fftfreq(width, device=images.device).abs()[: width // 2 + 1]
    mixed = torch.maximum(rows, columns) <= band / 2
    change = ratio * (rfft2(partners).abs() - spectrum.abs()) * mixed
    result: Tensor = images + irfft2(change * spectrum.sgn(), s=(height, width))
    return result
