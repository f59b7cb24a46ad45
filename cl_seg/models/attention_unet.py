"""Attention U-Net of MONAI in 2D, returning (B, classes, H, W) logits."""

from collections.abc import Sequence

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from monai.networks.nets import AttentionUnet
from torch import nn

from cl_seg.models.layers import use_faster_layers


def build_attention_unet(
    in_channels: int, out_channels: int, image_size: int, channels: Sequence[int]
) -> nn.Module:
    """Attention U-Net (Oktay et al. 2018, arXiv 1804.03999).

    Args:
        in_channels: of the image.
        out_channels: classes including background.
        image_size: not used; every level but the first halves height and width.
        channels: of every level.
    """
    network = AttentionUnet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        channels=channels,
        strides=(2,) * (len(channels) - 1),
    )
    return use_faster_layers(network)
